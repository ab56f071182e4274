"""One question before a window closes or napari quits: what would be lost, and what runs.

It is asked when the user closes a window or quits, and takes the place of napari's own questions,
also of that about tasks of other plugins, which it names too. A script that closes a viewer is not
asked. A user who would lose nothing gets only what napari asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod, WeakSet, ref

from napari.layers import Labels
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QMainWindow, QWidget
from smalltumor.text import list_text

from napari_smalltumor import notify, questions
from napari_smalltumor.closing.unsaved_work import (
    can_be_saved,
    what_is_unsaved,
    what_is_unsaved_of_closed,
)
from napari_smalltumor.export.save import save_patient
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.layers.editing.canvas_strokes import end_stroke
from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.progress_worker import running_in
from napari_smalltumor.viewer import one_per_viewer, qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel

SAVE, SAVE_ALL = "Save", "Save all"
CLOSE_WITHOUT_SAVING, CLOSE = "Close without saving", "Close"
_ASKS = "smalltumor_asks"
"""Attribute of the method that asks, so that it is replaced once."""

_CLOSE_TITLE, _QUIT_TITLE = "Close the window?", "Quit napari?"


class WindowClosing(QObject):
    """Asks before the window of a viewer closes.

    Parameters
    ----------
    viewer : ViewerModel
    window : QMainWindow
    """

    def __init__(self, viewer: ViewerModel, window: QMainWindow) -> None:
        super().__init__()
        self._viewer, self._window = ref(viewer), ref(window)
        self._is_agreed = False
        self._background: list[WeakMethod[Callable[[], str]]] = []
        window.installEventFilter(self)
        _ask_in_commands(type(window))
        _OPEN.add(self)

    @property
    def is_agreed(self) -> bool:
        """Whether the user was asked and agreed, so that nothing else asks while it closes."""
        return self._is_agreed

    def mention(self, what: Callable[[], str]) -> None:
        """Have the question mention what goes on after the window is closed.

        Parameters
        ----------
        what : method
            Returns a sentence; an empty text if nothing goes on. It is not kept alive.
        """
        self._background.append(WeakMethod(what))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ask when the window is closed by its button or by the system."""
        if watched is self._window() and event.type() == QEvent.Type.Close:
            return self.handles(event)
        return False

    def handles(self, event: QEvent) -> bool:
        """Ask before the user closes the window; whether nothing else may handle the event.

        After the user has agreed, the window is closed without a question of napari.
        """
        if self._is_agreed or not event.spontaneous():
            return False
        answer = _ask([self], self.window, _CLOSE_TITLE)
        if answer is None:
            return False
        event.ignore()
        if answer:
            QTimer.singleShot(0, self._close_agreed)
        return True

    @property
    def viewer(self) -> ViewerModel:
        """The viewer of the window, which is open."""
        viewer = self._viewer()
        assert viewer is not None
        return viewer

    @property
    def window(self) -> QMainWindow | None:
        """The window; None if it was deleted."""
        window = self._window()
        return window if window is not None and isalive(window) else None

    @property
    def background(self) -> list[str]:
        """What goes on after the window is closed."""
        methods = [method for each in self._background if (method := each()) is not None]
        return list(filter(None, dict.fromkeys(method() for method in methods)))

    @property
    def cancelled(self) -> list[str]:
        """What closing the window cancels, as sentences."""
        own = running_in(self.window) if self.window is not None else []
        tasks = getattr(getattr(self.viewer, "window", None), "_task_status_manager", None)
        others = tasks.get_status() if tasks is not None else []
        return [
            *([f"Closing cancels the {' and the '.join(own)}."] if own else []),
            *([f"Closing cancels tasks of other plugins ({'; '.join(others)})."] if others else []),
        ]

    def _close_agreed(self) -> None:
        if (window := self.window) is not None:
            with _agreed([self]):
                window.close()


_OPEN: WeakSet[WindowClosing] = WeakSet()


def _open_windows() -> list[WindowClosing]:
    return [each for each in _OPEN if each.window is not None and each.window.isVisible()]


def _ask_in_commands(window_class: Any) -> None:
    """Ask in napari's commands that close a window or quit.

    These call `close` of a window. Quitting closes all windows, also when it is chosen in one in
    which the plugin has opened nothing, so the method of all windows is replaced.
    """
    close = window_class.close
    if hasattr(close, _ASKS):
        return

    @wraps(close)
    def ask_and_close(
        window: QMainWindow, quit_app: bool = False, confirm_need: bool = False
    ) -> Any:
        if not confirm_need:
            return close(window, quit_app=quit_app)
        closing = [each for each in _open_windows() if quit_app or each.window is window]
        answer = _ask(closing, window, _QUIT_TITLE if quit_app else _CLOSE_TITLE)
        if answer is None:
            return close(window, quit_app=quit_app, confirm_need=True)
        if not answer:
            return None
        with _agreed(closing):
            return close(window, quit_app=quit_app)

    setattr(ask_and_close, _ASKS, True)
    window_class.close = ask_and_close


@contextmanager
def _agreed(closing: Iterable[WindowClosing]) -> Iterator[None]:
    """Context in which windows are closed after the user has agreed."""
    closing = list(closing)
    for each in closing:
        each._is_agreed = True
    try:
        yield
    finally:
        for each in closing:
            each._is_agreed = False


def _ask(closing: Iterable[WindowClosing], parent: QWidget | None, title: str) -> bool | None:
    """Ask whether windows may be closed, and save first if the user wants that.

    Parameters
    ----------
    closing : iterable of WindowClosing
    parent : QWidget, optional
        The window in which to ask.
    title : str

    Returns
    -------
    bool or None
        None if nothing would be lost or cancelled, so that nothing was asked.
    """
    closing = list(closing)
    for each in closing:
        _end_stroke(each.viewer)
    lost = [text for each in closing for text in _unsaved_in(each.viewer)]
    cancelled = [text for each in closing for text in each.cancelled]
    if not lost and not cancelled:
        return None
    background = [text for each in closing for text in each.background]
    text = "\n\n".join((*lost, *cancelled, *background))
    unsaved = [(each, patient) for each in closing for patient in _savable_in(each.viewer)]
    if not unsaved:
        return questions.confirm(parent, title, text, CLOSE)
    save = SAVE if len(unsaved) == 1 else SAVE_ALL
    answers = save, CLOSE_WITHOUT_SAVING, questions.CANCEL
    answer = questions.ask(parent, title, text, *answers, harmless=questions.CANCEL)
    if answer != save:
        return answer == CLOSE_WITHOUT_SAVING
    if not all(_save(each, patient) for each, patient in unsaved):
        return False
    # Saving leaves drawings, and what docks know to be unsaved, as they are.
    rest = [text for each in closing for text in _unsaved_in(each.viewer)]
    return not rest or questions.confirm(parent, title, "\n\n".join(rest), CLOSE)


def _save(closing: WindowClosing, patient: Patient) -> bool:
    """Save the masks of a patient, or say that the window stays open because of them."""
    viewer = closing.viewer
    if save_patient(viewer, patient, closing.window):
        return True
    title, state = active_patient(viewer).title_of(patient), save_state(viewer)
    labels = state.edited_labels if not state.has_masks or state.is_saved else []
    names = list_text(layer.name for layer in labels)
    what = f"{names} of {title}" if labels else title
    were = "was" if len(labels) < 2 else "were"
    notify.error(f"{what} {were} not saved, so the window stays open.")
    return False


def _unsaved_in(viewer: ViewerModel) -> list[str]:
    patients = active_patient(viewer).patients
    open_now = [text for patient in patients for text in what_is_unsaved(viewer, patient)]
    return [*open_now, *what_is_unsaved_of_closed(viewer)]


def _savable_in(viewer: ViewerModel) -> list[Patient]:
    return [p for p in active_patient(viewer).patients if can_be_saved(viewer, p)]


def _end_stroke(viewer: ViewerModel) -> None:
    """End a stroke that goes on: the dialog gets the release of the button."""
    layer = viewer.layers.selection.active
    if isinstance(layer, Labels):
        end_stroke(layer)


def closing_of(window: QWidget | None) -> WindowClosing | None:
    """What asks before a window closes; None if no file was opened in it by the plugin."""
    return next((each for each in _OPEN if window is not None and each.window is window), None)


@one_per_viewer
def ensure_closing_question(viewer: ViewerModel) -> WindowClosing | None:
    """Ask before the window of a viewer closes; further calls return the same object."""
    window = qt_main_window(viewer)
    return None if window is None else WindowClosing(viewer, window)
