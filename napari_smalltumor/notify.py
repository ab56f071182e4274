"""Words to the user, as napari's own notifications."""

from __future__ import annotations


def info(message: str) -> None:
    """Something that went as it should."""
    from napari.utils.notifications import show_info

    show_info(message)


def warn(message: str) -> None:
    """Something the user should know."""
    from napari.utils.notifications import show_warning

    show_warning(message)


def error(message: str) -> None:
    """Something that could not be done."""
    from napari.utils.notifications import show_error

    show_error(message)


def unexpected(error: Exception) -> None:
    """A fault of ours: napari's notification offers the traceback for a bug report."""
    from napari.utils.notifications import notification_manager

    notification_manager.receive_error(type(error), error, error.__traceback__)
