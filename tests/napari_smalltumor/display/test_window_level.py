"""Window and level follow the mouse, and enhancement is visible from the start."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari_cases import write_case_along
from vispy.util.keys import SHIFT

from napari_smalltumor.display.window_level import (
    dragged_limits,
    ensure_window_dragging,
    image_to_window,
    reset_window,
)
from napari_smalltumor.layers.create import contrast_limits
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient

PIXELS = st.floats(-2000, 2000)


@given(st.floats(-1000, 1000), st.floats(0.01, 5000), PIXELS, PIXELS)
def test_dragging_right_widens_and_dragging_down_darkens(low, window, right, down):
    start = (low, low + window)
    before, after = np.subtract(*start[::-1]), np.subtract(*dragged_limits(start, right, 0)[::-1])
    assert after > 0
    assert (after >= before * 0.999) == (right >= 0) or after == pytest.approx(before)
    level = np.mean(dragged_limits(start, 0, down))
    assert level - np.mean(start) == pytest.approx(down * window / 300, abs=1e-6 * (1 + window))


def test_the_topmost_visible_image_of_the_active_patient_is_windowed(viewer, tmp_path):
    for name in ("A", "B"):
        open_case(viewer, write_case_along(tmp_path / name))
    image = image_to_window(viewer)
    assert image.name == "B T1CE"
    image.visible = False
    assert image_to_window(viewer) is None
    viewer.layers["B FLAIR"].visible = True
    assert image_to_window(viewer).name == "B FLAIR"
    assert patient_of(image_to_window(viewer)) == active_patient(viewer).current


def test_shift_and_the_right_button_drag_the_window_on_naparis_canvas(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "A"))
    ensure_window_dragging(viewer)
    image = image_to_window(viewer)
    start = tuple(image.contrast_limits)
    for modifiers, changes in (((), False), ((SHIFT,), True)):
        event = SimpleNamespace(button=2, modifiers=modifiers, pos=(50, 50), type="mouse_press")
        for callback in viewer.mouse_drag_callbacks:
            if callback.__module__.startswith("napari_smalltumor"):
                drag = callback(viewer, event)
                next(drag, None)
                event.type, event.pos = "mouse_move", (80, 50)
                next(drag, None)
        assert (tuple(image.contrast_limits) != start) == changes
    reset_window(image)
    assert image.contrast_limits == pytest.approx(start)


def test_a_faint_enhancement_has_a_larger_share_of_the_window_than_between_percentiles():
    rng = np.random.default_rng(0)
    brain = rng.normal(300, 30, (60, 60, 60)).clip(1)
    brain[:5] = 0
    brain[5, :, ::2] = 2500  # vessels
    brain[30:34, 30:34, 30:34] = 420
    shares = []
    for modality in (None, "t1ce"):
        low, high = contrast_limits(brain, modality)
        shares.append((420 - 300) / (high - low))
        assert low < 300 < 420 < high
    assert shares[1] > 2 * shares[0]
