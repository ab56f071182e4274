"""Spare napari's events what they compute again for each layer: a seventh of opening a case."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

import pytest
from napari.utils.events import EventEmitter


def keep_signatures(patch: pytest.MonkeyPatch) -> None:
    """Replace methods of emitters, until `patch` is undone, by faster ones that do the same."""
    check = _kept_by_code(EventEmitter._check_signature)
    patch.setattr(EventEmitter, "_check_signature", staticmethod(check))
    patch.setattr(EventEmitter, "disconnect", _disconnect_if_connected)


_disconnect = EventEmitter.disconnect


def _disconnect_if_connected(emitter: EventEmitter, callback: Any = None) -> None:
    """Look for a callback only where there is any: napari asks each emitter of each layer."""
    if emitter.callbacks:
        _disconnect(emitter, callback)


def _kept_by_code(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Keep what `check` says of a callback; functions of one code have one signature."""
    kept: dict[tuple[int, bool], tuple[CodeType, bool]] = {}  # to hash a code takes long

    def checked(callback: Any) -> bool:
        called = type(callback).__call__ if isinstance(callback, EventEmitter) else callback
        code = getattr(called, "__code__", None)
        if code is None or hasattr(callback, "__wrapped__") or hasattr(callback, "__signature__"):
            return check(callback)
        key = id(code), called is not callback or inspect.ismethod(callback)
        if key not in kept:
            kept[key] = code, check(callback)
        return kept[key][1]

    return checked
