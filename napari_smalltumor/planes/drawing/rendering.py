"""Colours of one slice of a layer, as napari shows them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import READ_SCHEMES

from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.planes.plane import Plane

if TYPE_CHECKING:
    from napari.layers import Image, Labels

Pixels = npt.NDArray[np.uint8]
"""Colours (row, column, RGBA), not multiplied by their opacity."""

_GREY_LEVELS = 256

_OUTER_TO_INNER = (
    TissueClass.BACKGROUND,
    TissueClass.ED,
    TissueClass.NCR,
    TissueClass.ET,
)


def slice_of(data: npt.ArrayLike, plane: Plane, index: int) -> npt.NDArray[np.generic]:
    """One slice (row, column) of a volume (I, P, L); a view if the volume is an array."""
    where: list[slice | int] = [slice(None)] * 3
    where[plane.sliced] = index
    return np.asarray(data[tuple(where)])  # type: ignore[index, call-overload]


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
    """Colours of a slice (row, column) of filled labels."""
    found, positions = np.unique(values, return_inverse=True)
    return np.ascontiguousarray(_colours(layer, found)[positions.reshape(values.shape)])


def outlines(
    layer: Labels, values: npt.NDArray[np.integer]
) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int_]]]:
    """Edges between the pixels of each label and others, which cover no pixel of a small lesion.

    Parameters
    ----------
    layer : Labels
    values : (row, column) int array
        A slice.

    Returns
    -------
    list of (colour, edges)
        RGBA, and x and y of both ends of each edge (edge, 4), in pixels from the upper left corner
        of the slice. Transparent labels have none. An edge between two labels is in the list of
        both; that of the inner one comes later, so that it is the one that is seen.
    """
    found = _from_outer_to_inner(layer, values)
    return [
        (colour, edges_of(values == label))
        for label, colour in zip(found, _colours(layer, found), strict=True)
        if label != layer.colormap.background_value and colour[3]
    ]


def _from_outer_to_inner(layer: Labels, values: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Labels of a slice: tissue classes from edema to enhancing tumour, others by their size."""
    found, counts = np.unique(values, return_counts=True)
    role = role_of(layer)
    scheme = READ_SCHEMES.get(role.scheme or "") if role is not None else None
    if scheme is None:
        return found[np.argsort(-counts, kind="stable")]
    classes = scheme.classes
    ranks = [_OUTER_TO_INNER.index(classes.get(int(label), _OUTER_TO_INNER[0])) for label in found]
    return found[np.argsort(ranks, kind="stable")]


def joined(edges: npt.NDArray[np.int_]) -> list[list[tuple[int, int]]]:
    """Join the edges of a mask to closed lines, along which a pattern of dashes can run.

    Parameters
    ----------
    edges : (edge, 4) int array
        x and y of both ends, as from `outlines`.

    Returns
    -------
    list of lists of (x, y)
        The last point of a line is its first one.
    """
    neighbours: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for x, y, other_x, other_y in edges.tolist():
        neighbours[x, y].append((other_x, other_y))
        neighbours[other_x, other_y].append((x, y))
    lines = []
    for start in list(neighbours):
        while neighbours[start]:
            line = [start]
            while neighbours[line[-1]]:
                following = neighbours[line[-1]].pop()
                neighbours[following].remove(line[-1])
                line.append(following)
            lines.append(line)
    return lines


def edges_of(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """Edges of a mask (row, column): x and y of both ends of each edge, (edge, 4)."""
    padded = np.pad(mask, 1)
    row, column = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    upright = np.stack([column, row, column, row + 1], axis=1)
    row, column = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    level = np.stack([column, row, column + 1, row], axis=1)
    return np.concatenate([upright, level])


def _colours(layer: Labels, labels: npt.NDArray[np.integer]) -> Pixels:
    return _to_bytes(np.atleast_2d(layer.colormap.map(labels)))


def _to_bytes(colours: npt.NDArray[np.floating]) -> Pixels:
    return np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)
