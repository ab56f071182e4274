"""The earlier scan is segmented in the same window, and not saved yet."""

from __future__ import annotations

import pytest
from follow_up_scans import compared, words
from report_cases import tumour
from shown_layers import show_segmentation
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor.export.save import save
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.mark.slow
def test_regions_of_the_earlier_scan_that_are_in_no_file_are_to_be_saved_first(
    dock, qtbot, earlier_scan
):
    viewer, patients = dock._viewer, active_patient(dock._viewer)
    current = patients.current
    (earlier_scan / "BraTS2021_1_seg.nii.gz").unlink()
    compared(dock, qtbot, earlier_scan)
    assert "BraTS2021_1 has no segmentation beside it" in dock.message.text()
    open_case(viewer, earlier_scan)
    earlier, case = patients.current, read_case(earlier_scan)
    patients.activate(current)
    compared(dock, qtbot, earlier_scan)
    assert "BraTS2021_1 has no segmentation beside it" in dock.message.text()
    show_segmentation(viewer, case, Segmentation(case.name, tumour(), case.grid))
    patients.activate(current)
    compared(dock, qtbot, earlier_scan)
    assert dock.message.text() == (
        "BraTS2021_2 compared with BraTS2021_1: BraTS2021_1 has regions in the window, but no mask "
        "beside its images; save BraTS2021_1 first"
    )
    patients.activate(earlier)
    assert save(viewer, None)
    patients.activate(current)
    compared(dock, qtbot, earlier_scan)
    assert words(dock) == ["new", "grown", "gone"]
