"""Export the active patient's regions to a BIDS derivative dataset."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QFileDialog, QInputDialog, QLineEdit, QWidget
from smalltumor.data.bids.checks import check_bids
from smalltumor.data.bids.dataset import authors_around, is_described
from smalltumor.data.bids.names import bids_paths, masks_of_subject, session_of
from smalltumor.data.identity.bids_labels import session_label
from smalltumor.data.identity.image_digests import (
    are_other_images,
    digests_of_images,
    images_of_mask,
    share_an_image,
)
from smalltumor.data.identity.visits import visit_in_name, visit_of
from smalltumor.errors import SmalltumorError
from smalltumor.files.names import same_name
from smalltumor.files.transactions.recovery import existing

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.export.case_export import export_bids
from napari_smalltumor.export.dialogs.export_dialog import (
    case_to_export_or_say,
    finish_export,
)
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.export.dialogs.replaced_files import confirm_replacing_files
from napari_smalltumor.export.dialogs.replaced_masks import note_on_replaced
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.output_folder import output_folder
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.viewer import Viewer
    from smalltumor.data.case import Case


def export_active_to_bids(viewer: Viewer) -> None:
    """Export the case of the active patient to a BIDS dataset (menu command)."""
    ask_and_export_bids(unproxied(viewer), QApplication.activeWindow())


def ask_and_export_bids(viewer: ViewerModel, parent: QWidget | None) -> list[Path]:
    """Ask for the folder of the dataset, and for the authors of a new one, and export.

    The session is asked for if the case's name states none and another visit is there, too.

    Returns
    -------
    list of Path
        The files written; empty if the user cancelled or the export failed.
    """
    case = case_to_export_or_say(viewer)
    if case is None or not confirm_regions(parent, viewer, case, "Export anyway"):
        return []
    patient = patient_of_shown_case(viewer.layers, case)
    title = active_patient(viewer).title_of(patient)
    chosen = QFileDialog.getExistingDirectory(
        parent,
        f"Folder of the BIDS derivative dataset for the regions of {title}",
        str(output_folder(viewer, patient)),
    )
    if not chosen:
        return []
    dataset = Path(chosen)
    try:
        session = _session(parent, viewer, case, dataset)
        if session is None:
            return []
        paths = bids_paths(case.name, dataset, session)
        replaced = existing(paths)
        may_be_of_others = (
            "They are named after the case alone, so they may be of another patient whose case is "
            f"named {case.name}, too."
        )
        note = partial(note_on_replaced, replaced, case, title, may_be_of_others)
        if replaced and not confirm_replacing_files(
            parent, replaced, f"the regions of {title}", note
        ):
            return []
        check_bids(case.name, dataset, session=session, overwrite=True)
        authors = _authors(parent, case, dataset)
        if authors is None:
            return []
        written = export_bids(
            viewer,
            case,
            dataset,
            scheme=settings.get("scheme"),
            authors=authors,
            session=session,
            overwrite=bool(replaced),
        )
    except SmalltumorError as error:
        notify.report_error(error)
        return []
    finish_export(viewer, case, written)
    return written


def _session(parent: QWidget | None, viewer: ViewerModel, case: Case, dataset: Path) -> str | None:
    """The session of a case, which is asked for if another visit would have the same files.

    Returns
    -------
    str or None
        Empty for what the name of the case states; None if the user cancelled.
    """
    if visit_in_name(case.name):
        return ""
    stored = masks_of_subject(case.name, dataset)
    images = digests_of_images(case)
    recorded = {path: images_of_mask(path) for path in stored}
    own = [path for path in stored if share_an_image(recorded[path], images)]
    if own:
        return session_of(own[0])
    patient = patient_of_shown_case(viewer.layers, case)
    others = [
        p for p in active_patient(viewer).patients if same_name(p.name, case.name) and p != patient
    ]
    if not others and not any(are_other_images(digests, images) for digests in recorded.values()):
        return ""
    return _ask_for_session(parent, case, active_patient(viewer).title_of(patient), dataset)


def _ask_for_session(parent: QWidget | None, case: Case, title: str, dataset: Path) -> str | None:
    text, is_chosen = QInputDialog.getText(
        questions.window_of(parent),
        "Session",
        f"The masks of two visits of {case.name} need sessions of their own in {dataset}.\n\n"
        f"Session of {title}, letters and digits; may be empty:",
        QLineEdit.EchoMode.Normal,
        session_label(visit_of(case)),
    )
    return session_label(text) if is_chosen else None


def _authors(parent: QWidget | None, case: Case, dataset: Path) -> list[str] | None:
    """Authors of a new dataset, with those of the last one proposed; None if the user cancelled."""
    if is_described(dataset) or authors_around(case.sources):
        return []
    text, is_chosen = QInputDialog.getText(
        questions.window_of(parent),
        "New BIDS dataset",
        f"{dataset} becomes a BIDS dataset.\n\nAuthors, separated by semicolons; may be empty:",
        QLineEdit.EchoMode.Normal,
        settings.get("authors"),
    )
    if not is_chosen:
        return None
    authors = [" ".join(name.split()) for name in text.split(";") if name.strip()]
    settings.put("authors", "; ".join(authors))
    return authors
