"""The question before a file is written that is named after another patient than it is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget
from smalltumor.data.identity.case_names import is_named_after, states_other_case

from napari_smalltumor import questions
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel


def may_have_name(
    parent: QWidget | None, viewer: ViewerModel, patient: Patient, path: Path, content: str
) -> bool:
    """Whether a file is not named after another patient or scan, or the user agrees.

    Parameters
    ----------
    parent : QWidget or None
    viewer : ViewerModel
    patient : Patient
        Whose file it is.
    path : Path
        The file to be written.
    content : str
        What it will hold, in the plural, such as ``regions``.
    """
    if is_named_after(path.name, patient.name, patient.folder):
        return True
    patients = active_patient(viewer)
    others = [p for p in patients.patients if p != patient]
    named = next((p for p in others if is_named_after(path.name, p.name, p.folder)), None)
    if named is not None:
        whose = f"is named after {patients.title_of(named)}, who is open, too"
    elif states_other_case(path.name, patient.name):
        whose = "is named after another patient or scan"
    else:
        return True
    title = patients.title_of(patient)
    text = (
        f"{path.name} {whose}, but the {content} in it will be those of {title}.\n\n"
        f"Write the {content} of {title} under this name?"
    )
    return questions.confirm(parent, "Name of another patient", text, "Write anyway")
