"""Words on napari's canvas go with the layer that they are about."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_smalltumor.follow_up.canvas_mark import CanvasMark

WORDS = "earlier scan: one"


@pytest.fixture
def layer(viewer):
    layer = Image(np.zeros((3, 3, 3)), visible=False)
    layer.metadata["mark"] = CanvasMark(viewer, layer, WORDS)
    viewer.layers.append(layer)
    return layer


def test_words_are_shown_while_the_layer_is_visible(viewer, layer):
    overlay = viewer.canvas.overlays.text
    assert not overlay.visible
    layer.visible = True
    assert (overlay.visible, overlay.text) == (True, WORDS)
    layer.visible = False
    assert (overlay.visible, overlay.text) == (False, "")


def test_words_go_with_the_layer_and_those_of_the_user_stay(viewer, layer):
    overlay = viewer.canvas.overlays.text
    layer.visible = True
    viewer.layers.remove(layer)
    assert not overlay.visible
    overlay.text, overlay.visible = "mine", True
    viewer.layers.append(Image(np.zeros((3, 3, 3))))
    assert (overlay.visible, overlay.text) == (True, "mine")
