"""Fixtures of the tests of the Follow-up dock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from follow_up_scans import later, write_scan
from report_cases import SHAPE, tumour
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.follow_up import ScanRegistration, compare

from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def earlier_scan(tmp_path, monkeypatch) -> Path:
    """The folder of an earlier scan; the registration finds that the head has not moved."""
    unmoved = ScanRegistration(np.eye(4), 0.8, 0.98)
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: unmoved)
    return write_scan(tmp_path / "BraTS2021_1", tumour())


@pytest.fixture
def dock(make_napari_viewer, tmp_path, earlier_scan):
    viewer = make_napari_viewer()
    open_case(viewer, write_scan(tmp_path / "BraTS2021_2", np.zeros(SHAPE, np.uint8)))
    case = next(iter(active_patient(viewer).layers)).metadata["smalltumor"].role.case
    show_segmentation(viewer, case, Segmentation(case.name, later(), case.grid))
    dock = FollowUpDock(viewer)
    viewer.window.add_dock_widget(dock, area="right")
    return dock
