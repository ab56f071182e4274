"""Black round the images also in the light theme, where white glares beside dim lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_smalltumor.viewer import one_per_viewer, unproxied

if TYPE_CHECKING:
    from napari.components import ViewerModel

_BLACK = "black"


@one_per_viewer
def ensure_black_canvas(viewer: ViewerModel) -> str:
    """Make napari's canvas black, unless it has a colour of its own; what was chosen later stays.

    Returns
    -------
    str
        The colour.
    """
    canvas = unproxied(viewer).canvas
    if canvas.background_color_override is None:
        canvas.background_color_override = _BLACK
    return _BLACK
