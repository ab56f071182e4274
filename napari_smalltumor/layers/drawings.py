"""Layers that a user drew beside those of a case, such as a copy of a region that was painted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.layers.patient import Patient, layers_of_patient

if TYPE_CHECKING:
    from napari.layers import Layer


def holds_drawing(layer: Layer) -> bool:
    """Whether a layer, such as a copy of a region, was drawn in the viewer and is in no file."""
    from napari.layers import Labels, Points, Shapes

    if role_of(layer) is not None or layer.source.path is not None:
        return False
    if isinstance(layer, Labels):
        return bool(np.any(layer.data))
    return isinstance(layer, Points | Shapes) and len(layer.data) > 0


def is_new(layer: Layer) -> bool:
    """Whether the user has just created a layer: nothing is in it yet, and no plugin made it."""
    from napari.layers import Labels, Points, Shapes

    if layer.source.widget is not None or layer.source.parent is not None:
        return False
    if isinstance(layer, Labels):
        return not layer.multiscale and not np.any(layer.data)
    return isinstance(layer, Points | Shapes) and len(layer.data) == 0


def masks_beside_regions(layers: Iterable[Layer], patient: Patient) -> list[str]:
    """Names of drawn masks of a patient, which look like regions and are none."""
    from napari.layers import Labels

    own = layers_of_patient(layers, patient)
    return [x.name for x in own if isinstance(x, Labels) and holds_drawing(x)]
