"""Window and level: the contrast limits of an image, changed by dragging.

As in the viewers that radiologists use, dragging to the right widens the window and lowers the
contrast; dragging down raises its level and darkens the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari_smalltumor.layers.create import contrast_limits
from napari_smalltumor.layers.metadata import role_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

Limits = tuple[float, float]

_PIXELS_PER_WINDOW = 300.0
"""Dragging over this many pixels changes window or level by the window at the start."""

_MIN_FACTOR = 0.01
"""The window is at least this share of the one at the start of a drag."""

_RIGHT_BUTTON = 2


def image_to_window(viewer: ViewerModel) -> Image | None:
    """The topmost visible image of the active patient, or of no known one."""
    shown = active_patient(viewer).layers_in_use
    images = [x for x in shown if x.visible and x._type_string == "image" and not x.rgb]
    return images[-1] if images else None


def dragged_limits(start: Limits, right: float, down: float) -> Limits:
    """The contrast limits after a drag.

    Parameters
    ----------
    start : (low, high)
        Limits at the start of the drag.
    right, down : float
        Pixels since the start.
    """
    low, high = start
    window, level = high - low, (high + low) / 2
    step = window / _PIXELS_PER_WINDOW
    new_window = max(window + right * step, _MIN_FACTOR * window)
    new_level = level + down * step
    return new_level - new_window / 2, new_level + new_window / 2


def reset_window(layer: Image) -> None:
    """Give an image the contrast limits with which it was opened."""
    role = role_of(layer)
    layer.contrast_limits = contrast_limits(layer.data, role.modality if role is not None else None)


_CONNECTED: WeakSet[ViewerModel] = WeakSet()


def ensure_window_dragging(viewer: ViewerModel) -> None:
    """Change the window by dragging with Shift and the right button on napari's canvas.

    napari itself zooms with the right button, but not if a modifier is held.
    """
    viewer = unproxied(viewer)
    if viewer not in _CONNECTED:
        _CONNECTED.add(viewer)
        viewer.mouse_drag_callbacks.append(_drag)


def _drag(viewer: ViewerModel, event: Any) -> Iterator[None]:
    if event.button != _RIGHT_BUTTON or "Shift" not in event.modifiers:
        return
    layer = image_to_window(viewer)
    if layer is None:
        return
    start, (x, y) = layer.contrast_limits, event.pos
    yield
    while event.type == "mouse_move":
        layer.contrast_limits = dragged_limits(tuple(start), event.pos[0] - x, event.pos[1] - y)
        yield
