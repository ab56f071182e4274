"""A stroke in a plane ends before its patient is left, and reaches no other layer."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import write_case_along
from planes_in_window import drag, open_planes
from qtpy.QtCore import QPoint, Qt
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import questions
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.layers.metadata import case_of, region_of
from napari_smalltumor.layers.patient import patient_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def viewer(make_napari_viewer, tmp_path):
    """Anna and Bert, who is active, with empty regions."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 700)
    for name in ("Anna", "Bert"):
        case = case_of(open_case(viewer, write_case_along(tmp_path / name, labels=False))[0])
        nothing = np.zeros(case.grid.shape, np.uint8)
        show_segmentation(viewer, case, Segmentation(case.name, nothing, case.grid))
    return viewer


def screen_points(canvas, layer, voxels) -> list[QPoint]:
    shown = (canvas.port.to_screen(tuple(layer.data_to_world(voxel))) for voxel in voxels)
    return [QPoint(round(x), round(y)) for x, y in shown]


@pytest.mark.parametrize("end", ["switched", "left", "closed", "removed"])
def test_a_stroke_reaches_no_layer_of_another_patient_and_no_removed_layer(
    viewer, qtbot, monkeypatch, end
):
    monkeypatch.setattr(questions, "ask", lambda *a, **k: "Close without saving")
    patients, window = active_patient(viewer), open_planes(viewer)
    anna, bert = patients.patients
    et = viewer.layers["Bert ET"]
    viewer.layers.selection.active = et
    et.mode, et.brush_size = "paint", 3
    middle = np.array(et.data.shape) // 2
    window.planes.move_to(tuple(et.data_to_world(middle)))
    coronal = window.area.canvases[1]
    points = screen_points(coronal, et, [middle + np.array([n, 0, 0]) for n in (-4, 0, 4)])
    active_at_paint: list[object] = []
    et.events.paint.connect(lambda event: active_at_paint.append(patients.current))
    qtbot.mousePress(coronal, LEFT, pos=points[0])
    assert et.data.any() and active_at_paint == []
    if end == "switched":
        patients.activate(anna)
    elif end == "left":
        patients.leave()
    elif end == "closed":
        assert close_patient(viewer, bert)
    else:
        viewer.layers.remove(et)
    assert active_at_paint == [bert]
    painted = et.data.copy()
    drag(coronal, LEFT, points[1])
    of_anna = [x for x in viewer.layers if region_of(x) is not None and patient_of(x) == anna]
    if end == "switched":
        viewer.layers.selection.active = of_anna[-1]
        of_anna[-1].mode = "paint"
    drag(coronal, LEFT, points[2])
    qtbot.mouseRelease(coronal, LEFT)
    assert np.array_equal(et.data, painted)
    assert len(of_anna) == 3 and not any(layer.data.any() for layer in of_anna)


def test_a_stroke_ends_before_its_patient_is_asked_about_and_closed(viewer, qtbot, monkeypatch):
    """The dialog gets the release of the button."""
    window, bert = open_planes(viewer), active_patient(viewer).current
    et = viewer.layers["Bert ET"]
    strokes: list[object] = []
    when_asked: list[int] = []
    et.events.paint.connect(strokes.append)

    def ask(*arguments, **options) -> str:
        when_asked.append(len(strokes))
        return questions.CANCEL

    monkeypatch.setattr(questions, "ask", ask)
    viewer.layers.selection.active = et
    et.mode, et.brush_size = "paint", 3
    middle = np.array(et.data.shape) // 2
    window.planes.move_to(tuple(et.data_to_world(middle)))
    coronal = window.area.canvases[1]
    qtbot.mousePress(coronal, LEFT, pos=screen_points(coronal, et, [middle])[0])
    assert strokes == []
    assert not close_patient(viewer, bert)
    assert when_asked == [1]
    qtbot.mouseRelease(coronal, LEFT)
    assert len(strokes) == 1
