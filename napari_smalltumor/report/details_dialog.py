"""The dialog that asks for what a report states and the files do not tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)
from smalltumor.data.case import Case
from smalltumor.data.scan_dates import problem_of_dates

from napari_smalltumor.notify import sentence
from napari_smalltumor.questions import window_of
from napari_smalltumor.report.stated_details import LAST_STATED, StatedDetails
from napari_smalltumor.widgets.layouts import fit_to_texts, wrapped_label

_MAX_DATE_LENGTH = 40
"""Characters of a field; more than any date has, and few enough for a message."""

_LONG_WORD, _BREAK = re.compile(r"(\S{30})(?=\S)"), "\\1\u200b"
"""Where a word of a message, such as the name of a case, may be wrapped."""


class DetailsDialog(QDialog):
    """Reviewer and dates of scans; an empty field is printed as *not stated*.

    Parameters
    ----------
    parent : QWidget or None
    title : str
        Of the patient.
    scans : mapping of str to str
        What each scan is called, and the date that is proposed for it.
    reviewer : str
        Who is proposed as the reviewer.
    """

    def __init__(
        self, parent: QWidget | None, title: str, scans: Mapping[str, str], reviewer: str = ""
    ) -> None:
        super().__init__(window_of(parent))
        self.setWindowTitle(f"Report of {title}")
        self.reviewer_field = QLineEdit(reviewer)
        self.reviewer_field.setPlaceholderText("not stated")
        self.reviewer_field.setMinimumWidth(260)
        self._scans = list(scans)
        self.date_fields = [QLineEdit(date) for date in scans.values()]
        form = QFormLayout()
        form.addRow("&Reviewed by", self.reviewer_field)
        for scan, field in zip(scans, self.date_fields, strict=True):
            field.setMaxLength(_MAX_DATE_LENGTH)
            field.setPlaceholderText("not stated")
            field.textEdited.connect(self._hide_problem)
            form.addRow(f"Date of {scan}", field)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        go_on = buttons.addButton("Choose file...", QDialogButtonBox.ButtonRole.AcceptRole)
        go_on.setDefault(True)
        buttons.accepted.connect(self._accept_dates)
        self.problem = wrapped_label()
        self.problem.hide()
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("These entries are printed on the page."))
        layout.addWidget(QLabel("Write a date as 2026-11-27, 2026-11 or 2026."))
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)
        fit_to_texts(self)

    @property
    def stated(self) -> StatedDetails:
        """What was typed."""
        dates = tuple(str(field.text()).strip() for field in self.date_fields)
        return StatedDetails(str(self.reviewer_field.text()).strip(), dates)

    def _hide_problem(self) -> None:
        """Leave out what was said of the dates before one was changed."""
        if not self.problem.isHidden():
            self.problem.hide()
            fit_to_texts(self)

    def _accept_dates(self) -> None:
        """Close the dialog, or say why the dates cannot be those of the scans."""
        problem = problem_of_dates(self.stated.dates, self._scans)
        if problem is None:
            self.accept()
            return
        self.problem.setText(_LONG_WORD.sub(_BREAK, f"{sentence(problem)}."))
        self.problem.show()
        fit_to_texts(self)


def ask_for_details(
    parent: QWidget | None, title: str, scans: Mapping[str, Case]
) -> StatedDetails | None:
    """Ask for reviewer and dates, and propose what was stated before.

    Parameters
    ----------
    parent : QWidget or None
    title : str
        Of the patient.
    scans : mapping of str to Case
        What each scan is called.

    Returns
    -------
    StatedDetails or None
        None if the user cancels.
    """
    cases = list(scans.values())
    proposed = LAST_STATED.propose(cases)
    dates = dict(zip(scans, proposed.dates, strict=True))
    dialog = DetailsDialog(parent, title, dates, proposed.reviewer)
    accepted = dialog.exec_() == QDialog.DialogCode.Accepted
    stated = dialog.stated
    dialog.deleteLater()
    if not accepted:
        return None
    LAST_STATED.remember(cases, stated)
    return stated
