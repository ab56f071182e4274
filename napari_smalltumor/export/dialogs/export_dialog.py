"""Export dialogs: ask for a file name, and write the regions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QWidget
from smalltumor.data.case import Case
from smalltumor.data.identity.mask_names import exports_of
from smalltumor.data.masks.mask_paths import check_mask_path
from smalltumor.data.volumes.nifti import is_nifti_name
from smalltumor.errors import SmalltumorError
from smalltumor.files.transactions.recovery import existing

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import (
    case_to_export,
    export_case,
    no_regions_text,
    suggested_name,
    targets,
    with_suffix,
)
from napari_smalltumor.export.dialogs.file_dialog import ask_for_file
from napari_smalltumor.export.dialogs.other_patients_file import confirm_other_patients_file
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.export.dialogs.replaced_files import confirm_replacing_files
from napari_smalltumor.export.dialogs.replaced_masks import note_on_replaced
from napari_smalltumor.export.native_grid import filters_of, named_for_grid
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.source_files import check_no_source
from napari_smalltumor.layers.changed_images import check_not_beside
from napari_smalltumor.layers.metadata import region_layers, role_of, set_role
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
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
    if case is None or not confirm_regions(parent, viewer, case, "Export anyway"):
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
        replaced = existing(targets(path, per_region=per_region))
        check_no_source(replaced, viewer.layers)
        check_not_beside([path], case)
        for target in targets(path, per_region=per_region):
            check_mask_path(target, case.name)
        if not confirm_other_patients_file(parent, viewer, patient, path, "regions"):
            return []
        note = partial(note_on_replaced, replaced, case, title)
        if replaced and not confirm_replacing_files(
            parent, replaced, f"the regions of {title}", note
        ):
            return []
        written = export_case(
            viewer,
            case,
            path,
            scheme=scheme,
            per_region=per_region,
            native=native,
            overwrite=bool(replaced),
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
        notify.error(no_regions_text(viewer, "to export"))
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
        _count_as_own(viewer, case)
        state.keep(case, written)
    else:
        state.refresh()
    notify.info(f"Wrote {', '.join(path.name for path in written)} to {written[0].parent}")


def _count_as_own(viewer: ViewerModel, case: Case) -> None:
    """The user agreed that regions of other images are the case's, as which they were saved."""
    for layer in region_layers(viewer.layers, case).values():
        role = role_of(layer)
        if role is not None and role.other_images:
            set_role(layer, replace(role, other_images=""))


def _is_opened_with(case: Case, written: list[Path]) -> bool:
    """Whether what was written is opened with the case."""
    exports = exports_of(case)
    return bool(exports) and all(file.path in written for file in exports[0])
