"""Autosave every minute, and ask about saved edits when a case is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

from psygnal import Signal

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.restore_question import RestoreQuestion
from napari_smalltumor.case_data.records import case_key
from napari_smalltumor.layers.metadata import cases_among, claim_roles
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.removed.closed_patients import closed_patients
from napari_smalltumor.viewer import one_per_viewer, qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QMainWindow

    from napari_smalltumor.widgets.docks.window_closed import WindowClosed

INTERVAL_MS = 60_000
_RETRY_MS = 50


class ViewerAutosave:
    """Saves a viewer's edits every minute, and asks about those of cases that are opened."""

    opened = Signal(object)
    """A case was opened, and no edits of it were restored."""

    def __init__(self, viewer: ViewerModel) -> None:
        claim_roles(viewer)
        self.autosave = Autosave(viewer.layers)
        self.restore_question = RestoreQuestion(viewer, self.autosave)
        closed_patients(viewer).keep_edits(self.autosave.unsaved)
        self._viewer = ref(viewer)
        self._layers = viewer.layers
        self._asked: set[str] = set()
        self._failure_reported = False
        self._save_timer = _timer(self.save_now, INTERVAL_MS)
        self._ask_timer = _timer(self._ask_about_cases, 0, once=True)
        self._layers.events.inserted.connect(self._on_layers)
        self._layers.events.removed.connect(self._on_layers)
        active_patient(viewer).patients_changed.connect(self._on_layers)
        self._window_closed = _call_when_closed(qt_main_window(viewer), self._end)
        self._on_layers()

    def save_now(self) -> None:
        """Save the edits now. Only the first failed write is reported."""
        self.autosave.save()
        problem = self.autosave.problem()
        if problem is not None and not self._failure_reported:
            self._failure_reported = True
            notify.warn(f"Edits could not be autosaved: {problem}")

    def _end(self) -> None:
        """Save the edits of a window that was closed; any other may restore them from now on."""
        self.save_now()
        self.autosave.wait()
        self.autosave.close()
        for timer in (self._save_timer, self._ask_timer):
            if timer is not None:
                timer.stop()

    def _on_layers(self, event: Any = None) -> None:
        self._asked &= {case_key(case) for case in cases_among(self._layers)}
        if self._ask_timer is not None:
            self._ask_timer.start(0)

    def _ask_about_cases(self) -> None:
        """Ask about the cases that were opened, as soon as the user is not busy."""
        if self._ask_timer is not None and _user_is_busy():
            self._ask_timer.start(_RETRY_MS)
            return
        viewer = self._viewer()
        if viewer is None or not settings.get("autosave"):
            return
        patients = active_patient(viewer)
        for case in list(cases_among(x for x in self._layers if not patients.awaits(x))):
            if case_key(case) not in self._asked:
                self._asked.add(case_key(case))
                if not self.restore_question.ask(case):
                    self.opened.emit(case)


def _user_is_busy() -> bool:
    from napari_smalltumor.questions import user_is_busy

    return user_is_busy()


def _timer(slot: Any, milliseconds: int, *, once: bool = False) -> QTimer | None:
    """A timer, or None without an event loop."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance()
    if application is None:
        return None
    timer = QTimer()
    timer.setSingleShot(once)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    if not once:
        timer.start()
        application.aboutToQuit.connect(slot)
    return timer


def _call_when_closed(window: QMainWindow | None, slot: Callable[[], None]) -> WindowClosed | None:
    if window is None:
        return None
    from napari_smalltumor.widgets.docks.window_closed import WindowClosed

    window_closed = WindowClosed(window)
    window_closed.closed.connect(slot)
    return window_closed


@one_per_viewer
def ensure_autosave(viewer: ViewerModel) -> ViewerAutosave:
    """Autosave a viewer's edits; further calls return the same object."""
    return ViewerAutosave(viewer)
