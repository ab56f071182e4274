"""napari writers (File > Save): NIfTI files on the grid of the case, with its header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.data.volumes.nifti import is_nifti_name
from smalltumor.errors import OutputError
from smalltumor.files.existence import exists

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.calling_viewer import calling_viewer
from napari_smalltumor.export.layer_files import write_layer, write_region_layers
from napari_smalltumor.export.other_patients import other_folder_text, other_name_text
from napari_smalltumor.layers.masks.incomplete_results import check_complete
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_smalltumor.layers.create import LayerData


def write_labels(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer: a region as 0 and 1, tissue classes in the user's label scheme."""
    return [_write_one(path, (data, attributes, "labels"))]


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image layer."""
    return [_write_one(path, (data, attributes, "image"))]


def write_layers(path: str, layer_data: list[LayerData]) -> list[str]:
    """Write the region layers of a case as one label file in the user's label scheme."""
    _check_patient([data for data, _, _ in layer_data], Path(path))
    written = write_region_layers(
        Path(path),
        layer_data,
        scheme=settings.get("scheme"),
        overwrite=_may_overwrite(Path(path)),
        layers=_viewer_layers(),
    )
    _finish([data for data, _, _ in layer_data], written)
    return [str(written)]


def _write_one(path: str, layer_data: LayerData) -> str:
    _check_patient([layer_data[0]], Path(path))
    written = write_layer(
        Path(path),
        layer_data,
        scheme=settings.get("scheme"),
        overwrite=_may_overwrite(Path(path)),
        layers=_viewer_layers(),
    )
    _finish([layer_data[0]], written)
    return str(written)


def _check_patient(saved: Sequence[Any], path: Path) -> None:
    """Refuse to write hidden layers of a patient that is not active, or to files of another one.

    Raises
    ------
    OutputError
        If a layer with these data belongs to such a patient, or is a region of a result of which
        others are still being added; if the folder holds images of another open patient or of
        another case of the name; or if the file exists and is named after another patient.
    """
    viewer = calling_viewer()
    if viewer is None:
        return
    patients = active_patient(viewer)
    for layer in _layers_with(saved, viewer):
        patient = patient_of(layer)
        if patient is None:
            continue
        if patient != patients.current:
            raise OutputError(
                f"{layer.name} was not saved: it belongs to {patients.title_of(patient)}, who is "
                "not the active patient"
            )
        check_complete([layer], patients.title_of(patient))
        text = other_folder_text(viewer, patient, path.parent)
        if text:
            raise OutputError(f"{layer.name} was not saved: {text} Choose another folder")
        text = other_name_text(viewer, patient, path, "layers")
        if text and _may_exist(path):
            raise OutputError(f"{layer.name} was not saved: {text} Choose another name")


def _may_exist(path: Path) -> bool:
    """Whether there is something at a path, or that cannot be told."""
    try:
        return exists(path)
    except OSError:
        return True


def _layers_with(saved: Sequence[Any], viewer: ViewerModel) -> list[Layer]:
    return [layer for layer in viewer.layers if any(layer.data is data for data in saved)]


def _finish(saved: Sequence[Any], written: Path) -> None:
    """Mark the layers with these data as exported in the autosave, and name their file.

    Scripts save as well, so that the name of another patient is a warning and no question.
    """
    viewer = calling_viewer()
    if viewer is not None:
        layers = _layers_with(saved, viewer)
        ensure_autosave(viewer).autosave.mark_exported(layers)
        notify.info(f"Wrote {written.name} to {written.parent}")
        owners = {patient for layer in layers if (patient := patient_of(layer)) is not None}
        for patient in owners:
            text = other_name_text(viewer, patient, written, "layers")
            if text:
                notify.warn(text)


def _viewer_layers() -> list[Layer]:
    viewer = calling_viewer()
    return [] if viewer is None else list(viewer.layers)


def _may_overwrite(path: Path) -> bool:
    """Whether napari's save dialog has asked before replacing the file.

    It asks only about the name that it returns, so a name with an added suffix was not checked.
    """
    return is_nifti_name(path) and calling_viewer() is not None
