"""Stalls of the window while cases of a worklist follow each other, and while one is reviewed.

    xvfb-run -a -s "-screen 0 1280x800x24" \
        python tests/benchmarks/window/review_stalls.py RESULTS REFERENCE [--stacks]

RESULTS is a folder that `smalltumor cohort --candidates` has written; its first cases are opened
with *Next* of the Worklist dock. REFERENCE is a mask of the last of them for the Compare dock.
Stalls are measured as in `stalls.py`; `spot` is the first Alt and click on a bright spot.
`--stacks` prints where the window's thread was in stalls of more than a tenth of a second.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import numpy as np
from qtpy.QtCore import QTimer
from stalls import StallTimer, process_events, wait_for

SAMPLED_AFTER_S, INTERVAL_S = 0.1, 0.01
SHOWN_FRAMES = 14


class StackSampler:
    """Counts the stacks of the window's thread in long stalls, by phase.

    A signal samples them in the thread itself: a frame that another thread keeps may be the last
    owner of a painter.
    """

    def __init__(self, stalls: StallTimer) -> None:
        self._stalls = stalls
        self.stacks: dict[str, Counter[str]] = {}
        signal.signal(signal.SIGALRM, self._sample)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL_S, INTERVAL_S)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        if time.perf_counter() - self._stalls._last < SAMPLED_AFTER_S:
            return
        stack = traceback.extract_stack(frame)
        lines = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in stack]
        of_phase = self.stacks.setdefault(self._stalls.phase, Counter())
        of_phase[" > ".join(lines[-SHOWN_FRAMES:])] += 1


def main() -> None:
    """Print a table of the stalls."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--stacks", action="store_true")
    options = parser.parse_args()

    import napari
    from smalltumor.labels.regions import Region

    from napari_smalltumor import settings
    from napari_smalltumor.compare.dock import CompareDock
    from napari_smalltumor.lesions.dock import LesionsDock
    from napari_smalltumor.patients.active_patient import active_patient
    from napari_smalltumor.segment.dock import SegmentDock
    from napari_smalltumor.worklist.dock import WorklistDock

    settings._pages = lambda: None  # type: ignore[assignment]
    settings.put("autosave", False)
    viewer = napari.Viewer()
    docks = [kind(viewer) for kind in (SegmentDock, LesionsDock, CompareDock, WorklistDock)]
    for dock in docks:
        viewer.window.add_dock_widget(dock, area="right", name=type(dock).__name__)
    _, lesions, compare, worklist = docks
    process_events(2.0)
    stalls, patients = StallTimer(), active_patient(viewer)
    sampler = StackSampler(stalls) if options.stacks else None

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        stalls.enter(name)
        yield
        process_events(2.0)
        stalls.enter("")

    worklist.open_results(options.results)
    wait_for(lambda: worklist.worklist is not None)
    for number in range(options.cases):
        with phase("first case" if not number else f"next case {number}"):
            QTimer.singleShot(0, lambda: worklist.step(1))
            wait_for(lambda: bool(worklist.session.opening))
            wait_for(lambda: not worklist.session.opening and worklist.session.is_active)
            wait_for(lambda: not lesions.finder.busy and not lesions.candidate_finder.busy)
    source = lesions.review.source
    assert source is not None
    for name in ("spot", "second spot"):
        candidate = lesions.review.candidates[0] if lesions.review.candidates else None
        with phase(name):
            if candidate is None:
                wait_for(lambda: bool(lesions.review.lesions))
                candidate = lesions.review.lesions[0]
            voxel = np.rint(candidate.indices.mean(axis=0))
            inside = candidate.indices[np.argmin(np.abs(candidate.indices - voxel).sum(axis=1))]
            layer = source.layers[Region.ET]
            data = np.asarray(source.to_data(inside[None]))[0]
            click = partial(lesions.clicks.on_click, layer.data_to_world(data), False)
            QTimer.singleShot(0, click)  # in the event loop, as in use
            process_events(0.5)
            wait_for(lambda: not lesions.finder.busy)
        print(f"{name}: {lesions.message}")
    with phase("reference"):
        QTimer.singleShot(0, partial(compare.compare_with_file, options.reference))
        wait_for(lambda: compare.busy)
        wait_for(lambda: not compare.busy)
    with phase("other reference"):
        QTimer.singleShot(0, partial(compare.compare_with_file, options.reference))
        wait_for(lambda: compare.busy)
        wait_for(lambda: not compare.busy)
    with phase("no reference"):
        QTimer.singleShot(0, partial(compare.reader.choose, None))
        process_events(0.5)
    print(f"{patients.title}; compare: {compare.message.text() or 'compared'}")
    print("| phase | longest, ms | own processor time, ms | second, ms |\n|---|---|---|---|")
    for name, both in stalls.stalls.items():
        longest = sorted(both, reverse=True)[:2]
        cells = f"{longest[0][0]:.0f} | {longest[0][1]:.0f} | {longest[1][0]:.0f}"
        print(f"| {name} | {cells} |")
    for name, stacks in sampler.stacks.items() if sampler is not None else ():
        print(f"\n{name}")
        for stack, times in stacks.most_common(12):
            print(f"  {times:4} {stack}")
    sys.stdout.flush()
    viewer.close()


if __name__ == "__main__":
    main()
