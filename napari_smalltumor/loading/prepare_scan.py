"""The menu command that prepares a scan, also one whose files look like a case."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.errors import CaseError

from napari_smalltumor import notify, settings
from napari_smalltumor.loading.open_case import open_and_remember
from napari_smalltumor.loading.scans import offer_scan
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
    none = CaseError(f"{folder} holds no series of the head, in DICOM or NIfTI files")
    offer = partial(
        offer_scan,
        viewer,
        folder,
        partial(open_and_remember, viewer),
        partial(notify.report, none),
    )
    QTimer.singleShot(_DIALOG_CLOSES_MS, offer)
