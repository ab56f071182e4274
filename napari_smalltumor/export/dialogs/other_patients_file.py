"""The question before a file is written that will be taken for another patient's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_smalltumor import questions
from napari_smalltumor.export.other_patients import other_folder_text, other_name_text
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel


def confirm_other_patients_file(
    parent: QWidget | None,
    viewer: ViewerModel,
    patient: Patient,
    path: Path,
    content: str,
    ending: str = "",
) -> bool:
    """Ask whether to write a file that is named after another patient or scan, or lies beside it.

    Parameters
    ----------
    parent : QWidget or None
    viewer, patient, path, content, ending
        As for `other_name_text`, of a file that is to be written.
    """
    name = other_name_text(viewer, patient, path, content, ending)
    text = other_folder_text(viewer, patient, path.parent) or name
    if not text:
        return True
    title = active_patient(viewer).title_of(patient)
    where = "under this name" if text == name else "there"
    question = f"{text}\n\nWrite the {content} of {title} {where}?"
    return questions.confirm(parent, "File of another patient", question, "Write anyway")
