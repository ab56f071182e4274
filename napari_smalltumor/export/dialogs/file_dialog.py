"""The file dialog of the export, which shows the name that is written for the chosen grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qtpy.QtWidgets import QDialog, QFileDialog, QWidget
from smalltumor.data.case import Case

from napari_smalltumor.export.native_grid import named_for_grid


def ask_for_file(
    parent: QWidget | None, title: str, start: Path, case: Case, filters: Mapping[str, str | None]
) -> tuple[str, str]:
    """Ask for a file name and its type; both are empty if the user cancels.

    Parameters
    ----------
    parent : QWidget or None
    title : str
    start : Path
        The file that is proposed.
    case : Case
    filters : mapping of str to str or None
        See `native_grid.filters_of`.
    """
    option = QFileDialog.Option.DontConfirmOverwrite  # `confirm_replacing_files` asks
    if len(filters) == 1:
        chosen, file_type = QFileDialog.getSaveFileName(
            parent, title, str(start), ";;".join(filters), options=option
        )
        return str(chosen), str(file_type)
    dialog = QFileDialog(parent, title, str(start.parent), ";;".join(filters))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setOption(option)
    dialog.selectFile(start.name)
    proposed = {m: named_for_grid(start, case, m).name for m in filters.values()}

    def show_name(file_type: str) -> None:
        typed = dialog.selectedFiles()
        if typed and Path(typed[0]).name in proposed.values():
            dialog.selectFile(proposed[filters[file_type]])

    dialog.filterSelected.connect(show_name)
    accepted = dialog.exec_() == QDialog.DialogCode.Accepted
    chosen = dialog.selectedFiles()[0] if accepted else ""
    file_type = dialog.selectedNameFilter() if accepted else ""
    dialog.deleteLater()
    return chosen, file_type
