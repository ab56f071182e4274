"""napari's File > Save: NIfTI files on the source's grid with its header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.data.nifti import is_nifti_name

from napari_smalltumor import settings
from napari_smalltumor.autosave.watcher import keep_edits
from napari_smalltumor.export import write_layer, write_region_layers

if TYPE_CHECKING:
    from napari.layers import Layer


def write_labels(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer: a region as 0 and 1, tissue classes in the user's label scheme."""
    return [_write_one(path, data, attributes, labels=True)]


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image layer."""
    return [_write_one(path, data, attributes, labels=False)]


def write_layers(path: str, layer_data: list[tuple[Any, dict[str, Any], str]]) -> list[str]:
    """Write the region layers of a case as one label file in the user's scheme."""
    data, attributes, _ = zip(*layer_data, strict=True)
    where = Path(path)
    written = write_region_layers(
        where,
        list(attributes),
        list(data),
        scheme=settings.get("scheme"),
        overwrite=_agreed_to_overwrite(where),
    )
    _let_go(data)
    return [str(written)]


def _write_one(path: str, data: Any, attributes: dict[str, Any], *, labels: bool) -> str:
    where = Path(path)
    written = write_layer(
        where,
        data,
        attributes,
        labels=labels,
        scheme=settings.get("scheme"),
        overwrite=_agreed_to_overwrite(where),
        beside=_layers_of_the_viewer(),
    )
    _let_go([data])
    return str(written)


def _let_go(saved: Sequence[Any]) -> None:
    """Edits that a file of the user's holds need no autosave."""
    from napari.viewer import current_viewer

    viewer = current_viewer()
    if viewer is not None:
        layers = [layer for layer in viewer.layers if any(layer.data is data for data in saved)]
        keep_edits(viewer).autosave.exported(layers)


def _layers_of_the_viewer() -> list[Layer]:
    from napari.viewer import current_viewer

    viewer = current_viewer()
    return [] if viewer is None else list(viewer.layers)


def _agreed_to_overwrite(path: Path) -> bool:
    """Whether the save dialog has asked: it does for the very name it was given, in a window."""
    from napari.viewer import current_viewer

    return is_nifti_name(path) and current_viewer() is not None
