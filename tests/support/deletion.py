"""Deletion of a widget's C++ object while Python still refers to it."""

from __future__ import annotations

from qtpy import API_NAME
from qtpy.QtWidgets import QWidget


def delete(widget: QWidget) -> None:
    """Delete a widget as Qt does when its parent is deleted."""
    if API_NAME == "PyQt5":
        from PyQt5 import sip
    else:
        from PyQt6 import sip
    sip.delete(widget)
