"""napari's canvas is black with the first file, whatever the theme."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel

from napari_smalltumor.viewer_setup import set_up


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_canvas_is_black(theme):
    viewer = ViewerModel()
    set_up(viewer)
    viewer.theme = theme
    assert tuple(viewer.canvas.background_color_override) == (0, 0, 0, 1)


def test_a_colour_that_the_user_has_chosen_stays():
    viewer = ViewerModel()
    viewer.canvas.background_color_override = "gray"
    chosen = tuple(viewer.canvas.background_color_override)
    set_up(viewer)
    assert tuple(viewer.canvas.background_color_override) == chosen
    viewer.canvas.background_color_override = None
    set_up(viewer)
    assert viewer.canvas.background_color_override is None
