r"""Time of a change of slice in the planes, of a 3D picture, and the memory that both need.

    xvfb-run -a -s "-screen 0 1280x800x24 +extension GLX" \
        python tests/benchmarks/window/planes.py [CASE]

The case's folder defaults to the sample. Times are the processor time of the process. A step moves
the crosshair by one slice, which updates napari's hidden canvas and its sliders and draws all
planes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import psutil
from qtpy.QtWidgets import QApplication

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "BraTS2021_00019"
STEPS = 40
PICTURES = 10
SIZE = (1280, 780)


def main(folder: Path) -> None:
    """Open a case and measure."""
    import napari

    from napari_smalltumor.loading.open_case import open_case
    from napari_smalltumor.main_window.planes_area import Layout
    from napari_smalltumor.main_window.planes_window import planes_window

    viewer = napari.Viewer()
    viewer.window.resize(*SIZE)
    open_case(viewer, folder)
    QApplication.processEvents()
    canvas_only = timed(lambda: viewer.dims.set_point(0, viewer.dims.point[0] + 1), STEPS)
    print(f"napari's canvas, one slice: {canvas_only:.0f} ms")
    window = planes_window(viewer)
    assert window is not None
    before = memory()
    window.show(Layout.FOUR)
    QApplication.processEvents()
    for canvas in window.area.canvases:
        used = timed(partial(window.planes.step, canvas.plane, 1), STEPS)
        print(f"four views, one {canvas.plane.name.lower()} slice: {used:.0f} ms")
    surfaces = window.area.surfaces
    print(f"3D, turned: {timed(surfaces.turn, PICTURES):.0f} ms")
    print(f"3D, after an edit: {timed(surfaces.compute, PICTURES):.0f} ms")
    print(f"memory for the four views: {memory() - before:.0f} MB")
    window.show(Layout.CANVAS)
    viewer.dims.ndisplay = 3
    QApplication.processEvents()
    camera = viewer.scene.camera

    def turn() -> None:
        camera.angles = (camera.angles[0], camera.angles[1] + 3, camera.angles[2])
        viewer.screenshot(canvas_only=True, flash=False)

    print(f"napari's canvas in 3D, turned: {timed(turn, 3):.0f} ms")
    viewer.close()


def timed(action: Callable[[], object], repeats: int) -> float:
    """Median processor time in ms of an action and of what it causes in the event loop."""
    used = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        QApplication.processEvents()
        used.append(1000 * (time.process_time() - start))
    return median(used)


def memory() -> float:
    """Resident memory in MB."""
    return psutil.Process(os.getpid()).memory_info().rss / 2**20


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path, nargs="?", default=SAMPLE)
    main(parser.parse_args().case)
