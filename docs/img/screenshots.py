"""Make pictures of the handbook: those of the sample case, and two of a run if one is named.

xvfb-run -a -s "-screen 0 1280x800x24 +extension GLX" python docs/img/screenshots.py [FOLDER]
xvfb-run -a -s "-screen 0 1280x800x24 +extension GLX" python docs/img/screenshots.py FOLDER RUN

The first makes `segment.png`, `lesions.png` and `compare.png`. The second makes
`finetune_monitor.png` and `finetune_result.png` from a run folder in a training folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import napari
from napari._qt.dialogs.qt_notification import NapariQtNotification
from PIL import Image
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication
from smalltumor.data.sample import sample_case_folder

from napari_smalltumor import settings
from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.loading.sample_data import add_sample
from napari_smalltumor.main_window.toolbar import show_planes
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.widgets.docks.dock_tabs import bring_to_front

SIZE = (1280, 800)
REDRAW_MS = 2000
MAX_RUN_MS = 600_000

OTHER_DOCKS = {"Lesions": LesionsDock, "Compare": CompareDock, "Fine-tune": FinetuneDock}


def wait(milliseconds: int, until: Callable[[], bool] = lambda: False) -> None:
    """Run the event loop for a time, or until a condition is true."""
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if until() else None)
    timer.start(50)
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec_()


def new_viewer() -> napari.Viewer:
    """A viewer of the size of the pictures with the sample case."""
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    open_case(viewer, sample_case_folder())
    return viewer


def save(viewer: napari.Viewer, path: Path) -> None:
    """Write the window as a picture, and close it."""
    wait(REDRAW_MS)
    for widget in QApplication.allWidgets():
        if isinstance(widget, NapariQtNotification):
            widget.close()
    wait(REDRAW_MS)
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    print(f"wrote {path}")
    viewer.close()


def segment(path: Path) -> None:
    """The Segment dock in front of the others, with the result of the shipped weights."""
    viewer = new_viewer()
    dock = SegmentDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Segment (Small Tumour)")
    for name, kind in OTHER_DOCKS.items():
        viewer.window.add_dock_widget(kind(viewer), area="right", name=f"{name} (Small Tumour)")
        wait(REDRAW_MS)
    bring_to_front(dock)
    for _ in range(2):  # the first run also compiles the network
        dock.segment()
        wait(MAX_RUN_MS, lambda: not dock.is_running and "component" in dock.panel.results.text)
    save(viewer, path)


def lesions(path: Path) -> None:
    """The Lesions dock with the small lesion of the expert's labels."""
    viewer = new_viewer()
    dock = LesionsDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Lesions (Small Tumour)")
    wait(MAX_RUN_MS, lambda: bool(dock.review.small))
    dock.review_actions.next_small()
    save(viewer, path)


def compare(path: Path) -> None:
    """The Compare dock with the result of the shipped weights and the expert's mask, in planes."""
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    add_sample(viewer)
    dock = SegmentDock(viewer)
    viewer.window.add_dock_widget(dock, area="right", name="Segment (Small Tumour)")
    dock.segment()
    wait(MAX_RUN_MS, lambda: not dock.is_running)
    comparison = CompareDock(viewer)
    viewer.window.add_dock_widget(comparison, name="Compare (Small Tumour)", tabify=True)
    comparison.compare_with_expert()
    wait(MAX_RUN_MS, lambda: bool(comparison.model.rows))
    show_planes(viewer)
    comparison.table.selectRow(0)
    save(viewer, path)


def finetune(run: Path, folder: Path) -> None:
    """The Monitor and Result pages of a run."""
    settings.put("training_folder", str(run.parent.parent))
    settings.put("run_folder", str(run))
    for name in ("monitor", "result"):
        viewer = new_viewer()
        dock = FinetuneDock(viewer)
        segment_dock = SegmentDock(viewer)
        for each, title in ((segment_dock, "Segment"), (dock, "Fine-tune")):
            viewer.window.add_dock_widget(each, area="right", name=f"{title} (Small Tumour)")
        bring_to_front(dock)
        wait(MAX_RUN_MS, lambda dock=dock: not dock.training_folder.is_busy)
        dock.panel.result.use.click()  # if there is something better than the start
        dock.panel.show_page(getattr(dock.panel, name))
        path = folder / f"finetune_{name}.png"
        save(viewer, path)
        palette = Image.Quantize.MAXCOVERAGE  # keeps colours of few pixels, such as outlines
        picture = Image.open(path).convert("RGB").quantize(256, palette, dither=Image.Dither.NONE)
        picture.save(path, optimize=True)


def main() -> None:
    """Make the pictures, with the default settings."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    settings._pages = lambda: None  # type: ignore[assignment]  # not those of the user
    settings.put("autosave", False)
    if len(sys.argv) > 2:
        finetune(Path(sys.argv[2]), folder)
        return
    segment(folder / "segment.png")
    lesions(folder / "lesions.png")
    compare(folder / "compare.png")


if __name__ == "__main__":
    main()
