"""The linked planes in napari's window."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from lesion_layers import show_regions
from lesion_layers import synthetic_case as case_with_lesions
from napari.settings import get_settings
from napari_cases import oriented, write_case_along
from planes_in_window import drag, open_planes, press
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QFontMetrics, QImage, QPainter, QWheelEvent
from qtpy.QtWidgets import QApplication
from smalltumor.labels.regions import Region

from napari_smalltumor import keys, settings
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.layers.views.edge_letters import Edges
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.main_window.toolbar import PlanesToolbar, show_planes
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.planes.drawing.rings import draw_rings, rings_in_slice
from napari_smalltumor.planes.linked_planes import linked_planes
from napari_smalltumor.planes.surface_view import SurfaceView
from napari_smalltumor.widgets.elided_text import lines_apart

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 700)
    return viewer


def screen_point(canvas, world) -> QPoint:
    x, y = canvas.port.to_screen(tuple(world))
    return QPoint(round(x), round(y))


def grey(widget) -> np.ndarray:
    """Brightness (row, column) of what a widget draws."""
    image = widget.grab().toImage().convertToFormat(image_format())
    pixels = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)
    return pixels.reshape(image.height(), image.bytesPerLine())[:, : image.width()].astype(int)


def image_format():
    from qtpy.QtGui import QImage

    return QImage.Format.Format_Grayscale8


@pytest.mark.one_binding
@pytest.mark.parametrize("axcodes", ["LPS", "RAI", "SAR"])
def test_planes_are_upright_and_radiological(viewer, tmp_path, axcodes):
    head = np.zeros((60, 60, 60), np.int16)
    head[2:-2, 2:-2, 2:-2] = 100
    head[40:54, 6:20, 42:56] = 1000  # at the left, front and top (axes L, P, S)
    for word in ("flair", "t1ce", "t1", "t2"):
        nib.save(oriented(head, axcodes), tmp_path / f"Spot_{word}.nii.gz")
    open_case(viewer, tmp_path)
    window = open_planes(viewer)
    layer = viewer.layers["Spot T1CE"]
    layer.contrast_limits = (500, 1000)
    spot = np.argwhere(layer.data == layer.data.max()).mean(axis=0)
    window.planes.move_to(tuple(layer.data_to_world(spot)))
    axial, coronal, sagittal = window.area.canvases
    for canvas, to_the_right, up in ((axial, 1, 1), (coronal, 1, 1), (sagittal, -1, 1)):
        inner = grey(canvas)[30:-40, 30:-30]
        rows, columns = np.nonzero(inner > 200)
        assert (columns.mean() - inner.shape[1] / 2) * to_the_right > 5
        assert (inner.shape[0] / 2 - rows.mean()) * up > 5


def test_the_crosshair_links_the_planes_by_click_shift_and_follow(viewer, synthetic_case, qtbot):
    open_case(viewer, synthetic_case)
    window = open_planes(viewer)
    axial, coronal, _ = window.area.canvases
    target = window.planes.layers.bounds.mean(axis=0) + np.array([0, 3, -2])
    qtbot.mouseClick(axial, LEFT, pos=screen_point(axial, target))
    assert window.planes.position == pytest.approx(target, abs=0.5)
    assert viewer.dims.point[-3:] == pytest.approx(window.planes.position)
    qtbot.mouseMove(coronal, screen_point(coronal, target + np.array([4, 0, 0])))
    assert window.planes.position == pytest.approx(target, abs=0.5)
    toolbar = window.main_window.findChild(PlanesToolbar)
    press(window, keys.FOLLOW)
    assert toolbar.follow_action.isChecked()
    qtbot.mouseMove(coronal, screen_point(coronal, target + np.array([4, 0, 1])))
    assert window.planes.position[0] == pytest.approx(target[0] + 4, abs=0.5)


def test_a_stroke_in_one_plane_is_in_the_others_at_once_and_undone_by_napari(viewer, qtbot):
    case = case_with_lesions()
    show_regions(viewer, case)
    window = open_planes(viewer)
    et = next(x for x in viewer.layers if region_of(x) is Region.ET)
    viewer.layers.selection.active = et
    et.mode, et.brush_size = "paint", 5
    before = et.data.copy()
    voxel = np.array([2, 2, 2])
    world = et.data_to_world(voxel)
    window.planes.move_to(tuple(world))
    axial, coronal, sagittal = window.area.canvases
    pictures = [grey(canvas) for canvas in (axial, sagittal)]
    qtbot.mousePress(coronal, LEFT, pos=screen_point(coronal, world))
    drag(coronal, LEFT, screen_point(coronal, et.data_to_world(voxel + np.array([6, 0, 0]))))
    qtbot.mouseRelease(coronal, LEFT)
    assert et.data[2, 2, 2]
    assert not np.any((et.data != before)[:, 3:]), "only the coronal slice is painted"
    for picture, canvas in zip(pictures, (axial, sagittal), strict=True):
        assert np.abs(picture - grey(canvas)).max() > 0
    coronal.setFocus()
    qtbot.keyClick(coronal, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert np.array_equal(et.data, before)
    for picture, canvas in zip(pictures, (axial, sagittal), strict=True):
        assert np.abs(picture - grey(canvas)).max() == 0


@pytest.mark.one_binding
def test_the_corners_of_two_visits_name_the_visit_once(viewer, tmp_path):
    for visit in ("visit1", "visit2"):
        open_case(viewer, write_case_along(tmp_path / visit / "P7", labels=False))
    window = open_planes(viewer)
    assert viewer.layers[-1].name.startswith("P7 (visit2) ")
    image = viewer.layers[-1].name.removeprefix("P7 (visit2) ")
    assert [c.corners()[:2] for c in window.area.canvases] == [("P7 (visit2)", image)] * 3


def test_names_of_patients_that_are_cut_in_a_plane_differ(viewer, tmp_path):
    names = [f"BraTS2021_{n}_of_the_hospital_and_its_scanner" for n in ("00002", "01476")]
    for name in names:
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    planes = open_planes(viewer).planes
    assert planes.patient_titles == names
    metrics = QFontMetrics(QApplication.font())
    for part in (2, 4):
        width = metrics.horizontalAdvance(names[0]) // part
        shown = [lines_apart(name, planes.patient_titles, width, metrics, 4) for name in names]
        assert shown[0] != shown[1]


@pytest.mark.slow
def test_no_plane_shows_or_paints_another_patient(viewer, tmp_path, qtbot):
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name))
    window = open_planes(viewer)
    patients = active_patient(viewer)
    first, second = patients.patients
    for patient in (first, second):
        patients.activate(patient)
        assert {patient_of(x) for x in window.planes.layers.drawn} == {patient}
        assert [canvas.corners()[0] for canvas in window.area.canvases] == [patient.name] * 3
    labels = next(x for x in viewer.layers if x.name == "Second labels")
    viewer.layers.selection.active = labels
    labels.mode = "paint"
    axial = window.area.canvases[0]
    qtbot.mousePress(axial, LEFT, pos=axial.rect().center())
    patients.activate(first)  # while the button is held down
    after_switch = {x.name: np.array(x.data) for x in viewer.layers if x._type_string == "labels"}
    drag(axial, LEFT, axial.rect().center() + QPoint(20, 20))
    qtbot.mouseRelease(axial, LEFT)
    for name, data in after_switch.items():
        assert np.array_equal(viewer.layers[name].data, data), name


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("hidden", marks=pytest.mark.one_binding),
        "another layer selected",
        "released",
        "elsewhere",
        "dialog",
    ],
)
def test_a_stroke_ends_when_its_mask_is_no_longer_painted(viewer, qtbot, end):
    show_regions(viewer, case_with_lesions())
    window = open_planes(viewer)
    et, tc = (next(x for x in viewer.layers if region_of(x) is r) for r in (Region.ET, Region.TC))
    viewer.layers.selection.active = et
    et.mode, et.brush_size = "paint", 5
    unpainted, voxel = et.data.copy(), np.array([2, 2, 2])
    window.planes.move_to(tuple(et.data_to_world(voxel)))
    coronal = window.area.canvases[1]
    start, middle, last = (
        screen_point(coronal, et.data_to_world(voxel + np.array([n, 0, 0]))) for n in (0, 3, 6)
    )
    qtbot.mousePress(coronal, LEFT, pos=start)
    painted = et.data.copy()
    assert not np.array_equal(painted, unpainted)
    if end == "released":  # to a dialog
        drag(coronal, Qt.MouseButton.NoButton, middle)
    elif end == "hidden":
        et.visible = False
    elif end == "dialog":
        QApplication.sendEvent(coronal, QEvent(QEvent.Type.WindowDeactivate))
    elif end == "elsewhere":  # as N shows another lesion
        window.planes.look_at(tuple(et.data_to_world(voxel + 10)), 20)
    else:
        viewer.layers.selection.active = tc
    drag(coronal, LEFT, middle)
    viewer.layers.selection.active, et.visible = et, True
    drag(coronal, LEFT, last)
    qtbot.mouseRelease(coronal, LEFT)
    assert np.array_equal(et.data, painted)
    et.undo()
    assert np.array_equal(et.data, unpainted)


@pytest.mark.one_binding
def test_the_3d_view_never_draws_another_patient(viewer, tmp_path):
    for name in ("First", "Second"):
        open_case(viewer, write_case_along(tmp_path / name, labels=False))
    surfaces = open_planes(viewer).area.findChild(SurfaceView)
    surfaces.grab()
    before = {part.layer() for part in surfaces._parts}
    assert {patient_of(layer).name for layer in before} == {"Second"}
    patients = active_patient(viewer)
    patients.activate(patients.patients[0])
    surfaces.grab()  # before the surfaces have been computed again
    assert not before & {part.layer() for part in surfaces._parts}


@pytest.mark.one_binding
def test_the_3d_view_names_the_sides_as_the_head_is_turned(viewer, tmp_path):
    open_case(viewer, write_case_along(tmp_path / "Pat", labels=False))
    surfaces = open_planes(viewer).area.findChild(SurfaceView)
    assert surfaces.edges == Edges("R", "L", "S", "I")
    surfaces.turn(yaw=90)
    assert surfaces.edges == Edges("A", "P", "S", "I")
    surfaces.turn(yaw=-45, pitch=30)
    assert set(surfaces.edges.right) == set("LP")
    assert surfaces.edges.top[0] == "S"


@pytest.mark.one_binding
def test_painting_ends_by_its_key_while_a_list_has_the_focus(
    viewer, synthetic_case, dock_of, qtbot
):
    dock = dock_of(viewer)
    open_case(viewer, synthetic_case)
    window = open_planes(viewer)
    labels = viewer.add_labels(np.zeros((4, 4, 4), np.uint8))
    dock.panel.findChild(PatientHeader).picker.setFocus()
    for letter, mode in (("P", "paint"), ("E", "erase"), ("Z", "pan_zoom")):
        viewer.layers.selection.active = labels
        press(window, keys.Key(letter, ""))
        assert labels.mode == mode


@pytest.mark.parametrize("focus", ["canvas", "plane", "list"])
def test_keys_of_tools_work_wherever_the_focus_is(
    viewer, synthetic_case, dock_of, qtbot, raised, no_key_is_held, monkeypatch, focus
):
    dock = dock_of(viewer)
    open_case(viewer, synthetic_case)
    window = planes_window(viewer)
    labels = viewer.add_labels(np.zeros((4, 4, 4), np.uint8))
    if focus == "plane":
        window.show(Layout.FOUR)
    widget = {
        "canvas": window.napari_canvas.canvas.native,
        "plane": window.area.canvases[0] if window.area is not None else None,
        "list": dock.panel.findChild(PatientHeader).picker,
    }[focus]
    window.main_window.activateWindow()
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    for letter, mode in (("P", "paint"), ("E", "erase"), ("Z", "pan_zoom")):
        viewer.layers.selection.active = labels
        qtbot.keyClick(widget, letter)
        assert labels.mode == mode
    # napari would take the release of Z in Ctrl+Z for the end of holding Z, and choose the eraser.
    monkeypatch.setattr(get_settings().application, "hold_button_delay", 0.01)
    qtbot.wait(30)
    labels.data_setitem((np.array([1]), np.array([1]), np.array([1])), 1)
    qtbot.keyClick(widget, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert labels.mode == "pan_zoom"
    assert not labels.data.any()
    assert raised == []


def test_layouts_are_changed_by_buttons_a_key_and_a_double_click(
    viewer, synthetic_case, qtbot, double_click
):
    open_case(viewer, synthetic_case)
    window = planes_window(viewer)
    toolbar = window.main_window.findChild(PlanesToolbar)
    assert window.layout is Layout.CANVAS
    for layout in reversed(Layout):
        toolbar.layout_actions[layout].trigger()
        assert window.layout is layout
        assert toolbar.layout_actions[layout].isChecked()
        views = window.area.views if window.area is not None else {}
        expected = set(views) if layout is Layout.FOUR else {layout} & set(views)
        assert {q for q, view in views.items() if view.isVisible()} == expected
    press(window, keys.LAYOUT)
    assert window.layout is Layout.FOUR
    coronal = window.area.canvases[1]
    double_click(coronal, LEFT, pos=coronal.rect().center())
    assert window.layout is Layout.CORONAL
    double_click(coronal, LEFT, pos=coronal.rect().center())
    assert window.layout is Layout.FOUR
    show_planes(viewer)
    assert window.layout is Layout.CANVAS


def test_the_wheel_changes_the_slice_and_with_ctrl_the_zoom(viewer, synthetic_case):
    open_case(viewer, synthetic_case)
    window = open_planes(viewer)
    axial = window.area.canvases[0]
    before, scale = window.planes.position, axial.port.scale
    turn_wheel(axial, -120)
    assert window.planes.position[0] == pytest.approx(before[0] + 1)
    assert axial.port.scale == scale
    turn_wheel(axial, 120, Qt.KeyboardModifier.ControlModifier)
    assert axial.port.scale > scale
    scales = [canvas.port.scale for canvas in window.area.canvases]
    assert scales == pytest.approx([scales[0]] * 3, rel=0.01)


def turn_wheel(widget, angle, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    middle = widget.rect().center()
    event = QWheelEvent(
        QPointF(middle),
        QPointF(widget.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_lesions_are_ringed_in_every_plane_and_flown_to(viewer, qtbot):
    show_regions(viewer, case_with_lesions())
    settings.put("speck_below_mm3", 0)
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    qtbot.waitUntil(lambda: len(dock.review.small) == 3)
    window = open_planes(viewer)
    small = dock.review.small[0]
    dock.review.go_to(small)
    rings = window.planes.layers.of_type("points")
    assert len(rings) == 1
    for canvas in window.area.canvases:
        drawn = list(rings_in_slice(rings[0], canvas.port, canvas.depth))
        assert sum(current for _, _, current in drawn) == 1
        centre = next(centre for centre, _, current in drawn if current)
        middle = canvas.rect().center()
        assert abs(centre.x() - middle.x()) + abs(centre.y() - middle.y()) < 40
    assert ring_is_painted(canvas, rings)
    rings[0].opacity = 0  # as the overlay is hidden
    assert not ring_is_painted(canvas, rings)
    dock.ring_box.setChecked(False)
    for layer in window.planes.layers.of_type("points"):
        assert not list(rings_in_slice(layer, canvas.port, canvas.depth))


def ring_is_painted(canvas, layers) -> bool:
    """Whether a ring is seen on a black image."""
    image = QImage(canvas.size(), QImage.Format.Format_RGB32)
    image.fill(0)
    black = image.copy()
    painter = QPainter(image)
    draw_rings(painter, layers, canvas.port, canvas.depth)
    painter.end()
    return image != black


@pytest.mark.one_binding
def test_a_closed_window_leaves_nothing_that_raises(viewer, synthetic_case, raised):
    open_case(viewer, synthetic_case)
    open_planes(viewer)
    planes = linked_planes(viewer)
    viewer.close()
    planes.changed.emit()
    planes.layers.voxels_changed.emit()
    assert not raised
