"""Keep the results of functions that napari and vispy compute again for each viewer.

Each function depends on its arguments only. A test in a window takes a quarter less time with them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

import numpy as np
import pytest
from napari.utils.events import EventEmitter
from vispy.visuals.shaders import parsing
from vispy.visuals.shaders.function import Function
from vispy.visuals.text.text import SDFRendererCPU

Signature = tuple[str, list[tuple[str, ...]], str]
"""Name, arguments and returned type of a shader's function."""


def keep_results(patch: pytest.MonkeyPatch) -> None:
    """Replace the functions until `patch` is undone."""
    check = _kept_by_code(EventEmitter._check_signature)
    patch.setattr(EventEmitter, "_check_signature", staticmethod(check))
    patch.setattr(EventEmitter, "disconnect", _disconnect_if_connected)
    clean = cache(lambda code: _clean_code(None, code))
    patch.setattr(Function, "_clean_code", lambda self, code: clean(code))
    parse = cache(parsing.parse_function_signature)
    patch.setattr(parsing, "parse_function_signature", lambda code: _with_own_list(parse(code)))
    patch.setattr(SDFRendererCPU, "render_to_texture", _render)


_disconnect = EventEmitter.disconnect


def _disconnect_if_connected(emitter: EventEmitter, callback: Any = None) -> None:
    """Look for a callback only where there is any: napari asks each emitter of each layer."""
    if emitter.callbacks:
        _disconnect(emitter, callback)


def _kept_by_code(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Keep what `check` says of a callback; functions of one code have one signature."""
    kept: dict[tuple[CodeType, bool], bool] = {}

    def checked(callback: Any) -> bool:
        called = type(callback).__call__ if isinstance(callback, EventEmitter) else callback
        code = getattr(called, "__code__", None)
        if code is None or hasattr(callback, "__wrapped__") or hasattr(callback, "__signature__"):
            return check(callback)
        key = code, called is not callback or inspect.ismethod(callback)
        if key not in kept:
            kept[key] = check(callback)
        return kept[key]

    return checked


def _with_own_list(signature: Signature) -> Signature:
    name, arguments, returned = signature
    return name, list(arguments), returned


_clean_code = Function._clean_code
_render_to_texture = SDFRendererCPU.render_to_texture
_bitmaps: dict[tuple[tuple[int, ...], bytes, tuple[int, int]], np.ndarray] = {}


class _Bitmap:
    """Stands for a texture and keeps what is drawn."""

    pixels: np.ndarray

    def __setitem__(self, place: object, pixels: np.ndarray) -> None:
        self.pixels = pixels


def _render(renderer, glyph: np.ndarray, texture, offset, size: tuple[int, int]) -> None:
    """Draw a glyph, computing its distance field only once."""
    key = glyph.shape, glyph.tobytes(), size
    if key not in _bitmaps:
        drawn = _Bitmap()
        _render_to_texture(renderer, glyph, drawn, (0, 0), size)
        _bitmaps[key] = drawn.pixels
    (x, y), (width, height) = offset, size
    texture[y : y + height, x : x + width, :] = _bitmaps[key]
