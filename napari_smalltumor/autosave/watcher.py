"""Autosave every minute, and ask whether to restore edits when a case is opened."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from smalltumor.data.case import Case
from smalltumor.errors import SmalltumorError

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.edit_texts import (
    what_was_exported_later,
    what_was_made_on_others,
    what_was_not_done,
)
from napari_smalltumor.autosave.exports import export_times
from napari_smalltumor.autosave.mask_files import SavedMask, read_masks
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.case_data.records import case_key
from napari_smalltumor.layers.metadata import case_of, cases_among, claim_roles, same_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.viewer import main_window, one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtCore import QTimer

INTERVAL_MS = 60_000


class ViewerAutosave:
    """Saves a viewer's edits every minute, and asks whether to restore saved edits."""

    def __init__(self, viewer: ViewerModel) -> None:
        claim_roles(viewer)
        self.autosave = Autosave(viewer.layers)
        self._viewer = ref(viewer)
        self._layers = viewer.layers
        self._asked: set[str] = set()
        self._failure_reported = False
        self._save_timer = _timer(self.save_now, INTERVAL_MS)
        self._ask_timer = _timer(self._ask_about_cases, 0, once=True)
        self._layers.events.inserted.connect(self._on_layers)
        self._layers.events.removed.connect(self._on_layers)
        active_patient(viewer).patients_changed.connect(self._on_layers)
        self._on_layers()

    def save_now(self) -> None:
        """Save the edits now. Only the first failed write is reported."""
        self.autosave.save()
        problem = self.autosave.problem()
        if problem is not None and not self._failure_reported:
            self._failure_reported = True
            notify.warn(f"Edits could not be autosaved: {problem}")

    def _on_layers(self, event: Any = None) -> None:
        self._asked &= {case_key(case) for case in cases_among(self._layers)}
        if self._ask_timer is not None:
            self._ask_timer.start()

    def _ask_about_cases(self) -> None:
        viewer = self._viewer()
        if viewer is None or not settings.get("autosave"):
            return
        patients = active_patient(viewer)
        for case in list(cases_among(x for x in self._layers if not patients.awaits(x))):
            if case_key(case) not in self._asked:
                self._asked.add(case_key(case))
                self._ask_about(case)

    def _ask_about(self, case: Case) -> None:
        files = self.autosave.restorable_files(case)
        for folder in [] if files else self.autosave.folder.folders_gone(case):
            notify.info(
                f"Edits of {case.name} in {folder} are kept, but its images are no longer there. "
                "If they were moved or renamed, move them back and open them to restore the edits."
            )
        for file in files:
            if not file.exists():  # another viewer may have restored or discarded it
                continue
            try:
                masks = read_masks(file)
            except SmalltumorError as error:
                notify.warn(f"Autosaved edits of {case.name} are lost: {error}")
                continue
            answer = _ask(self._viewer(), self._question(case, file, masks))
            if answer == DISCARD:
                self.autosave.folder.discard(file)
            elif answer == RESTORE:
                self._restore(case, file, masks)
                return
            elif self.autosave.is_own(file):
                self._set_aside(case, file)

    def _restore(self, case: Case, file: Path, masks: list[SavedMask]) -> None:
        viewer = self._viewer()
        assert viewer is not None
        try:
            with active_patient(viewer).in_background():
                layers = restore(viewer, case, masks)
        except SmalltumorError as error:
            notify.report(error)
            return
        self.autosave.mark_edited(layers)
        self.autosave.save()
        self.autosave.wait()
        if self.autosave.folder.file_of(case).exists() and not self.autosave.is_own(file):
            self.autosave.folder.discard(file)  # this viewer's own file now contains the edits
        notify.info(f"Restored {', '.join(layer.name for layer in layers)}")

    def _set_aside(self, case: Case, file: Path) -> None:
        try:
            self.autosave.set_aside(case, file)
        except SmalltumorError as error:
            notify.report(error)

    def _title_of(self, case: Case) -> str:
        viewer = self._viewer()
        assert viewer is not None
        return case_title(viewer, case)

    def _question(self, case: Case, file: Path, masks: list[SavedMask]) -> str:
        viewer = self._viewer()
        assert viewer is not None
        own = [layer for layer in viewer.layers if same_case(case_of(layer), case)]
        saved_at = file.stat().st_mtime
        self.autosave.wait()  # a time of export may be being written
        parts = (
            f"Edits of {self._title_of(case)}, saved on "
            f"{datetime.fromtimestamp(saved_at):%Y-%m-%d %H:%M}, "
            f"{what_was_not_done([mask.name for mask in masks], own)}.",
            what_was_exported_later(masks, saved_at, export_times(case)),
            what_was_made_on_others(self.autosave.started_from_others(case, masks)),
            f"{LATER}: ask again when the case is next opened. {DISCARD}: delete them.",
        )
        return "\n\n".join(filter(None, parts))


RESTORE, LATER, DISCARD = "Restore", "Not now", "Discard"


def _ask(viewer: ViewerModel | None, text: str) -> str:
    from napari_smalltumor import questions

    parent = None if viewer is None else main_window(viewer)
    return questions.ask(parent, "Restore edits?", text, RESTORE, LATER, DISCARD, harmless=LATER)


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


@one_per_viewer
def ensure_autosave(viewer: ViewerModel) -> ViewerAutosave:
    """Autosave a viewer's edits; further calls return the same object."""
    return ViewerAutosave(viewer)
