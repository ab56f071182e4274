"""Time from the click on Segment to labels on the screen, in a real viewer, cold and warm.

    xvfb-run -a -s "-screen 0 1280x800x24" python tests/benchmarks/window/click.py [--rounds 5]

Cold is the first click of a process, with the converted network in the cache on disk; warm are the
later clicks. `run` is the time in the result line, from the layers' volumes to classes. In the
remaining time the worker computes table and masks, and the window adds and draws the layers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from qtpy.QtCore import QEventLoop, QTimer

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "BraTS2021_00019"
TIMEOUT_S = 300.0


class Click:
    """A viewer with a case and the Segment dock.

    Parameters
    ----------
    case : Path
    weights : Path, optional
        By default the starter weights.
    """

    def __init__(self, case: Path, weights: Path | None) -> None:
        import napari

        from napari_smalltumor import settings
        from napari_smalltumor.segment.dock import SegmentDock

        # The user's own settings are neither read nor changed.
        settings._pages = lambda: None  # type: ignore[assignment]
        settings.put("weights", str(weights) if weights else "")
        self.viewer = napari.Viewer()
        self.viewer.open(case, plugin="napari-smalltumor")
        self.dock = SegmentDock(self.viewer)
        self.viewer.window.add_dock_widget(self.dock, area="right", name="Segment")
        self.drawn = self.ended = 0
        self.canvas = self.viewer.window._qt_viewer.canvas._scene_canvas
        self.canvas.events.draw.connect(self._on_draw, position="last")
        self.dock.finished.connect(self._on_finished)
        self._wait(lambda: self.drawn > 0)
        run_window(0.5)

    def seconds(self) -> tuple[float, float]:
        """Click, and wait until the window has drawn the result.

        Returns
        -------
        whole, run : float
            Seconds from the click to the drawn labels, and of the run alone.
        """
        ended, start = self.ended, time.perf_counter()
        self.dock.panel.segment_clicked.emit()
        self._wait(lambda: self.ended > ended)
        drawn = self.drawn
        self.canvas.update()
        self._wait(lambda: self.drawn > drawn)
        whole = time.perf_counter() - start
        run_window(0.5)
        return whole, self.run

    def _on_draw(self, event: object) -> None:
        self.drawn += 1

    def _on_finished(self, shown: bool) -> None:
        if not shown:
            raise SystemExit("the run gave no result")
        self.ended += 1

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + TIMEOUT_S
        while not done():
            if time.monotonic() > until:
                raise SystemExit("the window did not respond")
            run_window(0.005)

    @property
    def run(self) -> float:
        """Seconds of the last run, from its segmentation."""
        from napari_smalltumor.layers.metadata import role_of

        layer = next(layer for layer in self.viewer.layers if layer.name.endswith(" ET"))
        return float(role_of(layer).result.run.seconds)


def run_window(seconds: float) -> None:
    """Run an event loop; with `processEvents` alone, napari's spinner never stops."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec_()  # qtpy defines it for all bindings


def main() -> None:
    """Print the times of cold and warm clicks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", type=Path, default=SAMPLE)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    click = Click(options.case, options.weights)
    cold, cold_run = click.seconds()
    warm = [click.seconds() for _ in range(options.rounds)]
    print("| click | seconds to labels on screen | of which run |")
    print("|---|---|---|")
    print(f"| cold | {cold:.2f} | {cold_run:.2f} |")
    rows = [median(values) for values in zip(*warm, strict=True)]
    print(f"| warm, median of {options.rounds} | {rows[0]:.2f} | {rows[1]:.2f} |")
    click.viewer.close()


if __name__ == "__main__":
    main()
