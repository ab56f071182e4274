"""The question before a file is written that is named after another patient than it is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_smalltumor import questions
from napari_smalltumor.export.other_names import other_name_text
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel


def confirm_other_patients_name(
    parent: QWidget | None,
    viewer: ViewerModel,
    patient: Patient,
    path: Path,
    content: str,
    ending: str = "",
) -> bool:
    """Ask whether to write a file that is named after another patient or scan.

    Parameters
    ----------
    parent : QWidget or None
    viewer, patient, path, content, ending
        As for `other_name_text`, of a file that is to be written.
    """
    text = other_name_text(viewer, patient, path, content, ending)
    if not text:
        return True
    title = active_patient(viewer).title_of(patient)
    question = f"{text}\n\nWrite the {content} of {title} under this name?"
    return questions.confirm(parent, "Name of another patient", question, "Write anyway")
