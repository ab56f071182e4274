"""The question whether to restore the edits of a case that is opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import continues_name
from smalltumor.errors import SmalltumorError
from smalltumor.labels.regions import Region
from smalltumor.text import list_text

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.autosave import Autosave
from napari_smalltumor.autosave.edit_texts import (
    hidden_masks_text,
    later_export_text,
    moved_decisions_text,
    moved_edits_text,
    not_saved_text,
    other_masks_text,
    readers_text,
    unreadable_images_text,
    unrestorable_edits_text,
)
from napari_smalltumor.autosave.exports import export_times, export_times_of
from napari_smalltumor.autosave.mask_files import SavedMask, read_masks, read_readers
from napari_smalltumor.autosave.masks import key_of, layer_key, masks_among
from napari_smalltumor.autosave.restore import restore, restored_hidden
from napari_smalltumor.case_data.moved_cases import (
    has_review,
    moved_cases,
    take_over,
    unreadable_cases,
)
from napari_smalltumor.case_data.records import CaseRecord, case_key
from napari_smalltumor.display.existing_mask_notice import ensure_existing_mask_notice
from napari_smalltumor.layers.drawing_errors import DrawingErrors
from napari_smalltumor.layers.metadata import case_of, same_case
from napari_smalltumor.layers.patient import patient_of_shown_case
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.viewer import qt_main_window

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

RESTORE, LATER, DISCARD, TAKE_OVER = "Restore", "Not now", "Discard", "Take over"


class SavedEdits(NamedTuple):
    """Edits of a case in a file.

    Parameters
    ----------
    file : Path
    key : str
        The `case_key` of the case.
    record : CaseRecord, optional
        The record of the case if its images lay at another place.
    masks : list of SavedMask
    readers : list of str
    time : float
        When they were saved, in seconds since the epoch.
    """

    file: Path
    key: str
    record: CaseRecord | None
    masks: list[SavedMask]
    readers: list[str]
    time: float


class RestoreQuestion:
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

    def ask(self, case: Case) -> bool:
        """Ask about the edits of a case, also of one whose folder was renamed since.

        Returns
        -------
        bool
            Whether edits were restored.
        """
        self.autosave.wait()  # files and times of exports may be being written
        moved = moved_cases(case)
        files, files_of = self.autosave.restorable_files, self.autosave.restorable_files_of
        here = [(file, None) for file in files(case)]
        elsewhere = [(file, record) for record in moved for file in files_of(record)]
        if not here and not elsewhere:
            for edits in self.autosave.folder.unrestorable_edits(case):
                notify.info(unrestorable_edits_text(self._title_of(case), edits))
        self._report_unreadable(case)
        postponed = set()
        for file, record in (*here, *elsewhere):
            answer = self._ask_about_file(case, file, record)
            if answer == RESTORE:
                return True
            if answer == LATER and record is not None:
                postponed.add(record.key)
        for record in moved:
            if record.key not in postponed and has_review(record, case):
                self._ask_about_decisions(case, record)
        return False

    def _report_unreadable(self, case: Case) -> None:
        for record in unreadable_cases(case):
            if self.autosave.restorable_files_of(record) or has_review(record, case):
                notify.info(unreadable_images_text(record))

    def _ask_about_file(self, case: Case, file: Path, record: CaseRecord | None) -> str | None:
        """Ask about the edits in a file, which may have been kept of a case with another record."""
        if not file.exists():  # another viewer may have restored or discarded it
            return None
        key = case_key(case) if record is None else record.key
        try:
            masks, readers = read_masks(file), read_readers(file)
        except SmalltumorError as error:
            notify.warn(f"Autosaved edits of {self._title_of(case)} are lost: {error}")
            return None
        edits = SavedEdits(file, key, record, masks, readers, file.stat().st_mtime)
        question = self._question(case, edits)
        answer = self._ask("Restore edits?", question, RESTORE, LATER, DISCARD)
        if answer == DISCARD:
            self.autosave.cases.discard(key, file)
        elif answer == RESTORE:
            self._restore(case, edits)
        else:
            self._set_aside(edits)
        return answer

    def _restore(self, case: Case, edits: SavedEdits) -> None:
        if self.autosave.folder.is_own(edits.file):
            # What is added now is nothing in the place of these edits.
            self.autosave.cases.answered(edits.key)
        before = set(self._viewer.layers)
        with DrawingErrors() as drawing_errors:
            try:
                layers = self._restored_layers(case, edits, drawing_errors)
            except SmalltumorError as error:
                notify.report_error(error)
                self._set_aside(edits)
            else:
                new = [layer for layer in layers if layer not in before]
                self._keep_restored(case, edits, layers, new)

    def _restored_layers(
        self, case: Case, edits: SavedEdits, drawing_errors: DrawingErrors
    ) -> list[Labels]:
        if edits.record is not None:
            take_over(edits.record, case)
        masks = _masks_of(case, edits)
        with active_patient(self._viewer).in_background():
            return restore(self._viewer, case, masks, drawing_errors)

    def _keep_restored(
        self, case: Case, edits: SavedEdits, layers: list[Labels], new: list[Labels]
    ) -> None:
        """Autosave what was restored as edits of this viewer, in place of the file."""
        began = {key_of(m.region, m.name): m.opened_checksum for m in _masks_of(case, edits)}
        opened = {layer: began.get(layer_key(layer)) for layer in new}
        self.autosave.mark_edited(layers, edits.readers, opened)
        self.autosave.wait()
        saved = self.autosave.cases.get(case_key(case))
        is_saved = saved is not None and saved.is_saved
        if is_saved and edits.file != self.autosave.folder.file_of(case):
            self.autosave.folder.discard(edits.file)  # this viewer's own file now has the edits
        patient = patient_of_shown_case(self._viewer.layers, case)
        ensure_existing_mask_notice(self._viewer).end(patient)
        hidden = [layer.name for layer in layers if not layer.visible]
        text = (
            f"Restored {list_text(_short_names(_masks_of(case, edits)))} of {self._title_of(case)}."
        )
        is_hidden = f" {list_text(hidden)} {'is' if len(hidden) == 1 else 'are'} hidden."
        notify.info(text + (is_hidden if hidden else ""))

    def _set_aside(self, edits: SavedEdits) -> None:
        """Keep a file of this viewer for a later question; that of another one stays there."""
        if not self.autosave.folder.is_own(edits.file):
            return
        try:
            self.autosave.cases.set_aside(edits.key, edits.file)
        except SmalltumorError as error:
            notify.report_error(error)

    def _ask_about_decisions(self, case: Case, record: CaseRecord) -> None:
        """Ask whether to use the decisions on lesions of a case whose folder was renamed."""
        text = moved_decisions_text(record, case, self._title_of(case))
        actions = (
            f"{TAKE_OVER}: use them for this case. {LATER}: ask again when the case is next opened."
        )
        question = f"{text}\n\n{actions}"
        if self._ask("Take over decisions?", question, TAKE_OVER, LATER) == TAKE_OVER:
            try:
                take_over(record, case)
            except SmalltumorError as error:
                notify.report_error(error)

    def _question(self, case: Case, edits: SavedEdits) -> str:
        record, masks = edits.record, edits.masks
        shown = [layer for layer in self._viewer.layers if same_case(case_of(layer), case)]
        exported_at = export_times(case) if record is None else export_times_of(record)
        parts = (
            f"Edits of {self._title_of(case)}, autosaved on "
            f"{datetime.fromtimestamp(edits.time):%Y-%m-%d %H:%M}, "
            f"{not_saved_text(_short_names(masks), shown)}.",
            readers_text(edits.readers, settings.get("reader")),
            "" if record is None else moved_edits_text(record, case),
            later_export_text(masks, edits.time, exported_at),
            other_masks_text(self._with_other_masks(masks, shown)),
            hidden_masks_text(restored_hidden(self._viewer, case, _masks_of(case, edits))),
            f"{LATER}: ask again when the case is next opened. {DISCARD}: delete them.",
        )
        return "\n\n".join(filter(None, parts))

    def _with_other_masks(self, masks: Iterable[SavedMask], shown: Iterable[Layer]) -> list[str]:
        """Names of the layers of a case that have another mask than the saved edits began with."""
        baselines = self.autosave.baselines
        before = {
            key_of(m.region, m.name): (None, m.baseline_checksum, m.opened_checksum)
            for m in masks
            if m.baseline_checksum is not None
        }
        return [
            layer.name
            for layer in masks_among(shown)
            if (key := layer_key(layer)) in before and baselines.checksum(layer) not in before[key]
        ]

    def _ask(self, title: str, text: str, *answers: str) -> str:
        from napari_smalltumor import questions  # Qt: the commands of menus load without it

        window = qt_main_window(self._viewer)
        return questions.ask(window, title, text, *answers, harmless=LATER)

    def _title_of(self, case: Case) -> str:
        return case_title(self._viewer, case)

    @property
    def _viewer(self) -> ViewerModel:
        viewer = self._ref()
        assert viewer is not None
        return viewer


def _short_names(masks: Iterable[SavedMask]) -> list[str]:
    """ET, TC and WT, and then the names of other layers."""
    masks = list(masks)
    regions = [region.name for region in Region if any(m.region == region for m in masks)]
    return [*regions, *(m.name for m in masks if m.region is None)]


def _masks_of(case: Case, edits: SavedEdits) -> list[SavedMask]:
    """The masks of edits, with names as they are in the case now."""
    if edits.record is None:
        return edits.masks
    return _renamed(edits.masks, edits.record.name, case.name)


def _renamed(masks: Iterable[SavedMask], before: str, now: str) -> list[SavedMask]:
    """Masks whose names begin with the present name of their case."""
    return [
        replace(m, name=now + m.name[len(before) :]) if continues_name(m.name, before) else m
        for m in masks
    ]
