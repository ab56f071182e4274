"""A plane of the earlier scan beside the current one."""

from __future__ import annotations

import pytest
from follow_up_scans import compared, write_scan
from planes_in_window import open_planes
from qtpy.QtCore import Qt
from report_cases import tumour
from smalltumor.labels.regions import Region

from napari_smalltumor.follow_up.earlier_layers import earlier_layer
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patients.active_patient import active_patient


@pytest.mark.slow
def test_a_plane_of_the_earlier_scan_is_beside_the_current_one_and_both_are_linked(
    dock, qtbot, earlier_scan
):
    viewer = dock._viewer
    dock.toggle_beside()
    assert not dock.beside_button.isEnabled()
    compared(dock, qtbot, earlier_scan)
    dock.flicker()
    window = open_planes(viewer)
    dock.toggle_beside()
    assert window.layout is Layout.AXIAL and window.is_beside and dock.beside_button.isChecked()
    earlier, current = window.area.earlier[Layout.AXIAL], window.area.canvases[0]
    assert not earlier.isHidden() and not current.isHidden()
    image = earlier_layer(viewer, active_patient(viewer).current)
    assert not image.visible and image in earlier.layers and image not in current.layers
    assert len(earlier.layers) == 1 + 3
    for canvas in (earlier, current):
        canvas.resize(300, 300)
    for row in range(3):
        dock.step(1)
        assert dock.table.currentIndex().row() == row
        assert earlier.corners()[2] == current.corners()[2]
        assert (
            earlier.port.centre == current.port.centre and earlier.port.scale == current.port.scale
        )
    dock.step(-1)
    assert earlier.corners()[:2] == ("BraTS2021_1", "earlier scan")
    assert current.corners()[:2] == ("BraTS2021_2", "T1CE")
    assert earlier.grab().toImage() != current.grab().toImage()
    window.show(Layout.FOUR)
    assert earlier.isHidden() and not dock.beside_button.isChecked()
    window.area.canvases[1].double_clicked.emit()
    assert not window.area.earlier[Layout.CORONAL].isHidden() and dock.beside_button.isChecked()
    viewer.window.remove_dock_widget(dock)
    assert not window.is_beside and window.layout is Layout.CORONAL


@pytest.mark.slow
def test_a_patient_without_an_earlier_scan_is_shown_alone(dock, qtbot, earlier_scan, tmp_path):
    compared(dock, qtbot, earlier_scan)
    dock.toggle_beside()
    window = planes_window(dock._viewer)
    assert window.is_beside
    open_case(dock._viewer, write_scan(tmp_path / "Other_1", tumour()))
    assert active_patient(dock._viewer).current.name == "Other_1"
    assert not window.is_beside and window.area.earlier[Layout.AXIAL].isHidden()
    dock.toggle_beside()
    assert not window.is_beside


@pytest.mark.slow
def test_nothing_can_be_painted_on_a_plane_of_the_earlier_scan(dock, qtbot, earlier_scan):
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    dock.toggle_beside()
    window = planes_window(viewer)
    earlier, current = window.area.earlier[Layout.AXIAL], window.area.canvases[0]
    layer = next(x for x in viewer.layers if region_of(x) is Region.ET)
    viewer.layers.selection.active = layer
    layer.mode = "paint"
    before, clicked = layer.data.copy(), []
    window.planes.alt_clicked.connect(lambda *of: clicked.append(of))
    alt = Qt.KeyboardModifier.AltModifier
    middle = earlier.rect().center()
    for modifier in (Qt.KeyboardModifier.NoModifier, alt):
        qtbot.mouseClick(earlier, Qt.MouseButton.LeftButton, modifier, middle)
    assert (layer.data == before).all() and not clicked
    limits = [x.contrast_limits for x in current.layers if x._type_string == "image"]
    assert earlier.windowed is earlier_layer(viewer, active_patient(viewer).current)
    qtbot.mouseDClick(earlier, Qt.MouseButton.RightButton, pos=middle)
    qtbot.mouseRelease(earlier, Qt.MouseButton.RightButton, pos=middle)
    assert [x.contrast_limits for x in current.layers if x._type_string == "image"] == limits
    qtbot.mouseClick(current, Qt.MouseButton.LeftButton, pos=current.rect().center())
    assert (layer.data != before).any()
    viewer.layers.remove(earlier_layer(viewer, active_patient(viewer).current))
    assert earlier.layers == [] and not earlier.grab().isNull()
