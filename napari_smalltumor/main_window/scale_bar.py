"""napari's scale bar, whose first drawing would hold the window for 0.3 s."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_smalltumor.main_window.planes_window import planes_window

if TYPE_CHECKING:
    from napari.components import ViewerModel

_GLYPHS = "ÅÉÑŐjgpqy 0125m"
"""What vispy measures the height of a line with, and what most lengths are written with."""


def show_scale_bar(viewer: ViewerModel) -> None:
    """Show the scale bar of napari's canvas."""
    for _ in scale_bar_steps(viewer):
        pass


def scale_bar_steps(viewer: ViewerModel) -> Iterator[None]:
    """Do what `show_scale_bar` does in short steps, for a turn of the event loop each.

    The glyphs take a third of the first drawing; napari would compute all of them at once.
    """
    window = planes_window(viewer)
    bar = viewer.canvas.overlays.scale_bar
    if window is None or bar.visible:
        return
    fonts = window.napari_canvas.canvas.font_info()
    font = fonts.font_manager.get_font(fonts.face)
    for glyph in _GLYPHS:
        font[glyph]
        yield
    bar.visible = True
    yield
