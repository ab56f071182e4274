"""Masks that a killed command was replacing are opened as they were before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from killed_writer import hide
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager
from napari_cases import write_case_along
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.errors import SmalltumorWarning

from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.loading.window_reader import get_reader as get_window_reader


@pytest.fixture
def folder(tmp_path) -> Path:
    """A case with a mask that was exported beside its images."""
    return write_case_along(tmp_path / "Pat", labels=False)


@pytest.fixture(params=[False, True], ids=["label file", "regions"])
def hidden(request, folder) -> list[Path]:
    case = read_case(folder)
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[2:5, 2:5, 2:5] = 3
    segmentation = Segmentation(case.name, classes, case.grid)
    path = folder / "Pat_smalltumor.nii.gz"
    written = (
        write_regions(segmentation, path)
        if request.param
        else [write_segmentation(segmentation, path)]
    )
    hide(*written)
    assert not any(each.exists() for each in written)
    return written


def regions(viewer: ViewerModel) -> int:
    return sum(region_of(layer) is not None for layer in viewer.layers)


def test_a_case_opens_with_its_mask_and_a_notification(folder, hidden):
    viewer = ViewerModel()
    before = len(notification_manager.records)
    with notification_manager:
        open_case(viewer, folder)
    assert regions(viewer) == 3
    (shown,) = notification_manager.records[before:]
    assert f"put back in {folder}: {hidden[0].name}" in shown.message


@pytest.mark.filterwarnings("ignore::smalltumor.errors.SmalltumorWarning")
def test_a_mask_opens_by_its_name(folder, hidden):
    viewer = ViewerModel()
    open_and_remember(viewer, hidden[0])
    assert regions(viewer)


@pytest.mark.parametrize("reader", [get_reader, get_window_reader])
def test_napari_s_reader_sees_the_mask_of_a_folder(folder, hidden, reader):
    with pytest.warns(SmalltumorWarning, match="put back"):
        assert reader(str(folder)) is not None
    assert all(path.exists() for path in hidden)
