"""The dialog that asks for what a report states and the files do not tell."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_smalltumor.questions import window_of


class DetailsDialog(QDialog):
    """Reviewer and date of the scan; an empty field is printed as *not stated*.

    Parameters
    ----------
    parent : QWidget or None
    title : str
        Of the patient.
    """

    def __init__(self, parent: QWidget | None, title: str) -> None:
        super().__init__(window_of(parent))
        self.setWindowTitle(f"Report of {title}")
        self._reviewer, self._scan_date = QLineEdit(), QLineEdit()
        self._reviewer.setPlaceholderText("not stated")
        self._scan_date.setPlaceholderText("not stated, such as 2026-11-27")
        self._scan_date.setMinimumWidth(260)
        form = QFormLayout()
        form.addRow("&Reviewed by", self._reviewer)
        form.addRow("&Date of the scan", self._scan_date)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        go_on = buttons.addButton("Choose file...", QDialogButtonBox.ButtonRole.AcceptRole)
        go_on.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("The page prints what you state here."))
        layout.addLayout(form)
        layout.addWidget(buttons)

    @property
    def reviewer(self) -> str:
        """Who has reviewed the regions."""
        return str(self._reviewer.text()).strip()

    @property
    def scan_date(self) -> str:
        """Date of the scan, as typed."""
        return str(self._scan_date.text()).strip()


def ask_for_details(parent: QWidget | None, title: str) -> tuple[str, str] | None:
    """Reviewer and date of the scan; None if the user cancels."""
    dialog = DetailsDialog(parent, title)
    accepted = dialog.exec_() == QDialog.DialogCode.Accepted
    answers = dialog.reviewer, dialog.scan_date
    dialog.deleteLater()
    return answers if accepted else None
