"""The menu command that prepares a scan, also one whose files look like a case."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_smalltumor import settings
from napari_smalltumor.loading.folders.scans import offer_scan, report_no_series
from napari_smalltumor.loading.open_case import open_and_remember
from napari_smalltumor.viewer import unproxied

if TYPE_CHECKING:
    from napari.viewer import Viewer

_DIALOG_CLOSES_MS = 50


def prepare_scan_folder(viewer: Viewer) -> None:
    """Ask for the folder of a scan, and show the dialog that prepares it."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen = QFileDialog.getExistingDirectory(
        QApplication.activeWindow(), "Folder of the scan", settings.last_folder()
    )
    if not chosen:
        return
    folder, viewer = Path(chosen), unproxied(viewer)
    offer = partial(
        offer_scan,
        viewer,
        folder,
        partial(open_and_remember, viewer),
        partial(report_no_series, folder),
    )
    QTimer.singleShot(_DIALOG_CLOSES_MS, offer)
