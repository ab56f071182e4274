"""The Lesions dock: a table of lesions, small ones first, updated while the user paints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor import keys, notify
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.actions.clicks import ReviewClicks
from napari_smalltumor.lesions.actions.large_deletion import ask_to_delete
from napari_smalltumor.lesions.actions.review_actions import ReviewActions
from napari_smalltumor.lesions.limits import LesionLimits
from napari_smalltumor.lesions.panel import LesionsPanel
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.saved_table import SavedTable
from napari_smalltumor.lesions.search.finder import LesionFinder
from napari_smalltumor.lesions.search.specks import title_of
from napari_smalltumor.lesions.second_look.finder import CandidateFinder
from napari_smalltumor.lesions.source_choice import SourceChoice
from napari_smalltumor.lesions.table.model import LesionsModel
from napari_smalltumor.loading.dropping import accept_drops
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.widgets.docks.dock_keys import DockKeys
from napari_smalltumor.widgets.docks.dock_tabs import show_as_tab
from napari_smalltumor.widgets.docks.follows_viewer import FollowsViewer
from napari_smalltumor.widgets.flag import Flag
from napari_smalltumor.widgets.guarded_fields import guard_fields

if TYPE_CHECKING:
    from napari.viewer import Viewer


class LesionsDock(LesionsPanel, FollowsViewer):
    """Connects the panel with the review of the lesions in a viewer.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        self.model = LesionsModel()
        super().__init__(self.model, PatientHeader(napari_viewer))
        self.model.setParent(self)
        self._viewer = napari_viewer
        self._updating = Flag()
        self._failure = ""
        self.review = LesionReview(napari_viewer)
        self.finder = LesionFinder(self)
        self.candidate_finder = CandidateFinder(self)
        self.review_actions = ReviewActions(
            *(self.review, self.model, self.selected_rows, self.show_message),
            *(self.finder.search, self.candidate_finder.refresh),
            partial(ask_to_delete, self),
        )
        self.clicks = ReviewClicks(
            *(napari_viewer, self.review, self.show_message, self.finder.search),
            partial(ask_to_delete, self),
        )
        self.table_file = SavedTable(self, self.model, self.review, self.candidate_finder)
        self.choice = SourceChoice(self, self.review)
        self.limits = LesionLimits(self)
        self.review.rule = self.limits.rule
        self._window = planes_window(napari_viewer)
        show_as_tab(self, "Lesions")
        guard_fields(self)
        accept_drops(self, napari_viewer)
        self._connect()
        self._on_scan()
        self._set_target()
        self.follow_viewer()

    def toggle_specks(self) -> None:
        """List the specks one by one, or fold them; their row stays selected."""
        selected = self.review_actions.specks_row_is_selected()
        self.review_actions.toggle_specks()
        if selected:
            self.select_row(self.model.specks_row)

    def next_region(self) -> None:
        """Review the next region of the segmentation; the first one follows the last one."""
        if self.region_box.count():
            self.region_box.setCurrentIndex(
                (self.region_box.currentIndex() + 1) % self.region_box.count()
            )

    def focus_table(self) -> None:
        """Give the table the focus."""
        self.table.setFocus()

    def focus_images(self) -> None:
        """Give the planes or napari's canvas the focus."""
        if self._window is not None:
            self._window.focus_images()

    def connect_viewer(self) -> None:
        """Bind the keys, and review what is in the viewer now."""
        window = self._window.main_window if self._window else self
        self.keys = DockKeys(window, self, self._actions_of_keys())
        if not self.review.segmentation.is_open:  # it is in a new dock
            self.clicks.open()
            self.review.open()  # what is found by `_set_target`, as after any change of source

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer, and give the keys back."""
        self.keys.unbind()
        self.finder.stop()
        self.candidate_finder.stop()
        self.clicks.close()
        self.review.close()

    def _actions_of_keys(self) -> dict[keys.Key, Callable[[], None]]:
        actions = self.review_actions
        return {
            keys.NEXT: actions.next_small,
            keys.PREVIOUS: actions.previous_small,
            keys.ACCEPT: actions.accept,
            keys.DELETE: actions.delete,
            keys.UNDO: actions.undo,
            keys.FOLD: self.toggle_specks,
            keys.DELETE_SPECKS: actions.delete_specks,
            keys.REGION: self.next_region,
            keys.TABLE: self.focus_table,
        }

    def _connect(self) -> None:
        actions = self.review_actions
        self.limits.threshold_changed.connect(self._set_target)
        self.limits.rule_changed.connect(self._set_rule)
        self.ring_box.toggled.connect(self.review.set_rings_visible)
        for button, action in (
            (self.previous_button, actions.previous_small),
            (self.next_button, actions.next_small),
            (self.accept_button, actions.accept),
            (self.delete_button, actions.delete),
            (self.undo_button, actions.undo),
            (self.fold_button, self.toggle_specks),
            (self.delete_specks_button, actions.delete_specks),
            (self.copy_button, self.table_file.copy),
            (self.save_button, self.table_file.ask_and_save),
        ):
            button.clicked.connect(action)
        self.table.selectionModel().selectionChanged.connect(self._on_selection)
        self.table.clicked.connect(self._on_click)
        self.table.copied.connect(self.table_file.copy)
        self.table.delete_pressed.connect(actions.delete)
        self.table.accept_pressed.connect(actions.accept)
        self.table.activated_row.connect(self._on_enter)
        self.table.escaped.connect(self.focus_images)
        self.finder.found.connect(self._on_found)
        self.finder.failed.connect(self._on_failed)
        self.candidate_finder.found.connect(self.review.set_candidates)
        self.candidate_finder.failed.connect(self._on_second_look_failed)
        self.candidates_table.chosen.connect(self._on_candidate)
        self.candidates_table.accept_pressed.connect(actions.accept)
        self.candidates_table.delete_pressed.connect(actions.delete)
        self.candidates_table.escaped.connect(self.focus_images)
        self.review.segmentation.sources_changed.connect(self._on_scan)
        self.review.source_changed.connect(self._on_source)
        self.review.lesions_changed.connect(self._show_lesions)
        self.review.current_changed.connect(self._show_current)
        self.review.went_to_place.connect(self._deselect)
        self.review.segmentation.visible_changed.connect(self._on_visible)
        self.review.segmentation.scan_changed.connect(self._on_scan)

    def _on_source(self) -> None:
        self.show_message("")
        self._set_target()

    def _set_rule(self) -> None:
        self.review.rule = self.limits.rule

    def _set_target(self) -> None:
        self._failure = ""
        self.finder.set_target(self.review.source, self.review.region, self.limits.threshold)
        is_et = self.review.region is Region.ET
        source = self.review.source if is_et else None
        self.candidate_finder.set_target(source, self.limits.threshold)

    def _on_found(self, lesions: list[Lesion]) -> None:
        self._failure = ""
        self.review.set_lesions(lesions)
        if self.finder.follows_edit:
            self.show_message("")  # a stroke, or the layer's own undo, came after what it says
        self.candidate_finder.refresh()  # the mask may have reached one, or left it

    def _on_failed(self, message: str) -> None:
        """Remove the lesions of an earlier mask, and report a failure that is new."""
        is_new, self._failure = message != self._failure, message
        self.review.set_lesions([])
        if is_new:
            notify.error(f"The search for lesions failed: {message}")

    def _on_second_look_failed(self, message: str) -> None:
        notify.error(f"The second look failed: {message}")

    def _on_candidate(self, candidate: Lesion) -> None:
        """Go to the candidate of a row."""
        self._deselect()
        self.review.go_to(candidate)

    def _deselect(self) -> None:
        with self._updating:
            self.table.clearSelection()
        self.show_message("")

    def _show_lesions(self) -> None:
        review, specks = self.review, self.review.specks
        with self._updating:
            self.model.set_lesions(
                review.lesions,
                [lesion for lesion in review.lesions if review.is_accepted(lesion)],
                specks=specks,
                specks_title=title_of(specks, review.rule),
                unfolded=review.unfolded,
            )
            self.table.span_specks_row()
        all_accepted = (texts.ALL_SMALL_ACCEPTED, texts.CANDIDATES_FOLLOW)
        if self.message in all_accepted and review.small_to_accept:
            self.show_message("")
        if self.message == texts.NO_SMALL_LESIONS and any(x.is_small for x in self.model.with_rows):
            self.show_message("")
        self.show_specks(len(specks), unfolded=review.unfolded, from_network=review.from_network)
        self._show_current()
        self._show_summary()

    def _on_visible(self) -> None:
        """Say whether the mask is hidden, and remove an earlier line about that."""
        if self.review.unseen.under_review is None:
            self.show_message("")
        self._show_summary()

    def _on_scan(self) -> None:
        """Remove the line that the current scan must be shown when it is."""
        if self.message == texts.EARLIER_SCAN and not self.review.unseen.earlier_scan_is_shown:
            self.show_message("")

    def _show_summary(self) -> None:
        busy = self.finder.busy
        self.show_summary(texts.summary(self.review, searching=busy, failure=self._failure))

    def _show_current(self) -> None:
        current, finder = self.review.current, self.candidate_finder
        with self._updating:
            if self.review.is_candidate(current):
                self.table.clearSelection()
            self.select_row(self.model.row_of(current))
        title = texts.candidates_title(
            self.review, finder.status, searching=finder.busy, doubtful=bool(finder.score_warning)
        )
        about = texts.about_candidates(finder.score_warning, finder.problem)
        self.show_candidates(title, self.review.candidates, current, about)
        self._enable_buttons()

    def _enable_buttons(self) -> None:
        selected = self.review_actions.selected()
        self.enable_buttons(
            selected=bool(selected),
            small=bool(self.review.small or self.review.candidates),
            undo=self.review.can_undo,
            rows=bool(self.table_file.lesions),
            accepted=bool(selected) and all(map(self.review.is_accepted, selected)),
            candidate=bool(selected) and self.review.is_candidate(selected[0]),
        )

    def _on_selection(self, *_: Any) -> None:
        if self._updating:
            return
        rows = self.selected_rows()
        if len(rows) == 1:
            self.review_actions.go_to_row(rows[0])
        elif rows and self.review.is_candidate(self.review.current):
            self.review.leave()
        self._enable_buttons()

    def _on_click(self, index: QModelIndex) -> None:
        if len(self.selected_rows()) == 1:
            self._on_enter(index.row())

    def _on_enter(self, row: int) -> None:
        """Go to the lesion of a row, or list or fold the specks."""
        if row == self.model.specks_row:
            self.toggle_specks()
        elif self.model.lesion(row) is not None:
            self.review_actions.go_to_row(row)
