"""Edits that are offered when a case is opened, and those of which only their folder is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import continues_name
from smalltumor.errors import SmalltumorError

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.edit_texts import (
    what_was_exported_later,
    what_was_made_on_others,
    what_was_not_done,
    where_decisions_were_made,
    where_edits_were_made,
    whose_edits_they_are,
    why_edits_are_stranded,
    why_nothing_is_offered_of_unreadable,
)
from napari_smalltumor.autosave.exports import export_times, export_times_of
from napari_smalltumor.autosave.mask_files import SavedMask, read_masks, read_readers
from napari_smalltumor.autosave.restore import restore
from napari_smalltumor.case_data.moved_cases import (
    has_review,
    moved_cases,
    take_over,
    unreadable_cases,
)
from napari_smalltumor.case_data.records import CaseRecord, case_key
from napari_smalltumor.layers.metadata import case_of, same_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.viewer import main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel

RESTORE, LATER, DISCARD, TAKE_OVER = "Restore", "Not now", "Discard", "Take over"


class EditOffers:
    """Asks whether to restore the edits of a case that is opened.

    Parameters
    ----------
    viewer : ViewerModel
    autosave : Autosave
        The autosave of the viewer.
    """

    def __init__(self, viewer: ViewerModel, autosave: Autosave) -> None:
        self._ref = ref(viewer)
        self.autosave = autosave

    def about(self, case: Case) -> bool:
        """Ask about the edits of a case, also of one whose folder was renamed since.

        Returns
        -------
        bool
            Whether edits were restored.
        """
        moved = moved_cases(case)
        files, files_of = self.autosave.restorable_files, self.autosave.restorable_files_of
        own = [(file, None) for file in files(case)]
        others = [(file, record) for record in moved for file in files_of(record)]
        if not own and not others:
            for stranded in self.autosave.folder.stranded_edits(case):
                notify.info(why_edits_are_stranded(self._title_of(case), stranded))
        self._tell_of_unreadable(case)
        postponed = set()
        for file, record in (*own, *others):
            where = "" if record is None else where_edits_were_made(record, case)
            answer = self._offer(case, file, record, where)
            if answer == RESTORE:
                return True
            if answer == LATER and record is not None:
                postponed.add(record.key)
        for record in moved:
            if record.key not in postponed and has_review(record, case):
                self._offer_review(case, record)
        return False

    def _tell_of_unreadable(self, case: Case) -> None:
        for record in unreadable_cases(case):
            if self.autosave.restorable_files_of(record) or has_review(record, case):
                notify.info(why_nothing_is_offered_of_unreadable(record))

    def _offer(self, case: Case, file: Path, record: CaseRecord | None, where: str) -> str | None:
        """Offer the edits in a file, which may have been kept of a case with another record."""
        if not file.exists():  # another viewer may have restored or discarded it
            return None
        try:
            masks = read_masks(file)
        except SmalltumorError as error:
            notify.warn(f"Autosaved edits of {self._title_of(case)} are lost: {error}")
            return None
        question = self._question(case, file, masks, record, where)
        answer = self._ask("Restore edits?", question, RESTORE, LATER, DISCARD)
        key = case_key(case) if record is None else record.key
        if answer == DISCARD:
            self.autosave.discard(key, file)
        elif answer == RESTORE:
            self._restore(case, file, masks, record)
        elif self.autosave.is_own(file):
            self._set_aside(key, file)
        return answer

    def _restore(
        self, case: Case, file: Path, masks: list[SavedMask], record: CaseRecord | None
    ) -> None:
        key = case_key(case) if record is None else record.key
        self.autosave.take_up(key)  # what is added now are these edits, and nothing in their place
        try:
            readers = read_readers(file)
            if record is not None:
                take_over(record, case)
                masks = _renamed(masks, record.name, case.name)
            with active_patient(self._viewer).in_background():
                layers = restore(self._viewer, case, masks)
        except SmalltumorError as error:
            notify.report_error(error)
            if self.autosave.is_own(file):
                self._set_aside(key, file)
            return
        self.autosave.mark_edited(layers)
        with self.autosave.readers.restoring(case, readers):
            self.autosave.save()
        self.autosave.wait()
        saved = self.autosave.folder.file_of(case)
        if saved.exists() and saved != file:
            self.autosave.folder.discard(file)  # this viewer's own file now contains the edits
        notify.info(f"Restored {', '.join(layer.name for layer in layers)}")

    def _set_aside(self, key: str, file: Path) -> None:
        try:
            self.autosave.set_aside(key, file)
        except SmalltumorError as error:
            notify.report_error(error)

    def _offer_review(self, case: Case, record: CaseRecord) -> None:
        """Offer the decisions on lesions of a case whose folder was renamed."""
        text = where_decisions_were_made(record, case, self._title_of(case))
        actions = (
            f"{TAKE_OVER}: use them for this case. {LATER}: ask again when the case is next opened."
        )
        question = f"{text}\n\n{actions}"
        if self._ask("Take over decisions?", question, TAKE_OVER, LATER) == TAKE_OVER:
            try:
                take_over(record, case)
            except SmalltumorError as error:
                notify.report_error(error)

    def _question(
        self,
        case: Case,
        file: Path,
        masks: list[SavedMask],
        record: CaseRecord | None,
        where: str,
    ) -> str:
        own = [layer for layer in self._viewer.layers if same_case(case_of(layer), case)]
        saved_at = file.stat().st_mtime
        self.autosave.wait()  # a time of export may be being written
        exported_at = export_times(case) if record is None else export_times_of(record)
        parts = (
            f"Edits of {self._title_of(case)}, saved on "
            f"{datetime.fromtimestamp(saved_at):%Y-%m-%d %H:%M}, "
            f"{what_was_not_done([mask.name for mask in masks], own)}.",
            whose_edits_they_are(read_readers(file), settings.get("reader")),
            where,
            what_was_exported_later(masks, saved_at, exported_at),
            what_was_made_on_others(self.autosave.started_from_others(case, masks)),
            f"{LATER}: ask again when the case is next opened. {DISCARD}: delete them.",
        )
        return "\n\n".join(filter(None, parts))

    def _ask(self, title: str, text: str, *answers: str) -> str:
        from napari_smalltumor import questions  # Qt: the commands of menus load without it

        window = main_window(self._viewer)
        return questions.ask(window, title, text, *answers, harmless=LATER)

    def _title_of(self, case: Case) -> str:
        return case_title(self._viewer, case)

    @property
    def _viewer(self) -> ViewerModel:
        viewer = self._ref()
        assert viewer is not None
        return viewer


def _renamed(masks: Iterable[SavedMask], before: str, now: str) -> list[SavedMask]:
    """Masks whose names begin with the present name of their case."""
    return [
        replace(m, name=now + m.name[len(before) :]) if continues_name(m.name, before) else m
        for m in masks
    ]
