r"""Seconds and key presses of a reader who reviews the cases of a worklist by keys alone.

    xvfb-run -a -s "-screen 0 1280x900x24" \
        python tests/benchmarks/window/review_by_keys.py CASES [--again]

CASES is a folder of cases with an expert's masks. A cohort is made of them first, outside the time.
Then each is opened, reviewed lesion by lesion, and saved as reviewed, by key events that xdotool
sends to the X server: Alt+N, N, then K or W for every small lesion and every candidate that the
cohort's run has stored, which is kept if it shares a voxel with the expert's enhancing tumour, and
Alt+R. With --again, Alt+G segments each case anew after Alt+N, so that its candidates are those of
that result. Specks stay folded and are not judged. The time is that of the program and of xdotool;
a reader needs more to look at each stop and to press each key, which is added in the last columns.
The Dice of ET with the expert's, and with the most similar other patient's, shows whose mask was
saved.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import nibabel as nib
import numpy as np
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case_files
from smalltumor.files.user_dirs import DATA_VARIABLE
from smalltumor.labels.regions import Region, TissueClass
from stalls import process_events, wait_for

LOOKS_S = (1.0, 2.0)
"""Seconds that a reader looks at a stop."""

KEY_S = 0.2
"""Seconds that a reader takes to press a key."""

_RETRY_S = 2.0
"""Seconds after which a key that did nothing is pressed again: it came before the picture."""


@dataclass
class Reviewed:
    """How one case was reviewed."""

    name: str
    seconds: float
    presses: int
    decisions: list[tuple[Any, bool]]
    """Voxels (n, 3) of each lesion, and whether it was kept."""

    @property
    def stops(self) -> int:
        """Lesions that were judged."""
        return len(self.decisions)

    def with_looks(self, seconds: float) -> float:
        """Seconds with a look at each stop, and the reader's time for the keys."""
        return self.seconds + seconds * self.stops + KEY_S * self.presses


class Reader:
    """Presses keys in a window with the docks Worklist and Lesions."""

    def __init__(self, results: Path, *, again: bool) -> None:
        import napari

        from napari_smalltumor import settings
        from napari_smalltumor.widgets.docks.open_dock import open_dock

        settings._pages = lambda: None  # type: ignore[assignment]
        settings.put("reader", "Script")
        self.viewer = napari.Viewer()
        open_dock(self.viewer, "Segment")
        self.lesions = open_dock(self.viewer, "Lesions")
        self.worklist = open_dock(self.viewer, "Worklist")
        window = self.viewer.window._qt_window
        window.activateWindow()
        process_events(2.0)
        subprocess.run(["xdotool", "windowfocus", str(int(window.winId()))], check=True)
        self.worklist.open_results(results)
        wait_for(lambda: self.worklist.worklist is not None)
        self.presses, self.again = 0, again

    def review(self, truths: dict[str, Any]) -> Reviewed:
        """Review the next case."""
        began, self.presses = time.perf_counter(), 0
        decisions: list[tuple[Any, bool]] = []
        before = self._open_name()
        self.press("alt+n")
        wait_for(lambda: self._open_name() not in ("", before) and not self.lesions.finder.busy)
        name = self._open_name()
        if self.again:
            self.press("alt+g")
            wait_for(self._is_segmented)
        wait_for(self._has_candidates)
        while lesion := self._go_to_next():
            is_real = bool(truths[name][tuple(lesion.indices.T)].any())
            decisions.append((lesion.indices, is_real))
            self._decide(lesion, "k" if is_real else "w")
        self.press("alt+r")
        wait_for(lambda: self.worklist.message.text().startswith(f"Saved {name}"))
        return Reviewed(name, time.perf_counter() - began, self.presses, decisions)

    def press(self, key: str) -> None:
        """Send a key to the X server."""
        subprocess.run(["xdotool", "key", key], check=True)
        self.presses += 1
        process_events(0.02)

    def _open_name(self) -> str:
        session = self.worklist.session
        is_active = session.is_active and not session.opening
        return session.current.begun.case if is_active else ""

    def _is_segmented(self) -> bool:
        source = self.lesions.review.source
        return source is not None and source.lookup(Region.ET) is not None

    def _has_candidates(self) -> bool:
        finder, candidates = self.lesions.finder, self.lesions.candidate_finder
        is_computed = candidates.status.name == "COMPUTED"
        return is_computed and not (finder.busy or candidates.busy)

    def _undecided(self) -> list[Any]:
        review = self.lesions.review
        return [*review.small_to_accept, *review.candidates]

    def _go_to_next(self) -> Any:
        """The undecided lesion that is current, after N if it takes one; None at the end."""
        while self._undecided():
            current = self.lesions.review.current
            if any(current is each for each in self._undecided()):
                return current
            self.press("n")
            self._wait(partial(self._has_left, current))
        return None

    def _has_left(self, lesion: Any) -> bool:
        return self.lesions.review.current is not lesion

    def _decide(self, lesion: Any, key: str) -> None:
        def is_decided() -> bool:
            places = [each.indices.tolist() for each in self._undecided()]
            return lesion.indices.tolist() not in places and not self.lesions.finder.busy

        while not is_decided():
            self.press(key)
            self._wait(is_decided)

    def _wait(self, done: Any) -> None:
        until = time.perf_counter() + _RETRY_S
        wait_for(lambda: done() or time.perf_counter() > until)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--again", action="store_true", help="segment each case anew")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[DATA_VARIABLE] = folder  # candidates that were rejected before are not offered
        results = Path(folder) / "masks"
        command = ["cohort", str(options.cases), "-o", str(results), "--candidates"]
        subprocess.run([sys.executable, "-m", "smalltumor.cli", *command], check=True)
        reader = Reader(results, again=options.again)
        entries = reader.worklist.worklist.entries
        cases = {entry.name: read_case_files(entry.files) for entry in entries}
        truths = {n: read_labels(case)[0] == TissueClass.ET for n, case in cases.items()}
        reviewed = [reader.review(truths) for _ in entries]
        scores = [check(one, results, truths) for one in reviewed]
        reader.viewer.close()
    print_table(reviewed, scores)


def check(one: Reviewed, results: Path, truths: dict[str, Any]) -> str:
    """The mask that was saved is its own patient's, and holds what was kept, and nothing else.

    Returns
    -------
    str
        Cells of the table: Dice of ET before and after, and with the most similar other patient.
    """
    path = Reviews(results).begin(one.name).path
    assert path.parent.name == "Script", path
    before, after = et_of(results / f"{one.name}.nii.gz"), et_of(path)
    for voxels, kept in one.decisions:
        saved = after[tuple(voxels.T)]
        assert saved.all() if kept else not saved.any(), one.name
    own = dice(after, truths[one.name])
    others = [dice(after, t) for n, t in truths.items() if n != one.name and t.shape == after.shape]
    most = max(others, default=0.0)
    assert not truths[one.name].any() or own > most, one.name
    return f"{dice(before, truths[one.name]):.4f} | {own:.4f} | {most:.2f}"


def et_of(path: Path) -> Any:
    """Enhancing tumour of a mask in the values of BraTS 2018."""
    return np.asarray(nib.load(path).dataobj) == 4


def dice(one: Any, other: Any) -> float:
    """Dice of two masks; 1 if both are empty."""
    total = one.sum() + other.sum()
    return float(2 * (one & other).sum() / total) if total else 1.0


def print_table(reviewed: list[Reviewed], scores: list[str]) -> None:
    """Print a row for each case, and the medians."""
    looks = " | ".join(f"s with {seconds:.0f} s a stop" for seconds in LOOKS_S)
    print(f"| case | s | key presses | stops | kept | {looks} | Dice before | after | another's |")
    print("|" + "---|" * (8 + len(LOOKS_S)))
    for one, cells in zip(reviewed, scores, strict=True):
        looks = " | ".join(f"{one.with_looks(seconds):.1f}" for seconds in LOOKS_S)
        counts = f"{one.presses} | {one.stops} | {sum(kept for _, kept in one.decisions)}"
        print(f"| {one.name} | {one.seconds:.1f} | {counts} | {looks} | {cells} |")
    middle = " and ".join(f"{median(r.with_looks(s) for r in reviewed):.1f}" for s in LOOKS_S)
    print(
        f"\nmedian {median(r.seconds for r in reviewed):.1f} s and "
        f"{median(r.presses for r in reviewed)} presses a case; with looks and keys {middle} s"
    )


if __name__ == "__main__":
    main()
