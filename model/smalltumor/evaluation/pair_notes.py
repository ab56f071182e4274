"""What is doubtful about a prediction and its truth: other images, a mirrored mask, headers.

A header may contradict itself, or the label scheme that was named for its file. A label scheme may
lack a class, so that regions are not scored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smalltumor.data.identity.image_digests import (
    are_other_images,
    digests_of_t1ce,
    recorded_images,
)
from smalltumor.data.masks.label_scheme import FoundScheme, contradiction_text
from smalltumor.data.volumes.header_checks import header_warnings, sides_disagree
from smalltumor.data.volumes.nifti import Volume
from smalltumor.evaluation.metrics.mirrored_agreement import mirrored_agreement
from smalltumor.labels.missing_classes import missing_classes_text
from smalltumor.labels.regions import REGION_CLASSES, TissueClass, known_parts
from smalltumor.labels.schemes import LabelScheme
from smalltumor.text import list_text

Regions = Mapping[str, Collection[TissueClass]]
"""What is scored, by name: the classes that it consists of."""

REGIONS: Regions = {region.value: classes for region, classes in REGION_CLASSES.items()}
"""What is scored by default: ET, TC and WT."""


@dataclass
class PairNotes:
    """Notes on pairs of label volumes, as they are read.

    Parameters
    ----------
    regions : mapping of str to collection of TissueClass
        What is scored.
    """

    regions: Regions = field(default_factory=lambda: REGIONS)
    _of_others: list[str] = field(default_factory=list)
    _mirrored: list[str] = field(default_factory=list)
    _of_headers: list[str] = field(default_factory=list)
    _overruled: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _missing: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, prediction: Volume, truth: Volume, t1ce: Path | None) -> None:
        """Look at a pair.

        Parameters
        ----------
        name : str
            Of the case.
        prediction, truth : Volume
            On one grid.
        t1ce : Path, optional
            The image beside the truth.
        """
        pair = (prediction, truth)
        self._of_headers += header_warnings(v for v in pair if sides_disagree(v.header))
        if _are_of_other_images(prediction, truth, t1ce):
            self._of_others.append(name)
        agreement = mirrored_agreement(prediction.data != 0, truth.data != 0, truth.grid)
        if agreement is not None:
            self._mirrored.append(
                f"{name}: prediction or truth seems to be mirrored, since they have {agreement}"
            )

    def add_scheme(self, found: FoundScheme) -> None:
        """Look at the label scheme in which a file was read."""
        if found.overruled:
            schemes = found.overruled, found.scheme.name
            self._overruled.setdefault(schemes, []).append(found.path.name)

    def add_missing(self, name: str, prediction: LabelScheme, truth: LabelScheme) -> None:
        """Look at what the label schemes of a pair tell, whose case has this name."""
        for whose, scheme in (("prediction", prediction), ("truth", truth)):
            told = known_parts(self.regions, scheme.known_classes)
            missing = [region.upper() for region in self.regions if region not in told]
            if missing:
                text = (
                    f"{list_text(missing)} {'is' if len(missing) == 1 else 'are'} not scored, "
                    f"because the {whose} has "
                    f"{missing_classes_text(scheme.known_classes)} (label scheme {scheme.name})"
                )
                self._missing.setdefault(text, []).append(name)

    @property
    def missing(self) -> list[str]:
        """Sentences that name the cases some of whose regions are not scored, and why."""
        return [f"{text}: {', '.join(names)}" for text, names in self._missing.items()]

    @property
    def texts(self) -> list[str]:
        """Sentences that name the cases and files."""
        text = "prediction and truth were made of different images, such as of two patients"
        of_others = [f"{text}: {', '.join(self._of_others)}"] if self._of_others else []
        schemes = [contradiction_text(names, *each) for each, names in self._overruled.items()]
        return [*of_others, *self._mirrored, *schemes, *self.missing, *self._of_headers]


def _are_of_other_images(prediction: Volume, truth: Volume, t1ce: Path | None) -> bool:
    """Whether a prediction records other images than the truth does, or than lie beside the truth.

    A T1CE that cannot be read tells nothing.
    """
    predicted, true = recorded_images(prediction), recorded_images(truth)
    if predicted and not true and t1ce is not None:
        true = digests_of_t1ce(t1ce)
    return are_other_images(predicted, true)
