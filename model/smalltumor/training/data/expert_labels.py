"""The expert's labels of a case that a network is trained on, or validated with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from smalltumor.data.case import Case
from smalltumor.data.made_by import MadeBy, recorded_made_by
from smalltumor.data.masks.label_files import labels_of_volume, read_labels_as_stored
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import LabelError
from smalltumor.labels.masks import Classes
from smalltumor.labels.missing_classes import missing_classes_text
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import LabelScheme


@dataclass(frozen=True)
class ExpertLabels:
    """The labels of a case, as they were read.

    Parameters
    ----------
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.
    scheme : LabelScheme
        Of the file.
    made_by : MadeBy or None
        What made them, if the file records it.
    """

    classes: Classes
    scheme: LabelScheme
    made_by: MadeBy | None


def read_expert_labels(case: Case) -> ExpertLabels:
    """Read the expert's segmentation of a case.

    As `read_labels`; if the file records a network and no edit, that is one of the case's warnings.
    """
    volume = read_labels_as_stored(case)
    classes, scheme = labels_of_volume(volume, case)
    made_by = recorded_made_by(volume)
    text = _uncorrected_text(volume, made_by)
    case.warnings += [text] if text and text not in case.warnings else []
    return ExpertLabels(classes, scheme, made_by)


def check_complete(labels: ExpertLabels, case: Case) -> None:
    """Check that the labels of a case tell all tissue classes, see `check_classes`."""
    if case.labels_path is not None:
        name = f"{case.labels_path.name} (label scheme {labels.scheme.name})"
        check_classes(name, labels.scheme.known_classes)


def check_classes(name: str, known: Collection[TissueClass]) -> None:
    """Check that a mask tells all tissue classes: a missing one would be taught as background.

    Parameters
    ----------
    name : str
        Of the mask, for the error.
    known : collection of TissueClass

    Raises
    ------
    LabelError
        If it does not.
    """
    missing = missing_classes_text(known)
    if missing:
        raise LabelError(f"{name} has {missing}: a network would learn that there is none")


def _uncorrected_text(volume: Volume, made_by: MadeBy | None) -> str:
    """That a mask is no expert's; empty if that is not known."""
    if made_by is None or not made_by.is_unedited:
        return ""
    return (
        f"{volume.path.name} is a mask that a network made and nobody corrected ({made_by}): "
        "training repeats that network's errors, and a Dice against the mask does not show them"
    )
