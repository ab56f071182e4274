"""Which candidates were added or rejected, by whom and when, kept with the case.

::

    DATA/decisions/Patient-1-c0ffee....json

A decision belongs to a place in the patient and to a size, so it holds for a mask that is segmented
again and for every segmentation of the case. As acceptances it is kept while autosave is on; layers
whose case was not read from files keep theirs while they are open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from smalltumor.lesions import Lesion, LesionList, Point

from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.lesions.decisions.signature import Signature
from napari_smalltumor.lesions.decisions.stored_values import StoredValues

if TYPE_CHECKING:
    from napari.layers import Labels

SAME_PLACE_MM = 3.0
"""A decision holds for a lesion whose centre is nearer than this ..."""

SAME_SIZE = 2.0
"""... and whose volume is less than this many times larger or smaller."""


class Verdict(StrEnum):
    """What was decided."""

    ADDED = "added"
    """A candidate, or a spot that was clicked, was added to the mask."""
    REJECTED = "rejected"
    """A candidate was rejected."""


@dataclass(frozen=True)
class Decision:
    """A decision.

    Parameters
    ----------
    verdict : Verdict
    centre_ras_mm : (r, a, s)
        Centre of the lesion in patient coordinates.
    mm3 : float
        Volume of the lesion.
    who : str
        Name of the user's account.
    when : str
        Local time with its offset, ISO 8601.
    """

    verdict: Verdict
    centre_ras_mm: Point
    mm3: float
    who: str
    when: str

    @classmethod
    def now(cls, verdict: Verdict, lesion: Lesion) -> Decision:
        """A decision of this user at this time."""
        return cls(verdict, lesion.centroid_ras_mm, lesion.mm3, *Signature.now())

    @property
    def signature(self) -> Signature:
        """Who decided, and when."""
        return Signature(self.who, self.when)

    def concerns(self, lesion: Lesion) -> bool:
        """Whether it is about a lesion: of its kind, at its place and of its size.

        A rejection is about a candidate, and an addition also about a component of the mask.
        """
        is_candidate = lesion.list_name is LesionList.SECOND_LOOK
        if self.verdict is Verdict.REJECTED and not is_candidate:
            return False
        distance = np.linalg.norm(np.subtract(self.centre_ras_mm, lesion.centroid_ras_mm))
        sizes = sorted((self.mm3, lesion.mm3))
        return bool(distance < SAME_PLACE_MM and sizes[1] < SAME_SIZE * sizes[0])


@dataclass(frozen=True)
class ReplacedDecisions:
    """The decisions on lesions before a step of the review.

    Parameters
    ----------
    layer : Labels
    lesions : sequence of Lesion
    decisions : tuple of Decision
    """

    layer: Labels
    lesions: Sequence[Lesion]
    decisions: tuple[Decision, ...]

    def restore(self) -> None:
        """Let these decisions hold again, in place of later ones; a failed write is reported."""
        _replace(self.layer, self.lesions, self.decisions)


_OF_LAYERS: WeakKeyDictionary[Labels, tuple[Decision, ...]] = WeakKeyDictionary()
"""Those of cases that were not read from files."""


def decisions_of(layer: Labels) -> tuple[Decision, ...]:
    """The decisions on the patient of a layer, in their order."""
    file = _STORED.file_of(case_of(layer))
    return _OF_LAYERS.get(layer, ()) if file is None else _STORED.get(file)


def decide(layer: Labels, verdict: Verdict, lesions: Sequence[Lesion]) -> ReplacedDecisions:
    """Record a decision on lesions, in place of earlier ones; a failed write is reported."""
    replaced = _on(layer, lesions)
    _replace(layer, lesions, [Decision.now(verdict, lesion) for lesion in lesions])
    return replaced


def take_back(layer: Labels, lesions: Sequence[Lesion]) -> ReplacedDecisions:
    """Remove the decisions on lesions; a failed write is reported."""
    replaced = _on(layer, lesions)
    if replaced.decisions:
        _replace(layer, lesions, ())
    return replaced


def decision_on(layer: Labels, lesion: Lesion) -> Decision | None:
    """The last decision on a lesion."""
    return next((d for d in reversed(decisions_of(layer)) if d.concerns(lesion)), None)


def is_rejected(layer: Labels, lesion: Lesion) -> bool:
    """Whether the last decision on a candidate rejected it."""
    decision = decision_on(layer, lesion)
    return decision is not None and decision.verdict is Verdict.REJECTED


def addition_of(layer: Labels, lesion: Lesion) -> Decision | None:
    """The decision to add a lesion to the mask, as a candidate or by a click."""
    decision = decision_on(layer, lesion)
    return decision if decision is not None and decision.verdict is Verdict.ADDED else None


def _on(layer: Labels, lesions: Sequence[Lesion]) -> ReplacedDecisions:
    decisions = tuple(d for d in decisions_of(layer) if any(map(d.concerns, lesions)))
    return ReplacedDecisions(layer, lesions, decisions)


def _replace(layer: Labels, lesions: Sequence[Lesion], new: Sequence[Decision]) -> None:
    """Put decisions in the place of those on lesions."""

    def replaced(decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
        return (*(d for d in decisions if not any(map(d.concerns, lesions))), *new)

    case = case_of(layer)
    file = _STORED.file_of(case)
    if file is None or case is None:
        _OF_LAYERS[layer] = replaced(decisions_of(layer))
    else:
        _STORED.change(file, case, replaced)


def _parsed(content: Mapping[str, Any]) -> tuple[Decision, ...]:
    return tuple(map(_parse, content["decisions"]))


def _parse(values: Mapping[str, Any]) -> Decision:
    r, a, s = map(float, values["centre_ras_mm"])
    verdict, mm3 = Verdict(values["verdict"]), float(values["mm3"])
    return Decision(verdict, (r, a, s), mm3, str(values["who"]), str(values["when"]))


def _to_json(decisions: tuple[Decision, ...]) -> Mapping[str, Any]:
    return {"decisions": [asdict(decision) for decision in decisions]}


_STORED: StoredValues[tuple[Decision, ...]] = StoredValues(
    folder="decisions",
    subject="Decisions on lesions",
    format="smalltumor decisions",
    version=2,
    parse=_parsed,
    to_json=_to_json,
    empty=(),
)
