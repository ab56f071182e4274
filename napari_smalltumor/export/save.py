"""Save the masks of the active patient where they are found again when the case is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget
from smalltumor.data.case import Case
from smalltumor.errors import SmalltumorError
from smalltumor.files.transactions.recovery import existing

from napari_smalltumor import keys, notify, settings
from napari_smalltumor.export.case_export import export_case, file_to_save, is_exported_to
from napari_smalltumor.export.dialogs.export_dialog import (
    ask_and_export,
    case_to_export_or_say,
    finish_export,
)
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.export.dialogs.replaced_files import confirm_replacing_files
from napari_smalltumor.export.dialogs.replaced_masks import holds_corrections, note_on_replaced
from napari_smalltumor.export.edited_labels import save_edited_labels
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.source_files import check_no_source
from napari_smalltumor.layers.masks.region_masks import is_outdated, made_by_of, other_images_of
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.layers.patient import Patient, patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.viewer import Viewer


_CHANGED = (
    "It was written since this window opened or saved the masks, such as in another window or by "
    "another reader, whose changes would be lost."
)
_CORRECTED = (
    "It may hold corrections, which would be lost: the masks in the window are of a newer result "
    "of the network."
)


def save_active(viewer: Viewer) -> None:
    """Save the masks of the active patient (menu command)."""
    save(unproxied(viewer), QApplication.activeWindow())


def save(viewer: ViewerModel, parent: QWidget | None) -> list[Path]:
    """Write the masks of the active patient, with all edits, to `file_to_save`.

    Those of a case that is being reviewed are saved as reviewed instead, if they were edited. A
    case without edits is confirmed by *Save as reviewed* only.

    There is no dialog if nothing is missing, and no file would be replaced that this window has not
    written, or that holds corrections of what is again the result of a network. If the images have
    no folder, or it cannot be written to, the dialog of *Export* asks for another one.

    Returns
    -------
    list of Path
        The files written; empty if the file holds the regions as they are, the user cancelled, or
        a file cannot be written.
    """
    if save_state(viewer).is_review:
        _save_review(viewer)
        return []
    case = case_to_export_or_say(viewer)
    if case is None:
        return []
    path = file_to_save(viewer, case)
    is_writable = path is not None and os.access(path.parent, os.W_OK)
    if path is None or case.has_changed_images or not is_writable:
        if path is not None and not is_writable:
            title = active_patient(viewer).title
            notify.warn(f"{title}: {path.parent} cannot be written to. Choose another folder.")
        return ask_and_export(viewer, parent, per_region=False)
    if not confirm_regions(parent, viewer, case, "Save anyway"):
        return []
    scheme = settings.get("scheme")
    if _is_saved_in(path, viewer, case, scheme):
        notify.info(f"{active_patient(viewer).title}: {path.name} holds the regions as they are.")
        return []
    try:
        check_no_source([path], viewer.layers)
        replaces = bool(existing([path]))
        if replaces and not _confirm_replacing_file(viewer, parent, case, path):
            return []
        written = export_case(viewer, case, path, scheme=scheme, overwrite=replaces)
    except SmalltumorError as error:
        notify.report_error(error)
        return []
    finish_export(viewer, case, written)
    return written


def save_patient(viewer: ViewerModel, patient: Patient, parent: QWidget | None) -> bool:
    """Make a patient active and save its masks and edited labels; False if some were not."""
    active_patient(viewer).activate(patient)
    state = save_state(viewer)
    state.refresh()
    has_saved = not state.has_masks or state.is_saved or bool(save(viewer, parent))
    return (has_saved or state.is_saved) and save_edited_labels(viewer, patient, parent)


def _save_review(viewer: ViewerModel) -> None:
    state = save_state(viewer)
    state.refresh()
    if state.is_saved:
        notify.info(_nothing_to_save_text(active_patient(viewer).title, state.written is not None))
    else:
        state.save_review()


def _nothing_to_save_text(title: str, is_reviewed: bool) -> str:
    if is_reviewed:
        return f"{title} is saved as reviewed, as it is."
    key = keys.REVIEWED.sequence
    return f"{title}: the masks have no edits to save. {key} saves them as reviewed by you."


def _is_saved_in(path: Path, viewer: ViewerModel, case: Case, scheme: str) -> bool:
    """Whether writing the regions to the file again would change nothing in it."""
    state = save_state(viewer)
    state.refresh()
    return (
        state.is_saved
        and not other_images_of(viewer.layers, case)  # the file is to record those of the case
        and not is_outdated(viewer.layers, case)
        and is_exported_to(viewer, case, path, scheme=scheme)
    )


def _confirm_replacing_file(
    viewer: ViewerModel, parent: QWidget | None, case: Case, path: Path
) -> bool:
    """Ask whether to replace a file that this window did not write as it is.

    The user is also asked whether a new result of a network is to replace corrections.
    """
    state = save_state(viewer)
    written = state.written
    is_own = written is not None and path in written.files
    loses_corrections = (is_own and state.is_segmented_anew) or (
        _is_result(viewer, case) and holds_corrections(path)
    )
    if written is not None and is_own and written.are_unchanged and not loses_corrections:
        return True
    title = active_patient(viewer).title_of(patient_of_shown_case(viewer.layers, case))

    def note() -> str:
        notes = [_CORRECTED] if loses_corrections else []
        notes += [_CHANGED] if state.is_changed_elsewhere(path) else []
        if not other_images_of(viewer.layers, case):  # else the user was just asked
            notes.append(note_on_replaced([path], case, title))
        return " ".join(filter(None, notes))

    return confirm_replacing_files(parent, [path], f"the regions of {title}", note)


def _is_result(viewer: ViewerModel, case: Case) -> bool:
    """Whether the masks of a case are the result of a network, and nobody has edited them."""
    made_by = made_by_of(region_layers(viewer.layers, case).values())
    return made_by is not None and made_by.is_unedited
