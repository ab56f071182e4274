"""The layer of the brain mask of a prepared scan, which can be painted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.data.case import Case

from napari_smalltumor.layers.coordinates import display_transform, from_display
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.masks.region_masks import display_mask
from napari_smalltumor.layers.metadata import LayerKind, LayerRole, role_of

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

_COLOUR = (0.25, 0.85, 0.85, 1.0)
"""RGBA; no region and no reference has this colour."""


def brain_mask_layer(case: Case, mask: npt.NDArray[np.bool_]) -> LayerData:
    """A hidden labels layer of a brain mask, (i, j, k) bool on the grid of the case."""
    attributes = {
        "name": f"{case.name} brain mask",
        "colormap": {None: _COLOUR, 0: "transparent", 1: _COLOUR},
        "blending": "translucent_no_depth",
        "opacity": 1.0,
        "visible": False,
        "metadata": LayerRole(LayerKind.BRAIN, case).metadata(),
        **display_transform(case.grid),
    }
    return display_mask(mask, case), attributes, "labels"


def brain_mask_of(layers: Iterable[Layer]) -> Labels | None:
    """The brain mask among the layers of a patient."""
    found = (x for x in layers if (r := role_of(x)) is not None and r.kind is LayerKind.BRAIN)
    return next(found, None)


def mask_of_layer(layer: Labels, case: Case) -> npt.NDArray[np.bool_]:
    """A copy of the mask of a layer, (i, j, k) bool on the grid of the case."""
    return np.array(from_display(np.asarray(layer.data), case.grid) != 0)
