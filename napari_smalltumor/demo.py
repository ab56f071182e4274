"""Demo: open the sample case in napari, segment it and list its small lesions."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from smalltumor.lesions import Lesion

    from napari_smalltumor.lesions.dock import LesionsDock
    from napari_smalltumor.segment.dock import SegmentDock

SIZE = (1280, 800)
_MAX_RUN_MS = 600_000
_REDRAW_MS = 1500
_WELL_VISIBLE_VOXELS = 50
_VIEW_FROM_ABOVE_LEFT = (0.4, 1.0, -0.5)


def main(output: Path, screenshot: bool) -> int:
    """Run the demo. Without a display, run it on a virtual one and write the files.

    Parameters
    ----------
    output : Path
        Folder for screenshots, mask and lesion table; created if it does not exist.
    screenshot : bool
        Whether to write the files and exit instead of showing the window.

    Returns
    -------
    int
        Exit code.
    """
    if not _has_display():
        return _run_on_virtual_display(output)
    import napari

    try:
        from napari.qt.threading import WorkerBase
    except ImportError as error:
        print(f"smalltumor demo: Qt cannot be loaded: {_reason(error)}", file=sys.stderr)
        return 1

    if screenshot:
        _use_no_semaphore()
    viewer, segment_dock, lesions_dock = open_demo()
    if screenshot:
        _wait_until_listed(segment_dock, lesions_dock)
        for path in write_files(viewer, segment_dock, lesions_dock, output):
            print(f"wrote {path}")
        viewer.close()
        WorkerBase.await_workers(_REDRAW_MS)
        return 0
    napari.run()
    return 0


def open_demo(viewer: Viewer | None = None) -> tuple[Viewer, SegmentDock, LesionsDock]:
    """Open the sample case with both docks and start its segmentation.

    Parameters
    ----------
    viewer : Viewer, optional
        The viewer to use; a new one by default.
    """
    import napari

    from napari_smalltumor.lesions.dock import LesionsDock
    from napari_smalltumor.loading.sample_data import add_sample
    from napari_smalltumor.segment.dock import SegmentDock

    viewer = viewer or napari.Viewer(title="Small Tumour")
    viewer.window.resize(*SIZE)
    add_sample(viewer)
    segment_dock, lesions_dock = SegmentDock(viewer), LesionsDock(viewer)
    add = viewer.window.add_dock_widget
    add(segment_dock, area="right", name="Segment (Small Tumour)")
    tab = add(lesions_dock, area="right", name="Lesions (Small Tumour)", tabify=True)
    segment_dock.finished.connect(lambda shown: tab.raise_() if shown else None)
    segment_dock.segment()
    return viewer, segment_dock, lesions_dock


def write_files(
    viewer: Viewer, segment_dock: SegmentDock, lesions_dock: LesionsDock, output: Path
) -> list[Path]:
    """Write screenshots in 2D and 3D, the mask and the lesion table to a folder."""
    from smalltumor.data.identity.visits import folder_of
    from smalltumor.data.midsagittal_plane import midsagittal_plane
    from smalltumor.lesions import case_cells, find_lesions, write_csv

    from napari_smalltumor.export.case_export import case_to_export, export_case, suggested_name
    from napari_smalltumor.layers.masks.region_masks import segmentation_of

    output.mkdir(parents=True, exist_ok=True)
    written = _screenshots(viewer, lesions_dock, output)
    case = case_to_export(viewer)
    if case is None:
        return written
    mask = output / suggested_name(case)
    written += export_case(viewer, case, mask, scheme="brats2018", overwrite=True)
    segmentation = segmentation_of(viewer.layers, case)
    assert segmentation is not None
    table = output / "lesions.csv"
    lesions = find_lesions(segmentation, plane=midsagittal_plane(case))
    write_csv(lesions, table, case_cells(case.name, folder_of(case)), overwrite=True)
    return [*written, table]


def _screenshots(viewer: Viewer, lesions_dock: LesionsDock, output: Path) -> list[Path]:
    """Write a screenshot of a small lesion in 2D, and of the whole head in 3D."""
    from napari._qt.dialogs.qt_notification import NapariQtNotification
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    from napari_smalltumor.viewer import look_along

    for widget in QApplication.allWidgets():
        if isinstance(widget, NapariQtNotification):
            widget.close()
    shown = _lesion_to_show(lesions_dock.review.small)
    if shown is not None:
        lesions_dock.review.go_to(shown)
    QTest.qWait(_REDRAW_MS)
    paths = [output / "demo_2d.png", output / "demo_3d.png"]
    viewer.screenshot(str(paths[0]), canvas_only=False, flash=False)
    lesions_dock.ring_box.setChecked(False)  # rings would cover the regions
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Contours are not displayed")  # in 3D, as is meant here
        viewer.dims.ndisplay = 3
        viewer.reset_view()
        look_along(viewer, _VIEW_FROM_ABOVE_LEFT)
        QTest.qWait(_REDRAW_MS)
        viewer.screenshot(str(paths[1]), canvas_only=False, flash=False)
    viewer.dims.ndisplay = 2
    lesions_dock.ring_box.setChecked(True)
    return paths


def _lesion_to_show(small: Sequence[Lesion]) -> Lesion | None:
    """The well visible small lesion with the highest mean probability."""
    candidates = [x for x in small if x.voxels >= _WELL_VISIBLE_VOXELS] or list(small)
    return max(candidates, key=lambda x: x.mean_probability or 0.0, default=None)


def _wait_until_listed(segment_dock: SegmentDock, lesions_dock: LesionsDock) -> None:
    """Wait until the case is segmented and its lesions are listed."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop, ready = QEventLoop(), QTimer()
    ready.timeout.connect(
        lambda: None if segment_dock.is_running or lesions_dock.finder.busy else loop.quit()
    )
    ready.start(100)
    QTimer.singleShot(_MAX_RUN_MS, loop.quit)
    loop.exec_()  # qtpy provides it for all bindings


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _reason(error: ImportError) -> str:
    """Why napari loads no Qt: none is installed, or the last line of the traceback it quotes."""
    lines = str(error).strip().splitlines()
    if not any(line.startswith("Traceback") for line in map(str.strip, lines)):
        return f'{lines[0]} Install one: pip install "napari[pyqt6]"'
    missing = lines[-1].strip().removeprefix("ImportError: ")
    return f"{missing}; docs/installation.md lists the libraries of the system"


def _run_on_virtual_display(output: Path) -> int:
    """Run the demo in a separate process under Xvfb."""
    if shutil.which("Xvfb") is None:
        print(
            "smalltumor demo: there is no display and no Xvfb; install it (Debian: "
            "apt-get install xvfb libgl1-mesa-dri), or run smalltumor segment",
            file=sys.stderr,
        )
        return 1
    reading, writing = os.pipe()
    screen = f"{SIZE[0]}x{SIZE[1]}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "+extension", "GLX"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        display = _first_line(reading)
        if not display:
            print("smalltumor demo: Xvfb did not start", file=sys.stderr)
            return 1
        command = [sys.executable, "-m", "napari_smalltumor.demo", "--screenshot"]
        environment = {**os.environ, "DISPLAY": f":{display}"}
        done = subprocess.run([*command, "--output", str(output)], env=environment, check=False)
        return done.returncode
    finally:
        server.terminate()
        server.wait()


def _use_no_semaphore() -> None:
    """Let progress bars lock threads only.

    tqdm's own lock has a semaphore of multiprocessing besides. From Python 3.14 it has a name on
    Linux, and Python warns of it when a process ends without cleanup.
    """
    from napari.utils import progress

    progress.set_lock(RLock())


def _end_without_cleanup(code: int) -> NoReturn:
    """End the process after all files are written.

    At exit, PyQt looks at all Python objects of its own, which crashes now and then (PyQt6 6.11.0,
    `cleanup_on_exit`; see docs/lab/window.md).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _first_line(descriptor: int) -> str:
    with os.fdopen(descriptor) as pipe:
        return pipe.readline().strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="smalltumor demo", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("smalltumor-demo"))
    parser.add_argument("--screenshot", action="store_true")
    options = parser.parse_args()
    code = main(options.output, options.screenshot)
    if options.screenshot:
        _end_without_cleanup(code)
    sys.exit(code)
