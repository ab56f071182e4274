"""The expert's labels of a case that a network is trained on, or validated with."""

from __future__ import annotations

from smalltumor.data.case import Case
from smalltumor.data.made_by import recorded_made_by
from smalltumor.data.masks.label_files import labels_of_volume, read_labels_as_stored
from smalltumor.data.volumes.nifti import Volume
from smalltumor.labels.masks import Classes
from smalltumor.labels.schemes import LabelScheme


def read_expert_labels(case: Case) -> tuple[Classes, LabelScheme]:
    """Read the expert's segmentation of a case.

    As `read_labels`; if the file records a network and no edit, that is one of the case's warnings.
    """
    volume = read_labels_as_stored(case)
    labels = labels_of_volume(volume, case)
    text = _uncorrected_text(volume)
    case.warnings += [text] if text and text not in case.warnings else []
    return labels


def _uncorrected_text(volume: Volume) -> str:
    """That a mask is no expert's; empty if that is not known."""
    made_by = recorded_made_by(volume)
    if made_by is None or made_by.algorithm_type != "AUTOMATIC":
        return ""
    return (
        f"{volume.path.name} is a mask that a network made and nobody corrected ({made_by}): "
        "training repeats that network's errors, and a Dice against the mask does not show them"
    )
