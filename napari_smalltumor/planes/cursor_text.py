"""What is at a point of the planes, for napari's status bar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from smalltumor.geometry.grid import UPRIGHT_AXES, reoriented
from smalltumor.text import position_text

from napari_smalltumor.layers.editing.earlier_scan import title_of_earlier_scan
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.layers.titles import name_without_patient
from napari_smalltumor.planes.placement import Placement

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_smalltumor.planes.plane import Point

_GAP = "   "
_FOUR_DIGITS = 1000


def text_at(drawn: Iterable[tuple[Layer, Placement | None]], point: Point) -> str:
    """Value of the topmost image, the masks, and the position at a point.

    Parameters
    ----------
    drawn : iterable of (Layer, Placement or None)
        Images and labels that are drawn, from bottom to top.
    point : tuple of float
        World coordinates.

    Returns
    -------
    str
        Such as ``T1CE 812   ET, TC, WT   x −23.4  y 12.1  z 40.2 mm``. The position is that in the
        patient, as scanners count; it is left out if the images have none.
    """
    there = [(layer, voxel) for layer, place in drawn if (voxel := _voxel(place, point))]
    images = [each for each in there if each[0]._type_string == "image"]
    masks = [
        layer for layer, v in reversed(there) if layer._type_string == "labels" and layer.data[v]
    ]
    parts = [_image_text(*images[-1])] if images else []
    if masks:
        parts.append(", ".join(name_without_patient(layer) for layer in masks))
    parts += [text for layer, voxel in images[-1:] if (text := _position_text(layer, voxel))]
    return _GAP.join(parts)


def _voxel(place: Placement | None, point: Point) -> tuple[int, ...]:
    """Index of the voxel at a point; empty outside the layer."""
    if place is None:
        return ()
    index = np.rint(place.voxel(point)).astype(int)
    is_inside = bool(np.all(index >= 0) and np.all(index < place.shape))
    return tuple(int(n) for n in index) if is_inside else ()


def _image_text(layer: Layer, voxel: tuple[int, ...]) -> str:
    name = title_of_earlier_scan(layer) or name_without_patient(layer)
    return f"{name} {_number(layer.data[voxel])}"


def _number(value: Any) -> str:
    """Four digits, but those before the point all: no exponent."""
    if not isinstance(value, np.floating):
        return f"{value}"
    return f"{value:.0f}" if abs(value) >= _FOUR_DIGITS else f"{value:.4g}"


def _position_text(layer: Layer, voxel: tuple[int, ...]) -> str:
    case = case_of(layer)
    if case is None:
        return ""
    left_posterior_inferior = voxel[::-1]
    position = reoriented(case.grid, UPRIGHT_AXES).to_patient(left_posterior_inferior)
    return f"{position_text(position, decimals=1)} mm"
