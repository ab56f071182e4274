"""The page of a follow-up says whether the current regions were edited."""

from __future__ import annotations

import numpy as np
import pytest
from follow_up_scans import compared, later
from report_cases import Page
from shown_layers import show_segmentation
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import InferenceRun, Segmentation

from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.export.dialogs.destination import Destination
from napari_smalltumor.export.save import save
from napari_smalltumor.follow_up import page
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.report.stated_details import StatedDetails


@pytest.fixture
def written(dock, qtbot, earlier_scan, monkeypatch, tmp_path):
    """Compares the current regions and gives the text of the page."""
    path = tmp_path / "page.html"
    monkeypatch.setattr(page, "ask_for_details", lambda *a: StatedDetails("", ("", "")))
    monkeypatch.setattr(page, "ask_for_page", lambda *a: Destination.confirmed(None, path, ""))

    def write() -> str:
        path.unlink(missing_ok=True)
        compared(dock, qtbot, earlier_scan)
        dock.report()
        qtbot.waitUntil(path.exists)
        return Page(path.read_text(encoding="utf-8")).text

    return write


@pytest.mark.slow
def test_edits_of_a_network_s_regions_are_stated_also_once_saved_and_read_again(
    dock, written, tmp_path
):
    viewer = dock._viewer
    case = read_case(tmp_path / "BraTS2021_2")
    run = InferenceRun(1.0, "cpu", "torch", "mine", digest="0")
    result = Segmentation(case.name, later(), case.grid, run=run, made_by=run.made_by)
    show_segmentation(viewer, case, result)
    text = written()
    assert "mine (the current regions)" in text and "regions of the network, not edited" in text
    spot = tuple(np.indices((2, 2, 2)).reshape(3, 8) + np.array([[24], [40], [24]]))
    for name in ("ET", "TC", "WT"):
        viewer.layers[f"BraTS2021_2 {name}"].data_setitem(spot, 1)
    text = written()
    assert "mine (the current regions, edited)" in text
    assert "regions of the network, edited; not saved to a file" in text
    (saved,) = save(viewer, None)
    close_patient(viewer, active_patient(viewer).current)
    open_case(viewer, saved.parent)
    text = written()
    assert "regions drawn or opened in the window; made by mine (SHA-256 0)" in text
    assert "Model mine (SHA-256 0) (the current regions, edited)" in text
    assert "not edited" not in text and "not saved" not in text


@pytest.mark.slow
def test_regions_without_a_record_are_said_to_be_drawn_or_opened(written):
    assert "regions drawn or opened in the window" in written()
