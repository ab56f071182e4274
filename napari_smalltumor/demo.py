"""The demo: napari with the sample case, segmented, its small lesions listed."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from smalltumor.lesions import Lesion

    from napari_smalltumor.lesions.dock import LesionsDock
    from napari_smalltumor.segment.dock import SegmentDock

SIZE = (1280, 800)
_LONGEST_RUN_MS = 600_000
_SETTLE_MS = 1500
_WELL_VISIBLE_VOXELS = 50
_FROM_ABOVE_AND_LEFT = (0.4, 1.0, -0.5)


def main(output: Path, screenshot: bool) -> int:
    """Open the demo; without a display on a virtual one, which leaves pictures.

    Parameters
    ----------
    output : Path
        Folder for pictures, mask and lesion table; made if it is not there.
    screenshot : bool
        Leave the files and close instead of waiting for the user.

    Returns
    -------
    int
        Exit code.
    """
    if not _has_display():
        return _on_virtual_display(output)
    import napari
    from napari.qt.threading import WorkerBase

    viewer, segment_dock, lesions_dock = open_demo()
    if screenshot:
        _wait_for(segment_dock, lesions_dock)
        for path in write_files(viewer, segment_dock, lesions_dock, output):
            print(f"wrote {path}")
        viewer.close()
        WorkerBase.await_workers(_SETTLE_MS)
        return 0
    napari.run()
    return 0


def open_demo(viewer: Viewer | None = None) -> tuple[Viewer, SegmentDock, LesionsDock]:
    """Open the sample case with both docks and start to segment it.

    Parameters
    ----------
    viewer : Viewer, optional
        A new one if not given.
    """
    import napari
    from smalltumor.data.sample import sample_case_folder

    from napari_smalltumor.lesions.dock import LesionsDock
    from napari_smalltumor.open_case import open_case
    from napari_smalltumor.segment.dock import SegmentDock

    viewer = viewer or napari.Viewer(title="Small Tumour")
    viewer.window.resize(*SIZE)
    open_case(viewer, sample_case_folder())
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
    """Write pictures in 2D and 3D, the mask and the table of lesions into a folder."""
    from smalltumor.lesions import find_lesions, write_csv

    from napari_smalltumor.export import case_to_export, export_case, suggested_name
    from napari_smalltumor.layers.region_masks import segmentation_of

    output.mkdir(parents=True, exist_ok=True)
    written = _pictures(viewer, lesions_dock, output)
    case = case_to_export(viewer)
    if case is None:
        return written
    mask = output / suggested_name(case, "brats2018")
    written += export_case(viewer, case, mask, scheme="brats2018", overwrite=True)
    segmentation = segmentation_of(viewer.layers, case)
    assert segmentation is not None
    table = output / "lesions.csv"
    write_csv(find_lesions(segmentation), table, overwrite=True)
    return [*written, table]


def _pictures(viewer: Viewer, lesions_dock: LesionsDock, output: Path) -> list[Path]:
    """In 2D at a small lesion, and the whole head in 3D."""
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
    QTest.qWait(_SETTLE_MS)
    pictures = [output / "demo_2d.png", output / "demo_3d.png"]
    viewer.screenshot(str(pictures[0]), canvas_only=False, flash=False)
    lesions_dock.ring_box.setChecked(False)  # the regions are to be seen
    viewer.dims.ndisplay = 3
    viewer.reset_view()
    look_along(viewer, _FROM_ABOVE_AND_LEFT)
    QTest.qWait(_SETTLE_MS)
    viewer.screenshot(str(pictures[1]), canvas_only=False, flash=False)
    viewer.dims.ndisplay = 2
    lesions_dock.ring_box.setChecked(True)
    return pictures


def _lesion_to_show(small: Sequence[Lesion]) -> Lesion | None:
    """The small lesion the network is surest of, among those that are well visible."""
    candidates = [x for x in small if x.voxels >= _WELL_VISIBLE_VOXELS] or list(small)
    return max(candidates, key=lambda x: x.mean_probability or 0.0, default=None)


def _wait_for(segment_dock: SegmentDock, lesions_dock: LesionsDock) -> None:
    """Wait until the case is segmented and its lesions are listed."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop, ready = QEventLoop(), QTimer()
    ready.timeout.connect(
        lambda: None if segment_dock.is_running or lesions_dock.finder.busy else loop.quit()
    )
    ready.start(100)
    QTimer.singleShot(_LONGEST_RUN_MS, loop.quit)
    loop.exec_()  # qtpy gives it to every binding


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _on_virtual_display(output: Path) -> int:
    """Run the demo in a process of its own under Xvfb."""
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


def _first_line(descriptor: int) -> str:
    with os.fdopen(descriptor) as pipe:
        return pipe.readline().strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="smalltumor demo", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("smalltumor-demo"))
    parser.add_argument("--screenshot", action="store_true")
    options = parser.parse_args()
    sys.exit(main(options.output, options.screenshot))
