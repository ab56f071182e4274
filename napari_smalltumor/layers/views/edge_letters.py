"""The directions of the patient at the edges of a view, as letters.

napari can transpose and roll the axes of its canvas, mirror it (*Orientation* of the camera) and
move a layer by its transform. The letters follow all of these: they are what tells left from right.
In 3D a direction has up to three letters, as DICOM's Patient Orientation (0020,0020) has: ``LA`` is
left, and less so anterior.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_smalltumor.layers.coordinates import AXIS_LABELS, uses_display_axes
from napari_smalltumor.layers.metadata import source_role_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

UNCLEAR = "?"
"""Written at an edge where visible layers of a patient have different directions."""

_OPPOSITE = str.maketrans("IPLSAR", "SARIPL")

_LEAST_SHARE = float(np.sin(np.radians(22.5)))
"""Component of a direction of length 1 from which its letter is written in 3D."""


@dataclass(frozen=True)
class Edges:
    """Letters of the directions at the edges: some of R, L, A, P, S, I, or `UNCLEAR`, or none."""

    left: str
    right: str
    top: str
    bottom: str


def edges_of_canvas(viewer: ViewerModel) -> Edges | None:
    """Letters at the edges of napari's canvas; None if no layer has known axes.

    Parameters
    ----------
    viewer : ViewerModel
        Its visible layers, displayed axes and camera are what is on the canvas.
    """
    layers = [layer for layer in viewer.layers if layer.visible]
    if not uses_display_axes(layers):
        return None
    first = viewer.dims.ndim - 3  # napari aligns the last axes of layers
    displayed = [axis - first for axis in viewer.dims.displayed]
    if viewer.dims.ndisplay == 3:
        return _edges_in_3d(viewer, displayed, layers)
    rows, columns = displayed
    vertical, horizontal = (str(towards) for towards in viewer.scene.camera.orientation2d)
    edges = edges_of_plane(rows, columns, layers)
    if vertical == "up":
        edges = Edges(edges.left, edges.right, edges.bottom, edges.top)
    if horizontal == "left":
        edges = Edges(edges.right, edges.left, edges.top, edges.bottom)
    return edges


def _edges_in_3d(
    viewer: ViewerModel, displayed: Sequence[int], layers: Iterable[Layer]
) -> Edges | None:
    """Letters in 3D; None if an axis before I, P and L, such as time, is displayed."""
    if min(displayed) < 0:
        return None
    camera = viewer.scene.camera
    ahead, up = np.array(camera.view_direction), np.array(camera.up_direction)
    right = np.cross(ahead, up) * (1 if str(camera.handedness) == "right" else -1)
    directions = np.zeros((2, 3))
    directions[:, displayed] = right, -up
    return edges_of_directions(directions[0], directions[1], layers)


def edges_of_plane(rows: int, columns: int, layers: Iterable[Layer]) -> Edges:
    """Letters at the edges of a plane whose rows run down and whose columns run to the right.

    Parameters
    ----------
    rows, columns : int
        World axes along which the rows follow each other, and the columns; 0, 1 and 2 are those of
        `layers.coordinates`, and an axis before them, such as time, has no letter.
    layers : iterable of Layer
        What is shown.
    """
    layers = [layer for layer in layers if _is_of_a_patient(layer)]
    return _with_opposites(_letter(columns, layers), _letter(rows, layers))


def edges_of_directions(
    right: npt.NDArray[np.float64], down: npt.NDArray[np.float64], layers: Iterable[Layer] = ()
) -> Edges:
    """Letters at the edges of a view that may be oblique.

    Parameters
    ----------
    right, down : (3,) array
        Directions on the screen along the world axes I, P and L.
    layers : iterable of Layer
        What is shown.
    """
    steps = [_steps(layer) for layer in layers if _is_of_a_patient(layer)] or [np.eye(3)]
    found = [{_letters_along(step, direction) for step in steps} for direction in (right, down)]
    return _with_opposites(*(each.pop() if len(each) == 1 else UNCLEAR for each in found))


def _with_opposites(right: str, bottom: str) -> Edges:
    return Edges(right.translate(_OPPOSITE), right, bottom.translate(_OPPOSITE), bottom)


def is_mirror_image(viewer: ViewerModel) -> bool:
    """Whether napari's canvas shows a head in 3D with left and right swapped.

    Turning the camera does not change it; its *Orientation*, the order of the axes, and the
    transform of a layer can.
    """
    layers = [layer for layer in viewer.layers if layer.visible]
    first = viewer.dims.ndim - 3
    axes = [axis - first for axis in viewer.dims.displayed]
    if viewer.dims.ndisplay != 3 or min(axes) < 0 or not uses_display_axes(layers):
        return False
    frame = np.eye(3)[axes] * (1 if str(viewer.scene.camera.handedness) == "right" else -1)
    steps = [_steps(layer) for layer in layers if _is_of_a_patient(layer)] or [np.eye(3)]
    return any(np.linalg.det(frame @ step) < 0 for step in steps)


def _is_of_a_patient(layer: Layer) -> bool:
    """Whether the axes of the layer's data, and not only the world's, are I, P and L."""
    return source_role_of(layer.metadata) is not None and tuple(layer.axis_labels) == AXIS_LABELS


def _letter(axis: int, layers: Sequence[Layer]) -> str:
    """The direction of the patient in which a world axis runs."""
    if axis < 0:
        return ""
    letters = {_letter_in(layer, axis) for layer in layers} or {AXIS_LABELS[axis]}
    return letters.pop() if len(letters) == 1 else UNCLEAR


def _letter_in(layer: Layer, axis: int) -> str:
    """The direction of a layer's data in which a world axis runs, or the nearest to it."""
    steps = _steps(layer)
    along = steps[:, axis] / np.linalg.norm(steps, axis=1)
    nearest = int(np.argmax(np.abs(along)))
    return _towards(nearest, along[nearest])


def _letters_along(steps: npt.NDArray[np.float64], direction: npt.NDArray[np.float64]) -> str:
    """The directions of a layer's data that a world direction is made of, the largest first."""
    along = steps @ direction / np.linalg.norm(steps, axis=1) / np.linalg.norm(direction)
    largest_first = np.argsort(-np.abs(along), kind="stable")
    return "".join(_towards(n, along[n]) for n in largest_first if abs(along[n]) > _LEAST_SHARE)


def _towards(axis: int, sign: float) -> str:
    letter = AXIS_LABELS[axis]
    return letter if sign > 0 else letter.translate(_OPPOSITE)


def _steps(layer: Layer) -> npt.NDArray[np.float64]:
    """World vectors (3, 3) from a voxel to the next along each axis of the data, as rows."""
    points = np.array([layer.data_to_world(point) for point in (np.zeros(3), *np.eye(3))])
    return np.asarray(points[1:] - points[0], dtype=np.float64)
