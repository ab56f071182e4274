"""Keys, window and level in a real window."""

from __future__ import annotations

from html import escape

import pytest
from planes_in_window import drag, open_planes, press
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QShortcut

from napari_smalltumor import keys
from napari_smalltumor.display.key_sheet import KeySheet, sheet_html
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.toolbar import PlanesToolbar

RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def window(make_napari_viewer, synthetic_case):
    viewer = make_napari_viewer(show=True)
    open_case(viewer, synthetic_case)
    return open_planes(viewer)


def test_dragging_with_the_right_button_changes_the_window(window, qtbot, double_click):
    canvas = window.area.canvases[0]
    image = window.planes.layers.of_type("image")[-1]
    start = tuple(image.contrast_limits)
    middle = canvas.rect().center()
    qtbot.mousePress(canvas, RIGHT, pos=middle)
    drag(canvas, RIGHT, middle + QPoint(60, 0))
    qtbot.mouseRelease(canvas, RIGHT)
    low, high = image.contrast_limits
    assert high - low == pytest.approx(1.2 * (start[1] - start[0]))
    qtbot.mouseMove(canvas, middle)
    assert tuple(image.contrast_limits) == (low, high)
    double_click(canvas, RIGHT, pos=middle)
    assert image.contrast_limits == pytest.approx(start)


def test_number_keys_show_sequences_while_a_mask_is_painted(window, viewer_of):
    viewer = viewer_of(window)
    labels = viewer.add_labels(viewer.layers[0].data.astype("uint8"), name="mask")
    labels.mode = "paint"
    shortcuts = {s.key().toString(): s for s in window.main_window.findChildren(QShortcut)}
    assert all(shortcuts[key.sequence].isEnabled() for key in keys.SEQUENCES.values())
    for modality, name in (("t1", "case T1"), ("flair", "case FLAIR")):
        press(window, keys.SEQUENCES[modality])
        shown = [x.name for x in viewer.layers if x._type_string == "image" and x.visible]
        assert shown == [name] and labels.mode == "paint"


def test_keys_show_a_sequence_peek_and_open_the_sheet(window, viewer_of):
    viewer = viewer_of(window)
    press(window, keys.SEQUENCES["flair"])
    shown = [x.name for x in viewer.layers if x._type_string == "image" and x.visible]
    assert shown == ["case FLAIR"]
    labels = viewer.add_labels(viewer.layers[0].data.astype("uint8"), name="mask")
    press(window, keys.PEEK)
    assert labels.opacity == 0
    release = QKeyEvent(QEvent.Type.KeyRelease, Qt.Key.Key_H, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window.area, release)
    assert labels.opacity > 0
    points = viewer.add_points(ndim=3)
    points.mode = "add"
    sequences = {key.sequence for key in keys.SEQUENCES.values()}
    shortcuts = {s.key().toString(): s for s in window.main_window.findChildren(QShortcut)}
    assert not any(shortcuts[key].isEnabled() for key in sequences)
    points.mode = "pan_zoom"
    assert all(shortcuts[key].isEnabled() for key in sequences)
    press(window, keys.SHEET)
    sheet = window.main_window.findChild(KeySheet)
    assert sheet.isVisible()
    press(window, keys.SHEET)
    assert not sheet.isVisible()
    toolbar = window.main_window.findChild(PlanesToolbar)
    viewer.layers.selection.active = labels
    labels.mode = "paint"
    toolbar.overlay_action.trigger()
    assert labels.opacity == 0
    assert labels.mode == "pan_zoom", "what cannot be seen is not painted"
    labels.mode = "paint"
    assert labels.opacity > 0
    assert toolbar.overlay_action.isChecked()


@pytest.mark.one_binding
def test_naparis_keys_work_in_a_plane_while_the_lesions_are_reviewed(
    window, viewer_of, qtbot, raised, no_key_is_held
):
    viewer = viewer_of(window)
    labels = viewer.add_labels(viewer.layers[0].data.astype("uint8"), name="mask")
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    viewer.layers.selection.active = labels
    for key, mode in ((Qt.Key.Key_P, "paint"), (Qt.Key.Key_E, "erase"), (Qt.Key.Key_Z, "pan_zoom")):
        qtbot.keyClick(window.area.canvases[0], key)
        assert labels.mode == mode
    assert not raised


def test_the_sheet_names_every_key():
    shown = "".join(sheet_html(topics) for topics in keys.COLUMNS)
    for topics in keys.COLUMNS:
        for entry in (entry for entries in topics.values() for entry in entries):
            assert escape(entry.action) in shown


@pytest.mark.one_binding
def test_the_sheet_fits_on_a_small_screen(window):
    press(window, keys.SHEET)
    size = window.main_window.findChild(KeySheet).sizeHint()
    assert size.width() <= 1280 and size.height() <= 720


@pytest.fixture
def viewer_of():
    return lambda window: window.planes.viewer
