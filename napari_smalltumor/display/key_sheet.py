"""The sheet of keys under ``?``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QDialog, QHBoxLayout, QLabel, QShortcut, QWidget

from napari_smalltumor import keys

_GAP = 24
"""Pixels between two columns."""


class KeySheet(QDialog):
    """Lists all keys and mouse gestures of the plugin; it does not block the window.

    Parameters
    ----------
    parent : QWidget
        napari's window.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of Small Tumour")
        layout = QHBoxLayout(self)
        layout.setSpacing(_GAP)
        for topics in keys.COLUMNS:
            label = QLabel(sheet_html(topics))
            label.setTextFormat(Qt.TextFormat.RichText)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            layout.addWidget(label)
        QShortcut(QKeySequence(keys.SHEET.sequence), self, self.close)


def sheet_html(topics: Mapping[str, Sequence[keys.Key]]) -> str:
    """The table of the keys of some topics, one section a topic."""
    rows = []
    for topic, entries in topics.items():
        rows.append(f'<tr><td colspan="2"><b>{escape(topic)}</b></td></tr>')
        rows.extend(_row(entry) for entry in entries)
    return f'<table cellpadding="2" style="font-size: small">{"".join(rows)}</table>'


def _row(entry: keys.Key) -> str:
    shown = escape(key_text(entry.sequence))
    return f"<tr><td>{shown}&nbsp;&nbsp;</td><td>{escape(entry.action)}</td></tr>"


def key_text(sequence: str) -> str:
    """A key as it is named on this computer (``⌘`` on a Mac); a gesture as it is."""
    if " " in sequence or len(sequence) > len("Shift+N"):
        return sequence
    native = QKeySequence(sequence).toString(QKeySequence.SequenceFormat.NativeText)
    return native or sequence
