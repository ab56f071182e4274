"""A test that opens a dialog which it does not answer fails with the text of the dialog."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QInputDialog, QMessageBox
from waiting_dialogs import WaitingDialogs


def test_a_dialog_that_nobody_answers_is_closed_and_named(qapp):
    dialogs = WaitingDialogs(patience=2)
    box = QMessageBox(QMessageBox.Icon.Question, "Replace?", "Anna_mask.nii.gz exists.")
    QTimer.singleShot(0, lambda: [dialogs.look() for _ in range(3)])
    box.exec()
    dialogs.stop()
    assert dialogs.texts == ["Replace? | Anna_mask.nii.gz exists."]


def test_dialogs_that_are_answered_are_left_alone(qapp):
    dialogs = WaitingDialogs(patience=2)
    for _ in range(3):
        dialog = QInputDialog()
        QTimer.singleShot(0, dialogs.look)
        QTimer.singleShot(1, lambda: QApplication.activeModalWidget().accept())
        assert dialog.exec()
    dialogs.stop()
    assert dialogs.texts == []
