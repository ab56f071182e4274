"""The dialog that saves labels from a file, such as an expert's mask, to another file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.data.masks.mask_paths import check_mask_path
from smalltumor.data.naming.export_names import new_edited_labels
from smalltumor.errors import SmalltumorError
from smalltumor.files.transactions.recovery import existing

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.case_export import with_suffix
from napari_smalltumor.export.dialogs.other_patients_file import confirm_other_patients_file
from napari_smalltumor.export.dialogs.replaced_files import confirm_replacing_files
from napari_smalltumor.export.layer_files import write_layer
from napari_smalltumor.export.source_files import check_no_source
from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.output_folder import output_folder, remember_output_folder

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from smalltumor.data.case import Case

_OF_FILES = (LayerKind.TISSUE_CLASSES, LayerKind.LABELS)


def labels_case(layer: Layer | None) -> Case | None:
    """The case of labels that were read from a file; None of any other layer."""
    role = role_of(layer) if layer is not None else None
    return role.case if role is not None and role.kind in _OF_FILES else None


def ask_and_save_labels(viewer: ViewerModel, layer: Layer, parent: QWidget | None) -> Path | None:
    """Ask for a file name beside the images, and write the labels with their edits.

    Returns
    -------
    Path or None
        The file; None if the user cancelled, or it could not be written.
    """
    case = labels_case(layer)
    assert case is not None
    patient = patient_of_shown_case(viewer.layers, case)
    start = new_edited_labels(output_folder(viewer, patient), case.name)
    chosen, _ = QFileDialog.getSaveFileName(
        *(parent, f"Save {layer.name}", str(start), "NIfTI (*.nii.gz *.nii)"),
        options=QFileDialog.Option.DontConfirmOverwrite,  # asked below, of the completed name
    )
    if not chosen:
        return None
    try:
        path = with_suffix(Path(chosen))
        replaced = existing([path])
        check_no_source(replaced, viewer.layers)
        check_mask_path(path, case.name)
        if not confirm_other_patients_file(parent, viewer, patient, path, "labels"):
            return None
        if replaced and not confirm_replacing_files(parent, [path], layer.name):
            return None
        written = write_layer(
            path,
            layer.as_layer_data_tuple(),
            scheme=settings.get("scheme"),
            overwrite=bool(replaced),
            layers=viewer.layers,
        )
    except SmalltumorError as error:
        notify.report_error(error)
        return None
    ensure_autosave(viewer).autosave.mark_exported([layer])  # no masks that open as regions
    remember_output_folder(patient, written)
    notify.info(f"Wrote {written.name} to {written.parent}")
    return written
