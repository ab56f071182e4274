"""Colours of one slice of a layer, as napari shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_smalltumor.planes.plane import Plane

if TYPE_CHECKING:
    from napari.layers import Image, Labels

Pixels = npt.NDArray[np.uint8]
"""Colours (row, column, RGBA), not multiplied by their opacity."""

_GREY_LEVELS = 256


def slice_of(data: npt.ArrayLike, plane: Plane, index: int) -> npt.NDArray[np.generic]:
    """One slice (row, column) of a volume (I, P, L); a view if the volume is an array."""
    where: list[slice | int] = [slice(None)] * 3
    where[plane.sliced] = index
    return np.asarray(data[tuple(where)])  # type: ignore[index]


def image_pixels(layer: Image, values: npt.NDArray[np.generic]) -> Pixels:
    """Colours of a slice (row, column) with the layer's contrast limits, gamma and colormap."""
    low, high = layer.contrast_limits
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(1 / max(high - low, 1e-12))
    scaled = np.clip(np.nan_to_num(scaled, copy=False), 0, 1)
    if layer.gamma != 1:
        scaled **= np.float32(layer.gamma)
    levels = (scaled * (_GREY_LEVELS - 1)).astype(np.uint8)
    table = layer.colormap.map(np.linspace(0, 1, _GREY_LEVELS, dtype=np.float32))
    return np.ascontiguousarray(_to_bytes(table)[levels])


def labels_pixels(layer: Labels, values: npt.NDArray[np.integer]) -> Pixels:
    """Colours of a slice (row, column) of labels, filled or as outlines."""
    if layer.contour > 0:
        inside = _interior(values, int(layer.contour))
        values = np.where(inside, layer.colormap.background_value, values).astype(values.dtype)
    found, positions = np.unique(values, return_inverse=True)
    table = _to_bytes(np.atleast_2d(layer.colormap.map(found)))
    return np.ascontiguousarray(table[positions.reshape(values.shape)])


def _interior(values: npt.NDArray[np.integer], width: int) -> npt.NDArray[np.bool_]:
    """Pixels that are further than an outline's width from pixels of another label."""
    padded = np.pad(values, 1, mode="edge")
    centre = padded[1:-1, 1:-1]
    alike = (centre == padded[:-2, 1:-1]) & (centre == padded[2:, 1:-1])
    alike &= (centre == padded[1:-1, :-2]) & (centre == padded[1:-1, 2:])
    if width > 1:
        alike = ndimage.binary_erosion(alike, iterations=width - 1, border_value=1)
    return np.asarray(alike)


def _to_bytes(colours: npt.NDArray[np.floating]) -> Pixels:
    return np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)
