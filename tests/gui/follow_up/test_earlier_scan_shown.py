"""The earlier scan in place of the current one: what is shown, said and cannot be painted."""

from __future__ import annotations

import numpy as np
import pytest
from follow_up_scans import compared, write_scan
from napari.layers._layer_actions import _duplicate_layer
from planes_in_window import press
from report_cases import SHAPE, tumour
from smalltumor.errors import CaseError
from smalltumor.labels.regions import Region

from napari_smalltumor import keys
from napari_smalltumor.display.shown_sequence import show_sequence
from napari_smalltumor.follow_up.earlier_layers import earlier_layer
from napari_smalltumor.layers.editing.earlier_scan import earlier_scan_is_shown
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.modalities import case_of_layers, images
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.actions.clicks import ReviewClicks
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.segment.modality_pickers import ModalityPickers


@pytest.mark.slow
def test_flicker_changes_images_only(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    layers = dock._viewer.layers
    before = {layer.name: layer.visible for layer in layers}
    dock.flicker()
    assert layers["BraTS2021_2 earlier scan"].visible
    assert not layers["BraTS2021_2 T1CE"].visible and layers["BraTS2021_2 ET"].visible
    assert dock._viewer.canvas.overlays.text.text == "earlier scan:\nBraTS2021_1"
    assert dock.flicker_button.isChecked() and "earlier scan is shown" in dock.message.text()
    dock.flicker()
    assert "earlier scan is shown" not in dock.message.text()
    assert {layer.name: layer.visible for layer in layers} == before


@pytest.mark.slow
def test_another_sequence_ends_the_flicker(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    dock.flicker()
    show_sequence(dock._viewer, "t1ce")
    assert not dock._viewer.layers["BraTS2021_2 earlier scan"].visible
    assert not dock.flicker_button.isChecked()
    dock.flicker()
    assert dock.flicker_button.isChecked()


@pytest.mark.slow
def test_the_earlier_scan_is_no_sequence_to_segment(dock, qtbot, earlier_scan):
    compared(dock, qtbot, earlier_scan)
    pickers = ModalityPickers(dock._viewer)
    qtbot.addWidget(pickers)
    chosen = {modality: layer.name for modality, layer in pickers.chosen.items()}
    assert chosen == {
        m: f"BraTS2021_2 {title}"
        for m, title in (("t1", "T1"), ("t1ce", "T1CE"), ("t2", "T2"), ("flair", "FLAIR"))
    }
    earlier = earlier_layer(dock._viewer, active_patient(dock._viewer).current)
    assert earlier not in images(dock._viewer.layers)
    with pytest.raises(CaseError, match="is of an earlier scan"):
        case_of_layers({**pickers.chosen, "t1ce": earlier})


@pytest.mark.slow
@pytest.mark.one_binding
def test_a_copy_of_the_earlier_scan_is_guarded_as_the_scan_is(dock, qtbot, earlier_scan):
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    et = next(x for x in viewer.layers if region_of(x) is Region.ET)
    viewer.layers.selection = {earlier_layer(viewer, active_patient(viewer).current)}
    _duplicate_layer(viewer.layers)
    copy = viewer.layers["BraTS2021_2 earlier scan copy"]
    assert copy not in images(viewer.layers)
    et.mode = "paint"
    copy.visible = True
    assert et.mode == "pan_zoom" and earlier_scan_is_shown(viewer.layers)
    assert viewer.canvas.overlays.text.text == "earlier scan:\nBraTS2021_1"
    et.mode = "paint"
    assert not copy.visible and not earlier_scan_is_shown(viewer.layers)


@pytest.mark.slow
@pytest.mark.one_binding
def test_nothing_is_painted_or_added_on_the_earlier_scan(dock, qtbot, earlier_scan):
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    layer = next(x for x in viewer.layers if region_of(x) is Region.ET)
    layer.mode = "paint"
    for _ in range(2):
        dock.flicker()
        assert layer.mode == "pan_zoom"
        assert earlier_scan_is_shown(viewer.layers)
        layer.mode = "erase"
        assert not earlier_scan_is_shown(viewer.layers)
        assert any(x.visible for x in viewer.layers if x.name.endswith("T1CE"))
    shown = earlier_layer(viewer, active_patient(viewer).current)
    layer.mode = "paint"
    shown.visible = True  # by its eye icon
    assert layer.mode == "pan_zoom"
    drawn = viewer.add_labels(np.zeros(SHAPE, np.uint8))
    drawn.mode = "paint"
    assert not shown.visible
    dock.flicker()
    review, said = LesionReview(viewer), []
    clicks = ReviewClicks(viewer, review, said.append, lambda: None)
    clicks.on_click((0, 0, 0), take_away=True)
    assert said == [texts.EARLIER_SCAN]
    clicks.close()
    review.close()


@pytest.mark.slow
@pytest.mark.one_binding
def test_words_about_the_scan_that_is_shown_go_with_it(dock, qtbot, earlier_scan, tmp_path):
    viewer = dock._viewer
    compared(dock, qtbot, earlier_scan)
    lesions = LesionsDock(viewer)
    viewer.window.add_dock_widget(lesions, area="right")
    et = next(x for x in viewer.layers if region_of(x) is Region.ET)
    shown_current = (
        lambda: setattr(et, "mode", "paint"),
        lambda: show_sequence(viewer, "flair"),
        lambda: setattr(earlier_layer(viewer, patients.current), "visible", False),
        dock.flicker,
    )
    patients = active_patient(viewer)
    for show_current in shown_current:
        dock.flicker()
        assert "earlier scan is shown" in dock.message.text()
        assert "current scan" not in viewer.status
        lesions.clicks.on_click((0, 0, 0), take_away=True)
        assert lesions.message == texts.EARLIER_SCAN
        show_current()
        assert "earlier scan is shown" not in dock.message.text()
        assert lesions.message == ""
    dock.flicker()
    et.mode = "erase"
    assert "current scan is shown again" in viewer.status
    viewer.layers.selection.active = viewer.layers["BraTS2021_2 T1CE"]
    assert "current scan" not in viewer.status
    for letter in (keys.Key("P", "paint"), keys.Key("E", "erase")):
        press(planes_window(viewer), letter)
        assert viewer.status.startswith("BraTS2021_2 T1CE is selected: select a mask")
        viewer.layers.selection.active = et
        assert "is selected" not in viewer.status
        press(planes_window(viewer), letter)
        assert "is selected" not in viewer.status
        viewer.layers.selection.active = viewer.layers["BraTS2021_2 T1CE"]
    dock.flicker()
    viewer.layers.selection.active = et
    et.mode = "paint"
    assert "current scan is shown again" in viewer.status
    open_case(viewer, write_scan(tmp_path / "BraTS2021_3", tumour()))
    assert "current scan" not in viewer.status
    dock.flicker()
    assert "No earlier scan" in viewer.status
    viewer.layers.clear()
    assert "earlier scan" not in viewer.status


@pytest.mark.slow
def test_the_images_return_if_the_earlier_scan_is_deleted_while_it_is_shown(
    dock, qtbot, earlier_scan
):
    compared(dock, qtbot, earlier_scan)
    layers = dock._viewer.layers
    before = [x for x in layers if x.visible]
    dock.flicker()
    layers.remove(layers["BraTS2021_2 earlier scan"])
    assert [x for x in layers if x.visible] == before
