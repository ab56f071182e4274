"""The questions before a result of the network replaces masks that somebody has edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor import questions
from napari_smalltumor.closing.unsaved_work import saving_action
from napari_smalltumor.export.save import save_patient
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_smalltumor.layers.patient import Patient

_TITLE = "Replace edited regions?"
_REPLACE = "Replace"


def confirm_replacing_edits(
    viewer: ViewerModel, patient: Patient, parent: QWidget | None, *, can_be_saved: bool
) -> bool:
    """Ask whether to replace edited regions of a patient; they are saved first if the user says so.

    Parameters
    ----------
    viewer : ViewerModel
    patient : Patient
    parent : QWidget or None
        A widget of the window in which to ask.
    can_be_saved : bool
        Whether all that was edited is still open.

    Returns
    -------
    bool
        False if the user cancelled, or the edits could not be saved.
    """
    title = active_patient(viewer).title_of(patient)
    text = (
        f"You have edited ET, TC or WT of {title}. Segmenting again replaces them, and this cannot "
        "be undone."
    )
    if not can_be_saved:
        text += " To keep them, click Restore and save them first."
        return questions.confirm(parent, _TITLE, text, _REPLACE)
    save = f"{saving_action(viewer, patient)}, then replace"
    answers = save, _REPLACE, questions.CANCEL
    answer = questions.ask(parent, _TITLE, text, *answers, harmless=questions.CANCEL)
    return answer == _REPLACE or (answer == save and save_patient(viewer, patient, parent))


def confirm_replacing_new_edits(title: str) -> bool:
    """Ask whether to replace regions of a patient that were edited during the segmentation."""
    return questions.confirm(
        None,
        _TITLE,
        f"You edited ET, TC or WT of {title} during the segmentation. Replace shows the new result "
        "instead, which cannot be undone. Cancel keeps your edits and discards the "
        "result.",
        _REPLACE,
    )


def confirm_replacing_review(title: str, reader: str) -> bool:
    """Ask whether to replace a mask in the window that a reader has saved as reviewed."""
    return questions.confirm(
        None,
        "Replace a reviewed mask?",
        f"{reader} has saved the mask of {title} as reviewed. Segmenting again replaces it in the "
        "window with the mask of the network. The reviewed file is kept: to return to it, open "
        "the case from the Worklist again.",
        _REPLACE,
    )
