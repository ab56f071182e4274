"""Restore saved masks into existing layers, or as new layers."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.data.case import Case
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor.autosave.mask_files import SavedMask
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.create import LayerData, labels_layer, plain_labels_layer
from napari_smalltumor.layers.drawing_errors import DrawingErrors
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.layers.metadata import (
    LayerKind,
    case_of,
    checksum,
    region_layers,
    region_of,
    role_of,
    same_case,
    set_role,
)
from napari_smalltumor.layers.selection import selection_untouched
from napari_smalltumor.layers.titles import name_in_case

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

_BOTTOM_TO_TOP = ("wt", "tc", "et")


def restore(
    viewer: ViewerModel,
    case: Case,
    masks: Iterable[SavedMask],
    drawing_errors: DrawingErrors | None = None,
) -> list[Labels]:
    """Restore the saved masks of a case in the viewer.

    They are shown, but for those that `restored_hidden` tells.

    Parameters
    ----------
    viewer : ViewerModel
    case : Case
    masks : iterable of SavedMask
    drawing_errors : DrawingErrors, optional
        Of a caller who does more before such an error is raised.

    Returns
    -------
    list of Labels
        The layers with the restored masks.

    Raises
    ------
    GridMismatchError
        If a mask does not fit the case's grid. The viewer is then unchanged.
    Exception
        The first one of what draws the layers, after all masks have been restored.
    """
    masks = list(masks)
    volumes = [(mask, mask.on_grid(case.grid.shape)) for mask in masks]
    hidden = restored_hidden(viewer, case, masks)
    volumes.sort(key=lambda pair: _BOTTOM_TO_TOP.index(pair[0].region) if pair[0].region else -1)
    layers = []
    with drawing_errors or DrawingErrors() as errors, ensure_nesting(viewer).replacing(case):
        for mask, volume in volumes:
            layer = _layer_of(viewer, case, mask)
            visible = mask.region is not None or mask.name not in hidden
            if layer is None:
                layer = _create(case, mask, volume, visible=visible)
                _keep_other_images(layer, mask)
                with errors.kept(), nullcontext() if visible else selection_untouched(viewer):
                    viewer.add_layer(layer)
            else:
                data = np.array(to_display(volume, case.grid), order="C")
                with errors.kept():
                    layer.data = data
                _keep_maker(layer, mask)
                _keep_other_images(layer, mask)
            with errors.kept():
                layer.visible = visible
            layers.append(layer)
    return layers


def restored_hidden(viewer: ViewerModel, case: Case, masks: Iterable[SavedMask]) -> list[str]:
    """Names of the masks from files, such as an expert's, that are restored beside regions.

    As when a case is opened, the regions hide them: they have the same colours, and the reader of a
    worklist must not see an expert's mask.
    """
    masks = list(masks)
    if not region_layers(viewer.layers, case) and all(mask.region is None for mask in masks):
        return []
    of_files = [m for m in masks if m.region is None and m.scheme is not None and not m.predicted]
    return [mask.name for mask in of_files]


def _keep_maker(layer: Labels, mask: SavedMask) -> None:
    """Have a layer record what made the mask that it holds now, and not the mask before."""
    role = role_of(layer)
    if role is not None:
        made = checksum(layer.data) if mask.made_by is not None else None
        kept = replace(role, result=None, checksum=None, read_from="", placement="")
        set_role(layer, replace(kept, made_by=mask.made_by, made_checksum=made))


def _keep_other_images(layer: Labels, mask: SavedMask) -> None:
    """Have a layer warn of the file of the mask that it holds now, and not of the mask before."""
    role = role_of(layer)
    if role is not None and role.other_images != mask.other_images:
        set_role(layer, replace(role, other_images=mask.other_images))


def _layer_of(viewer: ViewerModel, case: Case, mask: SavedMask) -> Labels | None:
    from napari.layers import Labels

    if mask.region is not None:
        return region_layers(viewer.layers, case).get(mask.region)
    for layer in viewer.layers:
        of_case = isinstance(layer, Labels) and same_case(case_of(layer), case)
        if of_case and name_in_case(layer) == mask.name and region_of(layer) is None:
            return layer
    return None


def _layer_data(case: Case, mask: SavedMask, volume: np.ndarray) -> LayerData:
    if mask.region is not None:
        return region_layer(case, mask.region, volume != 0, made_by=mask.made_by)
    if mask.scheme is not None and mask.scheme in SCHEMES:
        kind = LayerKind.PREDICTION if mask.predicted else LayerKind.TISSUE_CLASSES
        return labels_layer(
            case,
            volume,
            SCHEMES[mask.scheme],
            mask.name,
            kind=kind,
            made_by=mask.made_by,
            known=mask.known,
        )
    return plain_labels_layer(case, volume, mask.name)


def _create(case: Case, mask: SavedMask, volume: np.ndarray, *, visible: bool) -> Labels:
    from napari.layers import Labels, Layer

    data, attributes, kind = _layer_data(case, mask, volume)
    layer = Layer.create(data, {**attributes, "visible": visible}, kind)
    assert isinstance(layer, Labels)
    return layer
