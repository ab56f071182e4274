"""Distances are measured in the planes, in the slice and the patient in which they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import write_case_along
from planes_in_window import drag, open_planes, press
from qtpy.QtCore import QPoint, QPointF, QSize, Qt

from napari_smalltumor import keys
from napari_smalltumor.layers.editing.earlier_scan import mark_as_earlier_scan
from napari_smalltumor.layers.patient import assign
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.toolbar import PlanesToolbar
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.drawing.ruler import place_beside

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def viewer(make_napari_viewer, synthetic_case):
    viewer = make_napari_viewer(show=True)
    open_case(viewer, synthetic_case)
    return viewer


@pytest.fixture
def window(viewer):
    return open_planes(viewer)


def measure(qtbot, canvas, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(canvas, LEFT, pos=start)
    drag(canvas, LEFT, end)
    qtbot.mouseRelease(canvas, LEFT, pos=end)


def yellow(canvas) -> int:
    """Pixels that have the colour of the line."""
    image = canvas.grab().toImage()
    colours = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return sum(c.red() > 200 and c.green() > 160 and c.blue() < 90 for c in colours)


@pytest.mark.parametrize("number", range(3))
def test_a_line_has_the_length_of_its_pixels_and_moves_no_crosshair(window, qtbot, number):
    canvas, planes = window.area.canvases[number], window.planes
    before = planes.position
    press(window, keys.RULER)
    middle = canvas.rect().center()
    measure(qtbot, canvas, middle, middle + QPoint(30, 40))
    assert planes.distance.mm == pytest.approx(50 / canvas.port.scale)
    assert planes.distance.plane is canvas.plane and planes.position == before
    assert yellow(canvas) > 30
    assert all(yellow(other) == 0 for other in window.area.canvases if other is not canvas)


def test_another_slice_hides_the_line_and_the_slice_shows_it_again(window, qtbot):
    canvas, planes = window.area.canvases[0], window.planes
    press(window, keys.RULER)
    middle = canvas.rect().center()
    measure(qtbot, canvas, middle, middle + QPoint(30, 40))
    planes.step(canvas.plane, 1)
    assert yellow(canvas) == 0
    planes.step(canvas.plane, -1)
    assert yellow(canvas) > 30


def test_a_line_is_that_of_its_patient_alone(window, viewer, qtbot, tmp_path):
    canvas, planes = window.area.canvases[0], window.planes
    first = active_patient(viewer).current
    press(window, keys.RULER)
    middle = canvas.rect().center()
    measure(qtbot, canvas, middle, middle + QPoint(30, 40))
    drawn = planes.distance
    open_case(viewer, write_case_along(tmp_path / "Other", labels=False))
    assert planes.distance is None and yellow(canvas) == 0
    active_patient(viewer).activate(first)
    assert planes.distance is drawn


def test_the_ruler_and_the_brush_end_each_other_and_the_line_goes_with_the_ruler(
    window, viewer, qtbot
):
    canvas, planes = window.area.canvases[0], window.planes
    action = window.main_window.findChild(PlanesToolbar).ruler_action
    labels = viewer.add_labels(np.zeros(viewer.layers[0].data.shape, np.uint8), name="mask")
    labels.mode = "paint"
    press(window, keys.RULER)
    assert labels.mode == "pan_zoom" and action.isChecked()
    middle = canvas.rect().center()
    measure(qtbot, canvas, middle, middle + QPoint(30, 40))
    assert planes.distance is not None and not labels.data.any()
    labels.mode = "paint"
    assert not action.isChecked() and not planes.is_measuring and planes.distance is None


def test_the_ruler_shows_the_planes_on_which_it_measures(window):
    window.toggle()
    assert window.layout == "napari"
    press(window, keys.RULER)
    assert window.layout == "Four views"


def test_a_line_is_that_of_the_scan_on_which_it_was_drawn(window, viewer, qtbot):
    canvas = window.area.canvases[0]
    current = viewer.layers["case T1CE"]
    scans = [current]
    for title in ("visit 1", "visit 2"):
        place = {"scale": current.scale, "translate": current.translate}
        scans.append(viewer.add_image(current.data.copy(), name=title, **place))
        assign(scans[-1], active_patient(viewer).current)
        mark_as_earlier_scan(scans[-1], title)
    press(window, keys.RULER)
    middle = canvas.rect().center()

    for measured in scans:
        show_only(scans, measured)
        measure(qtbot, canvas, middle, middle + QPoint(30, 40))
        for shown in scans:
            show_only(scans, shown)
            assert (yellow(canvas) > 30) == (shown is measured)


def show_only(layers, shown) -> None:
    for layer in layers:
        layer.visible = layer is shown


def test_a_line_on_an_image_of_no_patient_ends_with_it(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.random.default_rng(0).random((20, 30, 30)))
    window = open_planes(viewer)
    canvas = window.area.canvases[0]
    press(window, keys.RULER)
    middle = canvas.rect().center()
    measure(qtbot, canvas, middle, middle + QPoint(30, 40))
    assert yellow(canvas) > 30
    viewer.layers.clear()
    viewer.add_image(np.random.default_rng(1).random((20, 30, 30)))
    assert yellow(canvas) == 0


@pytest.mark.parametrize("corner", ["topLeft", "topRight", "bottomLeft", "bottomRight"])
def test_the_length_can_be_read_at_each_corner(window, corner):
    canvas = window.area.canvases[0]
    port = canvas.port
    size = QSize(60, 14)
    end = QPointF(getattr(canvas.rect(), corner)())
    place = place_beside(end, size, port)
    assert place.left() >= 0 and place.left() + size.width() <= port.width
    assert place.top() >= 0 and place.top() + size.height() <= port.height
