"""The Worklist dock: open a cohort's results, and review its cases one after another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QModelIndex
from smalltumor.cohort.reviews.ranking import Order
from smalltumor.cohort.reviews.review_table import Review
from smalltumor.cohort.reviews.worklist import Worklist, WorklistEntry
from smalltumor.errors import SmalltumorError

from napari_smalltumor import keys, notify, settings
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer import unproxied
from napari_smalltumor.widgets.docks.dock_keys import DockKeys
from napari_smalltumor.widgets.docks.dock_tabs import bring_to_front, show_as_tab
from napari_smalltumor.widgets.docks.follows_viewer import FollowsViewer
from napari_smalltumor.widgets.guarded_fields import guard_fields
from napari_smalltumor.worklist import texts
from napari_smalltumor.worklist.listed_lesions import ListedLesionSteps
from napari_smalltumor.worklist.panel import WorklistPanel
from napari_smalltumor.worklist.results import Results, holds_results
from napari_smalltumor.worklist.session import review_session
from napari_smalltumor.worklist.table_model import WorklistModel

if TYPE_CHECKING:
    from napari.viewer import Viewer


class WorklistDock(WorklistPanel, FollowsViewer):
    """Connects the panel with the cases of a cohort, of which one is open at a time.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        self.model = WorklistModel()
        super().__init__(PatientHeader(napari_viewer), self.model)
        self.model.setParent(self)
        self._viewer = unproxied(napari_viewer)
        self._patients = active_patient(napari_viewer)
        self._window = planes_window(napari_viewer)
        self.session = review_session(self._viewer)
        self.results = Results(self)
        self.keys: DockKeys | None = None
        self._is_about_case = False
        self._lesions = ListedLesionSteps(self._viewer)
        self.reader_field.setText(settings.get("reader"))
        show_as_tab(self, "Worklist")
        guard_fields(self)
        accept_drops(self, napari_viewer, holds_results, self.open_results)
        self._connect()
        self.follow_viewer()

    @property
    def worklist(self) -> Worklist | None:
        """What is listed."""
        return self.model.worklist

    def open_results(self, folder: Path, data: Path | None = None) -> None:
        """List the cases of a folder of results, which is read in a worker."""
        self.results.open(folder, data)

    def step(self, by: int) -> None:
        """Open the next case down or up the list that nobody has reviewed."""
        worklist = self._refreshed()
        if worklist is None:
            return
        index = worklist.unreviewed(self.table.currentIndex().row(), by)
        if index is None:
            self._show_message(texts.ALL_REVIEWED)
            return
        name, opened = worklist.entries[index].name, self._open_entry_of_list()
        is_open = self.session.is_active and opened is not None and opened.name == name
        self._open_entry(worklist, index)
        if is_open and self.session.is_active:
            self._show_case_message(texts.last_to_review(name))

    def show_least_certain(self) -> None:
        """List first what the network is least sure of; *Next* begins with that."""
        self.order_box.setCurrentIndex(self.order_box.findData(Order.CERTAINTY))
        self._refreshed()
        self.table.setCurrentIndex(QModelIndex())
        self.table.scrollToTop()

    def next_lesion(self) -> None:
        """Go to the next candidate or small lesion of the case; from the last to the first."""
        entry = self._open_entry_of_list()
        if entry is None or not self.session.is_active:
            return
        self._show_case_message(self._lesions.next(entry))

    def save(self) -> Review | None:
        """Save the mask of the open case as reviewed, and say so; None if it was not saved."""
        self._keep_reader()
        reader = str(settings.get("reader"))
        if not reader:
            self._show_message(texts.NO_READER)
            self.reader_field.setFocus()
            return None
        try:
            review = self.session.save(reader, self)
        except SmalltumorError as error:
            self._refreshed()  # another reader may have saved the case
            self._show_case_message(notify.error_text(error))
            notify.report_error(error)
            return None
        if review is not None:
            self._show_message(self._saved_text(review))
            self._focus_images()  # letters are meant for the patient, not for the name
        return review

    def _save_from_elsewhere(self) -> None:
        """Save as reviewed, and say so; show this dock if it has to ask who the reader is."""
        self._keep_reader()
        if not settings.get("reader"):
            bring_to_front(self)
        review = self.save()
        if review is not None:
            notify.info(self._saved_text(review))  # this dock may be covered

    def _saved_text(self, review: Review) -> str:
        """That a case was saved, with its cohort if that is not the listed one."""
        current = self.session.current
        if current is None or self._open_entry_of_list() is not None:
            return texts.saved(review)
        return texts.saved(review, current.worklist.folder.name)

    def _connect(self) -> None:
        self.results.began.connect(lambda name: self._show_message(f"Reading {name} ..."))
        self.results.read.connect(self._on_read)
        self.results.failed.connect(self._on_not_read)
        self.choose_button.clicked.connect(self.results.ask_for_folder)
        self.data_button.clicked.connect(self.results.ask_for_images)
        self.order_box.currentIndexChanged.connect(lambda index: self._reorder())
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.next_button.clicked.connect(lambda: self.step(1))
        self.lesion_button.clicked.connect(lambda: self.next_lesion())
        self.save_button.clicked.connect(lambda: self.save())
        self.reader_field.editingFinished.connect(self._keep_reader)
        self.reader_field.returnPressed.connect(self._focus_images)
        self.table.activated.connect(self._open_row)
        self.table.selectionModel().currentRowChanged.connect(lambda *rows: self._update())

    def connect_viewer(self) -> None:
        """Connect to the viewer, and show what is there now."""
        self._patients.changed.connect(self._on_patient)
        self._patients.patients_changed.connect(self._update)
        self.session.changed.connect(self._on_session_changed)
        settings.changed.connect(self._on_setting)
        self._lesions.open()
        state = save_state(unproxied(self._viewer))
        session = self.session
        state.follow_reviews(session.is_of, self._save_from_elsewhere, session.changed)
        window = self._window
        actions: dict[keys.Key, Callable[[], object]] = {
            keys.NEXT_CASE: partial(self.step, 1),
            keys.PREVIOUS_CASE: partial(self.step, -1),
            keys.NEXT_LISTED: self.next_lesion,
            keys.REVIEWED: self.save,
        }
        self.keys = DockKeys(window.main_window if window else self, self, actions)
        self._show_message("" if self.worklist else texts.NOTHING_LISTED)
        self._update()

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer and its layers."""
        self._patients.changed.disconnect(self._on_patient, missing_ok=True)
        self._patients.patients_changed.disconnect(self._update, missing_ok=True)
        self.session.changed.disconnect(self._on_session_changed, missing_ok=True)
        settings.changed.disconnect(self._on_setting, missing_ok=True)
        session = self.session
        save_state(unproxied(self._viewer)).follow_reviews(
            session.is_of, lambda: notify.warn(texts.NO_DOCK), session.changed
        )
        if self.keys is not None:
            self.keys.unbind()
            self.keys = None
        self._lesions.close()

    def _on_setting(self, name: str, value: object) -> None:
        if isalive(self) and name.startswith("speck_"):
            self.model.count_again()
            self._update()

    def _reorder(self) -> None:
        """Keep the case that is selected."""
        entry = self._selected()
        if self.worklist is None:
            return
        worklist = self.worklist.ordered(self._order)
        self.model.set_worklist(worklist)
        names = [each.name for each in worklist.entries]
        if entry is not None:
            self.table.selectRow(names.index(entry.name))
        self._update()

    @property
    def _order(self) -> Order:
        return Order(self.order_box.currentData())

    def _on_read(self, worklist: Worklist) -> None:
        self.model.set_worklist(worklist.ordered(self._order))
        for reason in worklist.problems:
            notify.warn(reason)
        self._show_message("")
        self._update()

    def _on_not_read(self, error: Exception) -> None:
        if not isinstance(error, SmalltumorError):
            notify.report_error(error)
            self._show_message("")
            return
        self._show_message(notify.error_text(error))
        self._update()

    def _refreshed(self) -> Worklist | None:
        """The worklist with the reviews of now, or as it was if they cannot be read."""
        if self.worklist is not None:
            try:
                self.model.set_worklist(self.worklist.with_reviews_of_now())
            except SmalltumorError as error:
                notify.report_error(error)
            self._update()
        return self.worklist

    def _on_session_changed(self) -> None:
        """The mask that was opened or saved may be of a review that is not listed yet."""
        if isalive(self) and self.follows_viewer and not self.session.opening:
            self._refreshed()
        else:
            self._update()

    def _open_row(self, index: QModelIndex) -> None:
        if self.worklist is not None:
            self._open_entry(self.worklist, index.row())

    def _open_entry_of_list(self) -> WorklistEntry | None:
        """The case that is open, if it is listed."""
        current, worklist = self.session.current, self.worklist
        if current is None or worklist is None:
            return None
        entry = next((e for e in worklist.entries if e.name == current.begun.case), None)
        return entry if entry is not None and self.session.is_on(worklist, entry) else None

    def _open_entry(self, worklist: Worklist, index: int) -> None:
        entry = worklist.entries[index]
        if not entry.can_be_opened:
            self.table.selectRow(index)
            self._show_message(texts.cannot_be_opened(entry.name))
            return
        if self.session.open(worklist, entry, self):
            self.table.selectRow(index)
            self._show_message("")
            self._focus_images()

    def _focus_images(self) -> None:
        if self._window is not None:
            self._window.focus_images()

    def _keep_reader(self) -> None:
        reader = str(self.reader_field.text()).strip()
        if reader != settings.get("reader"):
            settings.put("reader", reader)
            self._update()

    def _selected(self) -> WorklistEntry | None:
        return self.model.entry(self.table.currentIndex().row())

    def _update(self) -> None:
        if not isalive(self) or not self.follows_viewer:
            return
        worklist, opened, entry = self.worklist, self._open_entry_of_list(), self._selected()
        self.model.set_open(opened.name if opened is not None else "")
        is_open = entry is not None and opened is not None and entry.name == opened.name
        self.about.setText("" if entry is None else texts.about_case(entry, is_open=is_open))
        self.about.setVisible(entry is not None)
        listed = worklist is not None and not self.session.opening
        self.previous_button.setEnabled(listed)
        self.next_button.setEnabled(listed)
        self.save_button.setEnabled(self.session.is_active)
        self.lesion_button.setEnabled(self.session.is_active)
        self.data_button.setEnabled(self.results.folder is not None)
        self.progress.setText("" if worklist is None else texts.progress(worklist))
        self.progress.setVisible(worklist is not None)

    def _on_patient(self) -> None:
        """Remove what was said while another patient was active."""
        if isalive(self) and self._is_about_case:
            self._show_message("")
        self._update()

    def _show_case_message(self, text: str) -> None:
        """Say something until another patient is active."""
        self._show_message(text)
        self._is_about_case = True

    def _show_message(self, text: str) -> None:
        self._is_about_case = False
        self.message.setText(text)
        self.message.setVisible(bool(text))
