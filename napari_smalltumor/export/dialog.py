"""Export dialogs: ask for a file name, and before files are replaced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import region_files_of
from smalltumor.data.volumes.nifti import is_nifti_name
from smalltumor.errors import SmalltumorError
from smalltumor.text import volume_text

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import (
    case_to_export,
    export_case,
    suggested_name,
    targets,
    with_suffix,
)
from napari_smalltumor.export.file_dialog import ask_for_file
from napari_smalltumor.export.missing_regions import without_text
from napari_smalltumor.export.native_grid import filters_of, named_for_grid
from napari_smalltumor.export.replaced_masks import note_on_replaced
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.source_files import check_no_source
from napari_smalltumor.layers.changed_images import check_not_beside, no_longer_shown
from napari_smalltumor.layers.drawings import masks_beside_regions
from napari_smalltumor.layers.metadata import case_of, region_layers, region_of, same_case
from napari_smalltumor.layers.patient import layers_of_patient, patient_of_shown_case
from napari_smalltumor.layers.region_masks import is_outdated, unseen_regions, volumes_ml
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.patients.output_folder import output_folder, remember_output_folder
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.viewer import Viewer


def export_active(viewer: Viewer) -> None:
    """Export the case of the active patient (menu command)."""
    ask_and_export(unproxied(viewer), QApplication.activeWindow(), per_region=False)


def ask_and_export(viewer: ViewerModel, parent: QWidget | None, *, per_region: bool) -> list[Path]:
    """Ask for a file name and export.

    Returns
    -------
    list of Path
        The files written; empty if the user cancelled or the export failed.
    """
    case = case_to_export_or_say(viewer)
    if case is None or not may_write_regions(parent, viewer, case, "Export anyway"):
        return []
    patient = patient_of_shown_case(viewer.layers, case)
    title = active_patient(viewer).title_of(patient)
    scheme = settings.get("scheme")
    start = output_folder(viewer, patient) / suggested_name(case)
    filters = filters_of(case)
    what = "three region files" if per_region else "a label file"
    chosen, file_type = ask_for_file(parent, f"Export {what} of {title}", start, case, filters)
    if not chosen:
        return []
    native = filters.get(file_type)
    try:
        path = named_for_grid(with_suffix(Path(chosen)), case, native)
        existing = [p for p in targets(path, per_region=per_region) if p.exists()]
        check_no_source(existing, viewer.layers)
        check_not_beside([path], case)
        note = note_on_replaced(existing, case, title)
        if existing and not may_replace(parent, existing, title, note):
            return []
        written = export_case(
            viewer,
            case,
            path,
            scheme=scheme,
            per_region=per_region,
            native=native,
            overwrite=bool(existing),
        )
    except SmalltumorError as error:
        notify.report_error(error)
        return []
    remember_output_folder(patient, written[0])
    finish_export(viewer, case, written, is_on_case_grid=native is None)
    return written


def case_to_export_or_say(viewer: ViewerModel) -> Case | None:
    """The case to export; None, which the user is told, if the active patient has no regions."""
    case = case_to_export(viewer)
    if case is None:
        notify.error("There are no ET, TC or WT layers to export; segment a case first.")
    return case


def finish_export(
    viewer: ViewerModel, case: Case, written: list[Path], *, is_on_case_grid: bool = True
) -> None:
    """Mark the regions of a case as exported, and tell the user which files were written.

    They count as saved only if the case opens with what was written, and as exported only on the
    grid of the case: of a mask that was resampled the edits cannot be read again.
    """
    if is_on_case_grid:
        regions = region_layers(viewer.layers, case).values()
        masks = [path for path in written if is_nifti_name(path)]
        ensure_autosave(viewer).autosave.mark_exported(regions, masks)
    state = save_state(viewer)
    if _is_opened_with(case, written):
        state.keep(case, written)
    else:
        state.refresh()
    notify.info(f"Wrote {', '.join(path.name for path in written)} to {written[0].parent}")


def _is_opened_with(case: Case, written: list[Path]) -> bool:
    """Whether a label file that was written is opened with the case."""
    return any(f.region is None and f.path in written for f in region_files_of(case))


def may_replace(parent: QWidget | None, paths: list[Path], patient: str, note: str = "") -> bool:
    """Whether the user agrees to replace files by the regions of a patient.

    Parameters
    ----------
    parent : QWidget or None
    paths : list of Path
        Files that exist.
    patient : str
        The patient's title.
    note : str
        What is said of the files before the question.
    """
    names = ", ".join(path.name for path in paths)
    is_one = len(paths) == 1
    text = f"{names} exists." if is_one else f"These files exist: {names}."
    question = f"Replace {'it' if is_one else 'them'} with the regions of {patient}?"
    text = f"{text} {note}\n\n{question}" if note else f"{text} {question}"
    return questions.confirm(parent, "Replace files?", text, "Replace")


def may_write_regions(parent: QWidget | None, viewer: ViewerModel, case: Case, action: str) -> bool:
    """Whether the regions of a case are current, there, shown and all there is, or the user agrees.

    The files of its images must hold these, too.

    Parameters
    ----------
    parent : QWidget or None
    viewer : ViewerModel
    case : Case
    action : str
        Text of the button that goes on.
    """
    return (
        may_use_unlike_files(parent, viewer, case, action)
        and may_use_outdated(parent, viewer, case, action)
        and may_omit_regions(parent, viewer, case, action)
        and may_leave_other_regions(parent, viewer, case, action)
        and may_leave_drawings(parent, viewer, case, action)
    )


def may_use_unlike_files(
    parent: QWidget | None, viewer: ViewerModel, case: Case, action: str
) -> bool:
    """Whether the files still hold the images that are shown, or the user agrees to go on."""
    if not case.has_changed_images:
        return True
    text = (
        f"{case_title(viewer, case)}: {no_longer_shown(case)}. The regions belong to the images in "
        f"the window and cannot be written to that folder.\n\n{action}?"
    )
    return questions.confirm(parent, "Other images in the folder", text, action)


def may_use_outdated(parent: QWidget | None, viewer: ViewerModel, case: Case, action: str) -> bool:
    """Whether no image was changed after the regions were made, or the user agrees to go on."""
    if not is_outdated(viewer.layers, case):
        return True
    title = case_title(viewer, case)
    text = (
        f"{title}: the images were changed after this segmentation, so its regions may not fit. To "
        f"update them, cancel and segment the case again.\n\n{action}?"
    )
    return questions.confirm(parent, "Segmentation of earlier images", text, action)


def may_omit_regions(parent: QWidget | None, viewer: ViewerModel, case: Case, action: str) -> bool:
    """Whether all regions of a case are there and shown, or the user agrees to go on.

    Parameters
    ----------
    parent : QWidget or None
    viewer : ViewerModel
    case : Case
        A case without any region layer, such as one with an expert's mask, needs no question.
    action : str
        Text of the button that goes on.
    """
    unseen = unseen_regions(viewer.layers, case)
    if not unseen:
        return True
    title = case_title(viewer, case)
    volumes = volumes_ml(region_layers(viewer.layers, case), case)
    missing = {region for region, state in unseen if state == "missing"}
    states = [
        f"{region.name} is {state}: "
        + (
            without_text(region, missing)
            if state == "missing"
            else f"its {volume_text(volumes[region])} ml are included anyway"
        )
        for region, state in unseen
    ]
    text = f"{title}: {'. '.join(states)}.\n\n{action}?"
    return questions.confirm(parent, "Missing or hidden regions", text, action)


def may_leave_other_regions(
    parent: QWidget | None, viewer: ViewerModel, case: Case, action: str
) -> bool:
    """Whether the patient has no other regions, such as those of a file, or the user agrees."""
    patient = patient_of_shown_case(viewer.layers, case)
    regions = [x for x in layers_of_patient(viewer.layers, patient) if region_of(x) is not None]
    used = [x.name for x in regions if same_case(case_of(x), case)]
    others = [x.name for x in regions if not same_case(case_of(x), case)]
    if not others:
        return True
    text = (
        f"{active_patient(viewer).title_of(patient)} has regions more than once: "
        f"{', '.join(used)} will be used, and {', '.join(others)} left out. To use the others, "
        f"cancel and remove the first.\n\n{action}?"
    )
    return questions.confirm(parent, "Regions that are left out", text, action)


def may_leave_drawings(
    parent: QWidget | None, viewer: ViewerModel, case: Case, action: str
) -> bool:
    """Whether no mask was drawn beside the regions, such as in a copy, or the user agrees."""
    patient = patient_of_shown_case(viewer.layers, case)
    names = masks_beside_regions(viewer.layers, patient)
    if not names:
        return True
    which = f"{', '.join(names)} {'is not a region' if len(names) == 1 else 'are not regions'}"
    text = (
        f"{active_patient(viewer).title_of(patient)}: {which} and will be left out; to save what "
        f"is painted there, use File > Save Selected Layers.\n\n{action}?"
    )
    return questions.confirm(parent, "Labels that are left out", text, action)
