"""The layout of the planes is that of the last session."""

from __future__ import annotations

from napari_smalltumor import settings
from napari_smalltumor.reading.reading_area import Layout
from napari_smalltumor.reading.toolbar import ensure_toolbar
from napari_smalltumor.reading.window import planes_window


def test_a_new_window_shows_the_layout_that_was_chosen_last(make_napari_viewer):
    first = make_napari_viewer()
    ensure_toolbar(first)
    assert planes_window(first).layout is Layout.CANVAS
    planes_window(first).show(Layout.CORONAL)
    assert settings.get("views") == "Coronal"
    second = make_napari_viewer()
    toolbar = ensure_toolbar(second)
    assert planes_window(second).layout is Layout.CORONAL
    assert toolbar.layout_actions[Layout.CORONAL].isChecked()
    planes_window(second).toggle()
    assert settings.get("views") == "napari"
