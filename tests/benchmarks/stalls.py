"""How long the window stands still while a case is opened, segmented, shown and edited.

    xvfb-run -a -s "-screen 0 1280x800x24" python tests/benchmarks/stalls.py [--rounds 3]

A timer beats in the event loop; a stall is the time between two beats beyond its interval. Own
processor time is what the window's thread itself used of it: on a machine that is busy with other
things the rest was waiting for a core, or for Python's lock.

`network` is from the click to the last report of the run, `first layers` from there until ET, TC
and WT are in the window, `layers again` the same when they are there already, `stroke` one dab of
the brush on WT and the table that follows it. A plain labels layer shows how much of `first
layers` is napari's own work. The last line is the time from a dab to the lesions of WT in the
table.
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
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "BraTS2021_00019"
INTERVAL_MS = 2
PATIENCE_S = 60.0


class Pulse:
    """Beats as often as the event loop lets it, and keeps the pauses of each phase."""

    def __init__(self) -> None:
        self.phase = ""
        self.pauses: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._last, self._used = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(INTERVAL_MS)

    def _beat(self) -> None:
        now, used = time.perf_counter(), time.thread_time()
        if self.phase:
            pause = 1000 * (now - self._last) - INTERVAL_MS
            self.pauses[self.phase].append((pause, 1000 * (used - self._used)))
        self._last, self._used = now, used

    def enter(self, phase: str) -> None:
        """What follows is of this phase; the pause that goes on is of the one before."""
        self._beat()
        self.phase = phase


class Session:
    """A viewer with both docks.

    Parameters
    ----------
    weights : Path, optional
        The shipped ones if not given.
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
        settle(2.0)
        self.pulse = Pulse()
        self.to_table: list[tuple[float, float]] = []

    def open(self, case: Path) -> None:
        """Open a case."""
        from napari_smalltumor.open_case import open_case

        with self._phase("open"):
            open_case(self.viewer, case)
            wait_for(lambda: not self.lesions.finder.busy)  # an expert's labels are listed

    def segment(self, showing: str) -> None:
        """Segment and show the result."""
        ended: list[bool] = []
        self.dock.finished.connect(ended.append)
        show = type(self.dock)._on_outcome

        def note_and_show(outcome: object) -> None:
            self.pulse.enter(showing)
            show(self.dock, outcome)

        self.dock._on_outcome = note_and_show
        with self._phase("network"):
            self.dock.segment()
            wait_for(lambda: bool(ended) and not self.lesions.finder.busy)
        self.dock.finished.disconnect(ended.append)
        if ended != [True]:
            raise SystemExit("the run gave no result")

    def paint(self, rounds: int) -> None:
        """Strokes on WT, and the time until the table of its lesions has each."""
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
        for place in _places_outside(np.asarray(layer.data), rounds):
            listed.clear()
            with self._phase("stroke"):
                began, used = time.perf_counter(), time.process_time()
                layer.paint(place, 1)
                wait_for(lambda: bool(listed))
            self.to_table.append((listed[0][0] - began, listed[0][1] - used))

    def add_plain_layer(self) -> None:
        """A labels layer of a few voxels that has nothing to do with the plugin, for comparison."""
        with self._phase("a plain labels layer"):
            layer = self.viewer.add_labels(np.zeros((4, 4, 4), np.uint8), name="plain")
        self.viewer.layers.remove(layer)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self.pulse.enter(name)
        yield
        settle(1.5)  # what was put off, such as drawing, is the phase's too
        self.pulse.enter("")


def _places_outside(data: np.ndarray[Any, Any], number: int) -> Iterator[tuple[int, int, int]]:
    """Voxels in the middle of slices, where nothing is yet."""
    rng = np.random.default_rng(0)
    while number:
        place = tuple(int(rng.integers(n // 3, 2 * n // 3)) for n in data.shape)
        if not data[place]:
            number -= 1
            yield place  # type: ignore[misc]


def wait_for(done: Callable[[], bool]) -> None:
    """Keep the window alive until something is so."""
    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            raise SystemExit("the window did not answer")
        QApplication.processEvents()
        time.sleep(0.0005)


def settle(seconds: float) -> None:
    """Let the window finish what it began."""
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= until)


def main() -> None:
    """Print a table of the stalls."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", type=Path, default=SAMPLE)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    session = Session(options.weights)
    session.open(options.case)
    session.segment("first layers")
    session.add_plain_layer()
    for _ in range(options.rounds - 1):
        session.segment("layers again")
    session.paint(5 * options.rounds)
    print("| phase | beats | median ms | 99th percentile | longest | longest, own processor time |")
    print("|---|---|---|---|---|---|")
    for phase, both in session.pulse.pauses.items():
        pauses, used = np.maximum(np.array(both), 0).T
        high = float(np.percentile(pauses, 99))
        cells = f"{median(pauses):.1f} | {high:.0f} | {pauses.max():.0f} | {used.max():.0f}"
        print(f"| {phase} | {len(pauses)} | {cells} |")
    seconds, used = zip(*session.to_table, strict=True)
    print(
        f"\nstroke on WT to table: median {median(seconds):.2f} s, longest {max(seconds):.2f} s, "
        f"median {median(used):.2f} s of processor time in all threads; {len(seconds)} strokes"
    )
    session.viewer.close()


if __name__ == "__main__":
    main()
