"""Stalls of the window while a case is opened, segmented, shown, edited and closed.

    xvfb-run -a -s "-screen 0 1280x800x24" python tests/benchmarks/window/stalls.py [--rounds 3]

A timer runs in the event loop. A stall is the time between two timeouts minus the interval. Own
processor time is that of the window's thread; the rest of a stall is spent waiting for a processor
core or for Python's global interpreter lock.

`open` lasts from the drop until the case is shown, `network` from the click to the end of the run,
`first layers` from there until ET, TC and WT are in the window, `layers again` the same for
existing layers, `stroke` from a stroke of the brush on WT to the updated table. The time for a
plain labels layer is napari's own part of `first layers`. The last line is the time from a stroke
to the lesions of WT in the table.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from qtpy.QtCore import QEventLoop, Qt, QTimer

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "BraTS2021_00019"
INTERVAL_MS = 2
TIMEOUT_S = 60.0


class StallTimer:
    """A timer that records, by phase, by how much each of its timeouts was late."""

    def __init__(self) -> None:
        self.phase = ""
        self.stalls: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._last, self._used = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start(INTERVAL_MS)

    def _on_timeout(self) -> None:
        now, used = time.perf_counter(), time.thread_time()
        if self.phase:
            stall = 1000 * (now - self._last) - INTERVAL_MS
            self.stalls[self.phase].append((stall, 1000 * (used - self._used)))
        self._last, self._used = now, used

    def enter(self, phase: str) -> None:
        """Start a phase; the current stall is counted for the previous phase."""
        self._on_timeout()
        self.phase = phase


class Session:
    """A viewer with both docks.

    Parameters
    ----------
    weights : Path, optional
        By default the starter weights.
    """

    def __init__(self, weights: Path | None) -> None:
        import napari

        from napari_smalltumor import settings
        from napari_smalltumor.lesions.dock import LesionsDock
        from napari_smalltumor.segment.dock import SegmentDock

        # The user's own settings are neither read nor changed.
        settings._pages = lambda: None  # type: ignore[assignment]
        settings.put("weights", str(weights) if weights else "")
        settings.put("autosave", False)
        self.viewer = napari.Viewer()
        self.dock, self.lesions = SegmentDock(self.viewer), LesionsDock(self.viewer)
        for name, dock in (("Segment", self.dock), ("Lesions", self.lesions)):
            self.viewer.window.add_dock_widget(
                dock, area="right", name=name, tabify=name == "Lesions"
            )
        process_events(2.0)
        self.stall_timer = StallTimer()
        self.to_table: list[tuple[float, float]] = []

    def open(self, case: Path) -> None:
        """Open a case as a drop does, whose layers are added while the event loop runs."""
        from napari_smalltumor.patients.active_patient import active_patient

        patients = active_patient(self.viewer)
        with self._phase("open"):
            QTimer.singleShot(0, lambda: self.viewer.open(str(case), plugin="napari-smalltumor"))
            wait_for(lambda: patients.current is not None)
            wait_for(lambda: not self.lesions.finder.busy)  # finds the expert's lesions

    def close(self) -> None:
        """Close the patient."""
        from napari_smalltumor.closing.close_patient import close_patient
        from napari_smalltumor.patients.active_patient import active_patient

        patient = active_patient(self.viewer).current
        assert patient is not None
        with self._phase("close"):
            close_patient(self.viewer, patient)

    def segment(self, showing: str) -> None:
        """Segment and show the result."""
        ended: list[bool] = []
        self.dock.finished.connect(ended.append)
        with self._phase("network"):
            self.dock.segment()
            run = self.dock.run
            show = run._on_result

            def enter_phase_and_show(result: object) -> None:
                self.stall_timer.enter(showing)
                show(result)

            run._on_result = enter_phase_and_show
            wait_for(lambda: bool(ended) and not self.lesions.finder.busy)
        self.dock.finished.disconnect(ended.append)
        if ended != [True]:
            raise SystemExit("the run gave no result")

    def paint(self, rounds: int) -> None:
        """Paint strokes on WT, and time how long each takes to appear in the table of lesions."""
        from smalltumor.labels.regions import Region

        self.lesions.region_box.setCurrentIndex(self.lesions.region_box.findData(Region.WT.value))
        wait_for(lambda: not self.lesions.finder.busy)
        layer = next(layer for layer in self.viewer.layers if layer.name.endswith(" WT"))
        self.viewer.layers.selection.active = layer
        layer.brush_size = 12
        listed: list[tuple[float, float]] = []
        self.lesions.review.lesions_changed.connect(
            lambda: listed.append((time.perf_counter(), time.process_time()))
        )
        for voxel in _background_voxels(np.asarray(layer.data), rounds):
            listed.clear()
            with self._phase("stroke"):
                start, used = time.perf_counter(), time.process_time()
                layer.paint(voxel, 1)
                wait_for(lambda: bool(listed))
            self.to_table.append((listed[0][0] - start, listed[0][1] - used))

    def add_plain_layer(self) -> None:
        """Add a labels layer of a few voxels without the plugin, for comparison."""
        with self._phase("a plain labels layer"):
            layer = self.viewer.add_labels(np.zeros((4, 4, 4), np.uint8), name="plain")
        self.viewer.layers.remove(layer)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self.stall_timer.enter(name)
        yield
        process_events(1.5)  # deferred work, such as drawing, belongs to the phase
        self.stall_timer.enter("")


def _background_voxels(data: np.ndarray[Any, Any], number: int) -> Iterator[tuple[int, int, int]]:
    """Background voxels in the central third of each axis."""
    rng = np.random.default_rng(0)
    while number:
        voxel = tuple(int(rng.integers(n // 3, 2 * n // 3)) for n in data.shape)
        if not data[voxel]:
            number -= 1
            yield voxel  # type: ignore[misc]


def wait_for(done: Callable[[], bool]) -> None:
    """Run the event loop until a condition is true."""
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if done() else None)
    timer.start(1)
    QTimer.singleShot(round(1000 * TIMEOUT_S), loop.quit)
    loop.exec_()
    if not done():
        raise SystemExit("the window did not respond")


def process_events(seconds: float) -> None:
    """Process events for a time."""
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= until)


def main() -> None:
    """Print a table of the stalls."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", type=Path, default=SAMPLE)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    from napari_smalltumor import questions

    session = Session(options.weights)
    session.open(options.case)
    session.segment("first layers")
    session.add_plain_layer()
    for _ in range(options.rounds - 1):
        session.segment("layers again")
    session.paint(5 * options.rounds)
    questions.confirm = lambda *arguments: True  # the strokes were not exported
    session.close()
    print(
        "| phase | timeouts | median ms | 99th percentile | longest | longest, own processor time |"
    )
    print("|---|---|---|---|---|---|")
    for phase, both in session.stall_timer.stalls.items():
        stalls, used = np.maximum(np.array(both), 0).T
        high = float(np.percentile(stalls, 99))
        cells = f"{median(stalls):.1f} | {high:.0f} | {stalls.max():.0f} | {used.max():.0f}"
        print(f"| {phase} | {len(stalls)} | {cells} |")
    seconds, used = zip(*session.to_table, strict=True)
    print(
        f"\nstroke on WT to table: median {median(seconds):.2f} s, longest {max(seconds):.2f} s, "
        f"median {median(used):.2f} s of processor time in all threads; {len(seconds)} strokes"
    )
    session.viewer.close()


if __name__ == "__main__":
    main()
