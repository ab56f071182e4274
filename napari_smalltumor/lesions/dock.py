"""The Lesions dock: a table of lesions, small ones first, updated while the user paints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog
from smalltumor.errors import SmalltumorError
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.lesions import Lesion, csv_text, write_csv

from napari_smalltumor import keys, notify, settings
from napari_smalltumor.lesions.finder import LesionFinder
from napari_smalltumor.lesions.keys import ReviewKeys
from napari_smalltumor.lesions.panel import LesionsPanel
from napari_smalltumor.lesions.review import LesionReview
from napari_smalltumor.lesions.table_model import LesionsModel
from napari_smalltumor.patient_header import PatientHeader

if TYPE_CHECKING:
    from napari.viewer import Viewer


class LesionsDock(LesionsPanel):
    """Connects the panel with the review of the lesions in a viewer.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        self.model = LesionsModel()
        super().__init__(self.model)
        self.model.setParent(self)
        self.set_header(PatientHeader(napari_viewer))
        self._viewer = napari_viewer
        self._updating = False
        self._failure = ""
        self.review = LesionReview(napari_viewer)
        self.finder = LesionFinder(self)
        self.keys = ReviewKeys(
            napari_viewer,
            {
                keys.NEXT.napari: self.next_small,
                keys.PREVIOUS.napari: self.previous_small,
                keys.ACCEPT.napari: self.accept,
                keys.DELETE.napari: self.delete,
                keys.UNDO.napari: self.undo,
            },
        )
        self.threshold.setValue(int(settings.get("threshold")))
        # The widget may be deleted with its parent; it then gets no ParentChange event.
        self.destroyed.connect(partial(_disconnect, self.finder, self.keys, self.review))
        self._connect()
        self._show_sources()
        self._set_target()

    def next_small(self) -> None:
        """Go to the next small lesion of the table."""
        self._step(1)

    def previous_small(self) -> None:
        """Go to the previous small lesion of the table."""
        self._step(-1)

    def accept(self) -> None:
        """Accept the current lesion and go to the next small one that is not accepted.

        If the lesion is accepted already, the mark is removed.
        """
        current = self.review.current
        if current is None:
            self.show_message("Select a lesion to accept")
            return
        if self.review.is_accepted(current):
            self.review.accept(False)
            return
        self.review.accept()
        remaining = [x for x in self.model.lesions if x.small and not self.review.is_accepted(x)]
        if remaining:
            self.review.go_to(self._next_after(current, remaining))
        else:
            self.show_message("Every small lesion is accepted")

    def delete(self) -> None:
        """Delete the selected lesions from their layer and from the regions inside it."""
        current = self.review.current
        lesions = [self.model.lesions[row] for row in self.selected_rows()]
        if not lesions and current is not None:
            lesions = [current]
        if not lesions:
            self.show_message("Select a lesion to delete")
            return
        deleted = self.review.delete(lesions)
        if deleted:
            size = sum(lesion.voxels for lesion in deleted)
            self.show_message(
                f"Deleted {_count(len(deleted), 'lesion')}, {_count(size, 'voxel')}; "
                "click Undo to restore"
            )
        else:
            self.show_message("The lesion has been edited; the table is being updated")
        self.finder.search()

    def undo(self) -> None:
        """Restore the lesions that were deleted last."""
        if self.review.undo():
            self.show_message("Restored what was deleted last")
            self.finder.search()

    def copy(self) -> None:
        """Copy the selected rows, or all rows, with all columns as tab-separated text."""
        rows = self.selected_rows()
        lesions = [self.model.lesions[row] for row in rows] if rows else self.model.lesions
        text = csv_text(self.review.reviewed(lesions), delimiter="\t")
        QGuiApplication.clipboard().setText(text)
        self.show_message(f"Copied {_count(len(lesions), 'row')}")

    def save(self) -> None:
        """Ask for a file and save the table as CSV."""
        source = self.review.source
        lesions = self.review.reviewed(self.model.lesions)  # as they were when Save was clicked
        name = f"{source.name if source else 'case'}_{self.review.region.value}_lesions.csv"
        last = Path(settings.last_folder(saving=True))
        start = last / name if last.is_dir() else last.with_name(name)
        chosen, _ = QFileDialog.getSaveFileName(self, "Save lesions", str(start), "CSV (*.csv)")
        if chosen:
            self.save_to(Path(chosen), lesions)

    def save_to(self, path: Path, lesions: list[Lesion] | None = None) -> None:
        """Save lesions, by default those of the table, as CSV, and replace an existing file."""
        path = path if path.suffix else path.with_suffix(".csv")
        try:
            rows = self.review.reviewed(self.model.lesions) if lesions is None else lesions
            write_csv(rows, path, overwrite=True)
        except SmalltumorError as error:
            notify.report(error)
            return
        settings.remember_folder(path.parent, saving=True)
        self.show_message(f"Saved {path.name}")

    def event(self, event: QEvent) -> bool:
        """Disconnect from the viewer when the dock is taken out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            _disconnect(self.finder, self.keys, self.review)
        return bool(super().event(event))

    def _connect(self) -> None:
        self.source_box.currentIndexChanged.connect(self._choose)
        self.region_box.currentIndexChanged.connect(self._choose)
        self.threshold.valueChanged.connect(self._on_threshold)
        self.ring_box.toggled.connect(self.review.set_rings_visible)
        self.table.selectionModel().selectionChanged.connect(self._on_selection)
        self.table.clicked.connect(self._on_selection)
        for button, action in (
            (self.previous_button, self.previous_small),
            (self.next_button, self.next_small),
            (self.accept_button, self.accept),
            (self.delete_button, self.delete),
            (self.undo_button, self.undo),
            (self.copy_button, self.copy),
            (self.save_button, self.save),
        ):
            button.clicked.connect(action)
        self.keys.bind_widget(self)
        self.table.copied.connect(self.copy)
        self.table.delete_pressed.connect(self.delete)
        self.finder.found.connect(self._on_found)
        self.finder.failed.connect(self._on_failed)
        self.review.sources_changed.connect(self._show_sources)
        self.review.source_changed.connect(self._on_source)
        self.review.lesions_changed.connect(self._show_lesions)
        self.review.current_changed.connect(self._show_current)

    def _show_sources(self) -> None:
        with self._programmatic_update():
            self.source_box.clear()
            for source in self.review.sources:
                self.source_box.addItem(source.name, source)
            self._show_source()

    def _show_source(self) -> None:
        source = self.review.source
        rows = [n for n, s in enumerate(self.review.sources) if s.is_same(source)]
        self.source_box.setCurrentIndex(rows[0] if rows else -1)
        self.set_regions(tuple(source.layers) if source is not None else ())
        self.region_box.setCurrentIndex(self.region_box.findData(self.review.region.value))

    def _choose(self) -> None:
        if self._updating:
            return
        source = self.source_box.currentData()
        region = self.region_box.currentData()
        self.review.choose(source, None if region is None else Region(region))

    def _on_source(self) -> None:
        self.show_message("")
        with self._programmatic_update():
            self._show_source()
        self._set_target()

    def _on_threshold(self, value: int) -> None:
        settings.put("threshold", value)
        self._set_target()

    def _set_target(self) -> None:
        self._failure = ""
        self.finder.set_target(self.review.source, self.review.region, self.threshold.value())

    def _on_found(self, lesions: list[Lesion]) -> None:
        self._failure = ""
        could_undo = self.review.can_undo
        self.review.set_lesions(lesions)
        if could_undo and not self.review.can_undo:
            self.show_message("")  # the layer's own undo has taken the deletion back

    def _on_failed(self, message: str) -> None:
        """Remove the lesions of an earlier mask, and report a failure that is new."""
        is_new, self._failure = message != self._failure, message
        self.review.set_lesions([])
        if is_new:
            notify.error(f"The search for lesions failed: {message}")

    def _show_lesions(self) -> None:
        lesions = self.review.lesions
        with self._programmatic_update():
            self.model.set_lesions(lesions, [self.review.is_accepted(x) for x in lesions])
        self._show_current()
        self.show_summary(self._summary())

    def _show_current(self) -> None:
        row = self.model.row_of(self.review.current)
        with self._programmatic_update():
            self.select_row(row)
        self.enable_buttons(
            current=self.review.current is not None,
            small=bool(self.review.small),
            undo=self.review.can_undo,
            rows=bool(self.review.lesions),
            accepted=row is not None and self.review.is_accepted(self.model.lesions[row]),
        )

    def _summary(self) -> str:
        if self.review.source is None:
            return "No segmentation: segment a case, or open a case with labels"
        if self._failure:
            return f"The search for lesions failed: {self._failure}"
        lesions, small = self.review.lesions, self.review.small
        name = REGION_NAMES[self.review.region]
        if not lesions:
            return "Searching for lesions ..." if self.finder.busy else f"No {name}"
        ml = sum(lesion.ml for lesion in lesions)
        return f"{_count(len(lesions), 'component')}, {len(small)} small, {ml:.2f} ml in total"

    def _on_selection(self, *_: Any) -> None:
        rows = self.selected_rows()
        if not self._updating and len(rows) == 1:
            self.show_message("")
            self.review.go_to(self.model.lesions[rows[0]])

    def _step(self, by: int) -> None:
        small = [lesion for lesion in self.model.lesions if lesion.small]
        found = self.review.step(small, by)
        self.show_message("No small lesions" if found is None else "")

    def _next_after(self, current: Lesion, others: list[Lesion]) -> Lesion:
        rows = self.model.lesions
        row = rows.index(current) if current in rows else -1
        return next((x for x in others if rows.index(x) > row), others[0])

    @contextmanager
    def _programmatic_update(self) -> Iterator[None]:
        """Change widgets inside the block without moving the viewer or starting a search."""
        before, self._updating = self._updating, True
        try:
            yield
        finally:
            self._updating = before


def _disconnect(finder: LesionFinder, keys: ReviewKeys, review: LesionReview) -> None:
    """Disconnect a dock from its viewer; may be called twice."""
    finder.stop()
    keys.unbind()
    review.close()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
