"""The dialog that asks what the values of a label file mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QDialog, QRadioButton, QVBoxLayout, QWidget
from smalltumor.labels.schemes import LabelScheme

from napari_smalltumor.questions import window_of
from napari_smalltumor.widgets.layouts import button, fit_to_texts, row, wrapped_label

if TYPE_CHECKING:
    from napari_smalltumor.loading.labels.scheme_choices import SchemeChoice

_WIDTH = 440
_INDENT, _SPACING = 22, 6
_REGION_TEXT = (
    "A file with the number 1 alone is often the mask of a region. If it is that of the whole "
    "tumour or the tumour core, keep the numbers, end its name in _wt or _tc, and open it again."
)


class SchemeDialog(QDialog):
    """Lists the meanings; none is chosen at first.

    Parameters
    ----------
    parent : QWidget or None
        The window in whose theme and middle the dialog appears.
    file : str
        Name of the file.
    choices : sequence of SchemeChoice
    """

    def __init__(self, parent: QWidget | None, file: str, choices: Sequence[SchemeChoice]) -> None:
        super().__init__(parent)
        self.setWindowTitle("What do the labels mean?")
        self.setMinimumWidth(_WIDTH)
        self.options = {QRadioButton(choice.meaning): choice for choice in choices}
        self.use_button = button("Use this meaning", "Show the labels as tissue classes")
        self.keep_button = button(
            "Keep the numbers", "Show the labels as numbers without a meaning"
        )
        layout = QVBoxLayout(self)
        layout.setSpacing(_SPACING)
        layout.addWidget(
            wrapped_label(
                f"The numbers in {file} mean different tissues in different data sets. What do "
                "they mean in this file?"
            )
        )
        if all(choice.values == (1,) for choice in choices):
            layout.addWidget(wrapped_label(_REGION_TEXT))
        for option, choice in self.options.items():
            layout.addSpacing(_SPACING)
            layout.addWidget(option)
            layout.addWidget(_indented(choice.data_sets))
            option.toggled.connect(lambda on: self.use_button.setEnabled(True))
        layout.addSpacing(2 * _SPACING)
        layout.addLayout(row(self.keep_button, self.use_button))
        self.use_button.setEnabled(False)
        self.use_button.clicked.connect(self.accept)
        self.keep_button.clicked.connect(self.reject)
        fit_to_texts(self)

    @property
    def chosen(self) -> LabelScheme | None:
        """The scheme of the meaning that is chosen."""
        found = (choice.scheme for option, choice in self.options.items() if option.isChecked())
        return next(found, None)


def ask_scheme(
    parent: QWidget | None, file: str, choices: Sequence[SchemeChoice]
) -> LabelScheme | None:
    """Ask what the values of a file mean; None to keep the numbers."""
    dialog = SchemeDialog(window_of(parent), file, choices)
    accepted = dialog.exec_() == QDialog.DialogCode.Accepted
    scheme = dialog.chosen
    dialog.deleteLater()
    return scheme if accepted else None


def _indented(text: str) -> QWidget:
    label = wrapped_label(text)
    label.setIndent(_INDENT)
    return label
