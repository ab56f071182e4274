"""The viewer behind napari's proxies, its window, and its 3D camera."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.qt import QtViewer
    from qtpy.QtWidgets import QMainWindow

Object = TypeVar("Object")

Direction = tuple[float, float, float]
"""Components towards inferior, posterior and left, in the order of the world axes."""

FROM_THE_FRONT: Direction = (0.0, 1.0, 0.0)
UP: Direction = (-1.0, 0.0, 0.0)
_DEFAULT_ANGLES = (0.0, 0.0, 0.0)


def view_from_front(viewer: ViewerModel) -> None:
    """Point the 3D camera at the front of the head, unless the user has moved it.

    By default, napari looks along the first axis, from below the head. 2D views ignore the angles.
    """
    if tuple(viewer.scene.camera.angles) == _DEFAULT_ANGLES:
        look_along(viewer, FROM_THE_FRONT)


def look_along(viewer: ViewerModel, direction: Direction) -> None:
    """Set the 3D view direction, with the top of the head up."""
    viewer.scene.camera.set_view_direction(direction, UP)


def unproxied(viewer: Object) -> Object:
    """Return the viewer that a proxy wraps, or the viewer itself.

    napari passes menu commands a proxy that hides the viewer's private attributes. The proxy and
    the viewer must count as the same viewer.
    """
    return getattr(viewer, "__wrapped__", viewer)


def one_per_viewer(make: Callable[[ViewerModel], Object]) -> Callable[[ViewerModel], Object]:
    """Call a function once for each viewer; further calls return what it returned first.

    The viewer behind a proxy is meant. The object lives as long as the viewer, which it must not
    keep alive itself.
    """
    objects: WeakKeyDictionary[ViewerModel, Object] = WeakKeyDictionary()

    @wraps(make)
    def of(viewer: ViewerModel) -> Object:
        viewer = unproxied(viewer)
        if viewer not in objects:
            objects[viewer] = make(viewer)
        return objects[viewer]

    return of


def qt_main_window(viewer: ViewerModel) -> QMainWindow | None:
    """The window of a viewer, for its dialogs; None if the viewer has no window."""
    found = window_and_canvas(viewer)
    return None if found is None else found[0]


def window_and_canvas(viewer: ViewerModel) -> tuple[QMainWindow, QtViewer] | None:
    """The window of a viewer and napari's canvas in it; None if the viewer has no window."""
    from qtpy.QtWidgets import QApplication, QMainWindow

    if QApplication.instance() is None:
        return None
    from napari.qt import QtViewer

    viewer = unproxied(viewer)
    for window in QApplication.topLevelWidgets():
        if isinstance(window, QMainWindow):
            for canvas in window.findChildren(QtViewer):
                if canvas.viewer is viewer:
                    return window, canvas
    return None
