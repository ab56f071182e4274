"""The patients who were closed by removing their layers: a button to open each one again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.compat import isalive
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_smalltumor import questions
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.removed.closed_patients import ClosedPatients
from napari_smalltumor.widgets.layouts import button

_BUTTON_WIDTH = 26


class ClosedPatientsList(QWidget):
    """Lists patients who were closed by hand; hidden while there are none.

    Parameters
    ----------
    closed : ClosedPatients
    reopen : callable
        Opens a patient again.
    """

    def __init__(self, closed: ClosedPatients, reopen: Callable[[Patient], None]) -> None:
        super().__init__()
        self._closed, self._reopen = closed, reopen
        self._rows: list[QWidget] = []
        self._listed: list[tuple[Patient, str]] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self.setVisible(False)
        closed.changed.connect(self.update_rows)
        self.update_rows()

    def update_rows(self) -> None:
        """List the patients that can be opened again now."""
        if not isalive(self):  # what keeps the patients exists longer than a dock
            return
        listed = [(patient, self._closed.title_of(patient)) for patient in self._closed.patients]
        if listed == self._listed:  # a button that is being clicked stays
            return
        self._listed = listed
        for row in self._rows:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [self._row(patient, title) for patient, title in listed]
        for row in self._rows:
            self._layout.addWidget(row)
        self.setVisible(bool(self._rows))

    def _row(self, patient: Patient, title: str) -> QWidget:
        reopen = button(f"Open {title} again", f"Bring back the layers of {title}")
        reopen.clicked.connect(partial(self._reopen, patient))
        dismiss = button("✕", f"Forget the layers of {title}")
        dismiss.setAccessibleName(f"Do not open {title} again")
        dismiss.setFixedWidth(_BUTTON_WIDTH)
        dismiss.clicked.connect(partial(self._dismiss, patient))
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(reopen, 1)
        layout.addWidget(dismiss)
        return row

    def _dismiss(self, patient: Patient) -> None:
        """Forget a patient; ask first if drawings or edits would be lost."""
        if unsaved := self._closed.unsaved_of(patient):
            were = "was" if len(unsaved) == 1 else "were"
            title = self._closed.title_of(patient)
            text = f"{', '.join(unsaved)} of {title} {were} not saved and will be lost."
            if not questions.confirm(self, f"Forget {title}?", text, "Forget"):
                return
        self._closed.dismiss(patient)
