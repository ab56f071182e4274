"""Readers and writers, to which napari passes no viewer, know for which one they are called."""

from __future__ import annotations

import numpy as np
from napari.plugins import io

from napari_smalltumor.calling_viewer import calling_viewer


def test_layers_that_are_saved_are_those_of_their_own_window(make_napari_viewer, monkeypatch):
    found = []

    def save(*arguments, **options) -> list[str]:
        found.append(calling_viewer())
        return []

    monkeypatch.setattr(io, "save_layers", save)
    first, second = make_napari_viewer(), make_napari_viewer()
    for viewer in (first, second):
        viewer.add_image(np.zeros((4, 4, 4)))
    for viewer in (first, second, first):
        viewer.layers.save("all.nii.gz")
    assert [viewer is first for viewer in found] == [True, False, True]
