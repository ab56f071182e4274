"""Layers that are brought back go on with the opening of their patient; those of files do not."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_smalltumor.patients.opened_layers import OpenedLayers


@pytest.fixture
def layers() -> list[Labels]:
    return [Labels(np.zeros((2, 2, 2), np.uint8)) for _ in range(3)]


def test_an_opening_continues_with_the_layers_that_are_left(layers):
    assert OpenedLayers(layers).continue_with(layers[1:])


def test_files_that_are_opened_anew_are_another_opening(layers):
    opening = OpenedLayers(layers[:2])
    assert not opening.continue_with(layers[2:]) and not opening.continue_with([])


def test_a_layer_that_joined_belongs_to_the_opening_when_the_first_ones_are_gone(layers):
    first, second, joined = layers
    opening = OpenedLayers([first])
    assert opening.continue_with([first, second, joined])
    assert opening.continue_with([joined])
