"""Keep the results of functions that vispy computes again for each viewer.

Each function depends on its arguments only.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from vispy.visuals.shaders import parsing
from vispy.visuals.shaders.function import Function
from vispy.visuals.text.text import SDFRendererCPU

Signature = tuple[str, list[tuple[str, ...]], str]
"""Name, arguments and returned type of a shader's function."""


def keep_drawings(patch: pytest.MonkeyPatch) -> None:
    """Replace the functions until `patch` is undone."""
    clean = cache(lambda code: _clean_code(None, code))
    patch.setattr(Function, "_clean_code", lambda self, code: clean(code))
    parse = cache(parsing.parse_function_signature)
    patch.setattr(parsing, "parse_function_signature", lambda code: _with_own_list(parse(code)))
    patch.setattr(SDFRendererCPU, "render_to_texture", _render)


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
