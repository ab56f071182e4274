"""Where the scan lies that a case was prepared from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_smalltumor import settings
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.prepared_scan.scan_layers import ScanLayers
from napari_smalltumor.scanner.known_scans import scan_of

if TYPE_CHECKING:
    from napari.viewer import Viewer


def scan_or_ask(parent: QWidget, viewer: Viewer, layers: ScanLayers) -> Path | None:
    """The scan, a folder or an archive; the user is asked for its folder unless it is known.

    Parameters
    ----------
    parent : QWidget
        Of the dialog.
    viewer : Viewer
    layers : ScanLayers
        Of the prepared case.

    Returns
    -------
    Path or None
        None if the user has chosen no folder.
    """
    known = scan_of(layers.folder)
    if known is not None:
        return known
    title = f"Folder of the scan of {case_title(viewer, layers.case)}"
    chosen = QFileDialog.getExistingDirectory(parent, title, settings.last_folder())
    return Path(chosen) if chosen else None
