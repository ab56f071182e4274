"""A dock that a script takes out of its window and puts back follows the viewer as before."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_regions, synthetic_case
from napari_cases import write_case_along

from napari_smalltumor import devices, keys, settings
from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.lesions.canvas.rings import NAME
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.prepared_scan.dock import PreparedScanDock
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.widgets.docks.dock_keys import DockKeys
from napari_smalltumor.worklist.dock import WorklistDock

DOCKS = (
    SegmentDock,
    LesionsDock,
    FinetuneDock,
    CompareDock,
    FollowUpDock,
    WorklistDock,
    PreparedScanDock,
)


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    return make_napari_viewer()


def keys_of(viewer, dock) -> set[keys.Key]:
    """The keys that a dock has in its window."""
    bound = viewer.window._qt_window.findChildren(DockKeys)
    enabled = [each for each in bound if any(s.isEnabled() for s in each.shortcuts.values())]
    return {key for each in enabled if each._dock is dock for key in each.shortcuts}


@pytest.mark.parametrize("kind", DOCKS)
def test_its_keys_and_its_patient_are_back(viewer, kind, tmp_path, raised):
    dock = kind(viewer)
    viewer.window.add_dock_widget(dock, name="first")
    before = keys_of(viewer, dock)
    for name in ("again", "once more"):
        viewer.window.remove_dock_widget(dock)
        assert keys_of(viewer, dock) == set()
        viewer.window.add_dock_widget(dock, name=name)
        assert keys_of(viewer, dock) == before
    open_case(viewer, write_case_along(tmp_path / "Pat"))
    (header,) = dock.findChildren(PatientHeader)
    assert header.picker.currentText() == "Pat"
    assert raised == []


def test_the_lesions_dock_lists_what_is_open_now_and_follows_the_brush(viewer, qtbot):
    settings.put("threshold", 100)
    settings.put("speck_below_mm3", 0)
    show_regions(viewer, synthetic_case())
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, name="Lesions")
    listed = lambda: [lesion.voxels for lesion in dock.model.lesions]  # noqa: E731
    qtbot.waitUntil(lambda: listed() == [2, 12, 216])
    dock.review_actions.next_small()
    dock.review_actions.accept()
    viewer.window.remove_dock_widget(dock)
    layer = viewer.layers["Pat ET"]
    layer.data_setitem(tuple(np.array([n]) for n in (0, 0, 0)), 1)
    viewer.window.add_dock_widget(dock, name="Lesions")
    qtbot.waitUntil(lambda: listed() == [1, 2, 12, 216])
    assert NAME in viewer.layers and dock.review.can_undo
    assert sum(map(dock.review.is_accepted, dock.review.lesions)) == 1
    layer.data_setitem(tuple(np.array([n]) for n in (0, 0, 0)), 0)
    qtbot.waitUntil(lambda: listed() == [2, 12, 216])
    viewer.layers.clear()
    qtbot.waitUntil(lambda: listed() == [])
    assert active_patient(viewer).current is None
