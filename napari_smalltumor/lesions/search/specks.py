"""Specks: components so small and uncertain that most of them are false.

They stay in the mask. The table shows them as one row, so that larger lesions lead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import is_small
from smalltumor.lesions import Lesion
from smalltumor.text import mm3_text

from napari_smalltumor import settings
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation


@dataclass(frozen=True)
class SpeckRule:
    """Which components are specks.

    Parameters
    ----------
    mm3 : int
        The volume of a speck is below this; with 0, no component is a speck.
    probability : float
        In a result of the network, the mean probability of a speck is below this. What was painted
        into such a result has no probability and is no speck.
    """

    mm3: int
    probability: float

    def specks(self, lesions: Iterable[Lesion], *, from_network: bool) -> list[Lesion]:
        """Return the specks.

        Parameters
        ----------
        lesions : iterable of Lesion
        from_network : bool
            Whether the mask is a result of the network whose probabilities are known. In any other
            mask, such as an exported or a restored one, a reader may have accepted every component,
            so that none is a speck.
        """
        if not from_network:
            return []
        return [x for x in lesions if self.holds_for(x.mm3, x.mean_probability)]

    def holds_for(self, mm3: float, mean_probability: float | None) -> bool:
        """Whether a component of a result of the network is a speck."""
        is_doubtful = mean_probability is not None and mean_probability < self.probability
        return is_doubtful and is_small(mm3, self.mm3)


NO_SPECKS = SpeckRule(0, 1.0)


def chosen_rule() -> SpeckRule:
    """The rule that the user has set in the Lesions dock or in Preferences."""
    mm3, probability = settings.get("speck_below_mm3"), settings.get("speck_probability")
    return SpeckRule(int(mm3), float(probability))


def specks_of(
    source: ViewerSegmentation, region: Region, lesions: Iterable[Lesion], rule: SpeckRule
) -> list[Lesion]:
    """The specks among the lesions of a segmentation; a lesion that was accepted is none."""
    candidates = rule.specks(lesions, from_network=source.knows_probabilities(region))
    return [lesion for lesion in candidates if not source.is_accepted(region, lesion)]


def title_of(specks: Iterable[Lesion], rule: SpeckRule) -> str:
    """What the row of the specks says, such as ``12 specks below 20 mm³ (95 mm³)``."""
    volumes = [lesion.mm3 for lesion in specks]
    noun = "speck" if len(volumes) == 1 else "specks"
    return f"{len(volumes)} {noun} below {rule.mm3} mm³ ({mm3_text(sum(volumes))} mm³)"
