"""The user's workflow on the sample case: open, segment, review, edit, export, reopen."""

import time

import nibabel as nib
import numpy as np
import pytest
from napari_cases import displayed
from qtpy.QtCore import QTimer
from smalltumor.labels.regions import Region
from smalltumor.lesions import find_lesions

from napari_smalltumor import progress_worker
from napari_smalltumor.export.case_export import export_case
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.segment.dock import SegmentDock


class EventLoopMonitor:
    """Counts timer events and records the longest pause between two of them.

    `busiest` is the longest processor time of the main thread between two events, that is, the
    pause to expect on an otherwise idle machine.
    """

    def __init__(self) -> None:
        self.events, self.longest, self.busiest = 0, 0.0, 0.0
        self._last, self._used = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.timeout.connect(self._record)
        self._timer.start(5)

    def _record(self) -> None:
        now, used = time.perf_counter(), time.thread_time()
        self.events += 1
        self.longest = max(self.longest, now - self._last)
        self.busiest = max(self.busiest, used - self._used)
        self._last, self._used = now, used

    def stop(self) -> None:
        self._timer.stop()


@pytest.fixture
def segmented(make_napari_viewer, sample_folder, qtbot, record_property, monkeypatch):
    """The sample case with the shipped weights' result, and both docks."""
    monkeypatch.setattr(progress_worker, "_PROGRESS_INTERVAL_S", 0.0)  # however short the run is
    viewer = make_napari_viewer()
    dock, lesions = SegmentDock(viewer), LesionsDock(viewer)
    for widget, name in ((dock, "Segment"), (lesions, "Lesions")):
        viewer.window.add_dock_widget(widget, area="right", name=name, tabify=name == "Lesions")
    open_case(viewer, sample_folder)
    positions: list[int] = []
    monitor = EventLoopMonitor()
    with qtbot.waitSignal(dock.finished) as ended:
        dock.panel.segment_clicked.emit()
        bar = dock.panel._progress
        dock.run.worker.yielded.connect(lambda state: positions.append(bar.value()))
    monitor.stop()
    pauses = f"{monitor.longest * 1000:.0f} ms, own processor time {monitor.busiest * 1000:.0f} ms"
    record_property("longest pause of the event loop while segmenting", pauses)
    print(f"longest pause of the event loop while segmenting: {pauses}")
    assert ended.args == [True]
    assert monitor.events > 20
    assert len(set(positions)) > 3
    assert positions == sorted(positions)
    qtbot.waitUntil(lambda: not lesions.finder.busy)
    return viewer, dock, lesions


@pytest.mark.slow
def test_the_sample_case_is_segmented_edited_exported_and_reopened(segmented, tmp_path, qtbot):
    viewer, dock, lesions = segmented
    case = case_of(viewer.layers[0])
    layers = region_layers(viewer.layers, case)
    et = layers[Region.ET]
    assert "ml" in dock.panel.results.text

    row = lesions.model.lesions[0]
    lesions.table.selectRow(0)
    assert viewer.dims.point[0] == pytest.approx(-row.centroid_ras_mm[2], abs=0.51)
    across = (-row.centroid_ras_mm[1], -row.centroid_ras_mm[0])
    assert viewer.scene.camera.center[1:] == pytest.approx(across, abs=0.51)

    listed = len(lesions.model.lesions)
    slice_of_spot = 14  # from the top
    assert not et.data[slice_of_spot].any()
    et.brush_size = 5
    et.paint((slice_of_spot, 120, 110), 1)
    qtbot.waitUntil(lambda: len(lesions.model.lesions) == listed + 1)
    for region in (Region.TC, Region.WT):
        assert layers[region].data[slice_of_spot, 120, 110] == 1

    (path,) = export_case(viewer, case, tmp_path / "out.nii.gz", scheme="brats2018")
    written, source = nib.load(path), nib.load(case.paths["t1ce"])
    assert np.array_equal(written.affine, source.affine)
    stored = np.asarray(written.dataobj)  # the sample's axes are L, P, S
    assert stored[110, 120, -1 - slice_of_spot] == 4
    assert np.array_equal(displayed(stored == 4), et.data != 0)

    ((data, attributes, _),) = get_reader(str(path))(str(path))
    assert np.array_equal(data == 4, et.data != 0)
    assert attributes["translate"] == pytest.approx(et.translate)
    reread = find_lesions((stored == 4), case.grid, region="et")
    assert len(reread) == listed + 1


def hold_once_begun(monkeypatch) -> None:
    """Let no run of the dock end before it is cancelled, however fast the network is."""
    report = progress_worker.ProgressWorker._report

    def report_and_wait(worker, fraction: float, step: str) -> None:
        report(worker, fraction, step)
        while fraction > 0.1 and not worker.abort_requested:
            time.sleep(0.01)

    monkeypatch.setattr(progress_worker, "_PROGRESS_INTERVAL_S", 0.0)
    monkeypatch.setattr(progress_worker.ProgressWorker, "_report", report_and_wait)


@pytest.mark.one_binding
def test_cancelling_a_segmentation_leaves_the_case_unchanged(
    make_napari_viewer, sample_folder, qtbot, monkeypatch
):
    viewer = make_napari_viewer()
    dock = SegmentDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Segment")
    open_case(viewer, sample_folder)
    hold_once_begun(monkeypatch)
    before = list(viewer.layers)
    dock.segment()
    qtbot.waitUntil(lambda: dock.panel._progress.value() > 50)
    with qtbot.waitSignal(dock.finished) as ended:
        dock.cancel()
    assert ended.args == [False]
    assert list(viewer.layers) == before
    assert dock.panel.step == "Cancelled"
