"""napari hands its menu commands a viewer behind a proxy that hides private attributes."""

from __future__ import annotations

from typing import TypeVar

Object = TypeVar("Object")


def unproxied(viewer: Object) -> Object:
    """The viewer itself, so that it is one and the same however we came by it."""
    return getattr(viewer, "__wrapped__", viewer)
