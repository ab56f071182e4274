"""Save the table of lesions as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.errors import SmalltumorError
from smalltumor.lesions import Lesion, write_csv

from napari_smalltumor import notify, settings
from napari_smalltumor.export.file_names import with_ending


def ask_and_save(parent: QWidget, start: Path, lesions: Sequence[Lesion]) -> Path | None:
    """Ask for a file, proposing one, and save lesions; return the file, if any."""
    chosen, _ = QFileDialog.getSaveFileName(parent, "Save lesions", str(start), "CSV (*.csv)")
    return save_lesions(Path(chosen), lesions) if chosen else None


def save_lesions(path: Path, lesions: Sequence[Lesion]) -> Path | None:
    """Save lesions, and replace an existing file; return the file, or None after an error."""
    try:
        path = with_ending(path, (".csv",), "a table")
        write_csv(lesions, path, overwrite=True)
    except SmalltumorError as error:
        notify.report(error)
        return None
    settings.remember_folder(path, saving=True)
    return path
