"""The Lesions dock: a table of lesions, small ones first, that follows the brush."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog
from smalltumor.errors import SmalltumorError
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.lesions import Lesion, csv_text, write_csv

from napari_smalltumor import notify, settings
from napari_smalltumor.lesions.finder import LesionWatch
from napari_smalltumor.lesions.keys import LesionKeys
from napari_smalltumor.lesions.panel import LesionsPanel
from napari_smalltumor.lesions.review import LesionReview
from napari_smalltumor.lesions.table_model import LesionsModel

if TYPE_CHECKING:
    from napari.viewer import Viewer


class LesionsDock(LesionsPanel):
    """Connects the panel with the review of a viewer's lesions.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        self.model = LesionsModel()
        super().__init__(self.model)
        self.model.setParent(self)
        self._viewer = napari_viewer
        self._quiet = False
        self.review = LesionReview(napari_viewer)
        self.watch = LesionWatch(self)
        self.keys = LesionKeys(
            napari_viewer,
            {
                "N": self.next_small,
                "Shift-N": self.previous_small,
                "Y": self.accept,
                "Delete": self.delete,
            },
        )
        self.threshold.setValue(int(settings.get("threshold")))
        self._connect()
        self._list_sources()
        self._follow()

    def next_small(self) -> None:
        """Go to the next small lesion of the table."""
        self._step(1)

    def previous_small(self) -> None:
        """Go to the small lesion before."""
        self._step(-1)

    def accept(self) -> None:
        """Accept the current lesion and go on to the next small one that is not accepted."""
        current = self.review.current
        if current is None:
            self.say("Select a lesion to accept")
            return
        if self.review.is_accepted(current):
            self.review.accept(False)
            return
        self.review.accept()
        left = [x for x in self.model.lesions if x.small and not self.review.is_accepted(x)]
        if left:
            later = self._after(current, left)
            self.review.go_to(later)
        else:
            self.say("Every small lesion is accepted")

    def delete(self) -> None:
        """Take the current lesion out of its layer, and of the regions inside."""
        lesion = self.review.current
        if lesion is None:
            self.say("Select a lesion to delete")
        elif self.review.delete():
            self.say(f"Deleted a lesion of {lesion.voxels} voxels; Undo puts it back")
            self.watch.look()
        else:
            self.say("The lesion has changed; the table is being renewed")
            self.watch.look()

    def undo(self) -> None:
        """Put back the lesion that was deleted last."""
        if self.review.undo():
            self.say("Put back")
            self.watch.look()

    def copy(self) -> None:
        """Copy the selected rows, or all, with all columns, for a spreadsheet."""
        rows = self.selected_rows()
        lesions = [self.model.lesions[row] for row in rows] if rows else self.model.lesions
        text = csv_text(self.review.reviewed(lesions), delimiter="\t")
        QGuiApplication.clipboard().setText(text)
        self.say(f"Copied {_count(len(lesions), 'row')}")

    def save(self) -> None:
        """Ask for a file and save the table as CSV."""
        source = self.review.source
        name = f"{source.name if source else 'case'}_{self.review.region.value}_lesions.csv"
        start = Path(settings.last_folder(saving=True)).with_name(name)
        if Path(settings.last_folder(saving=True)).is_dir():
            start = Path(settings.last_folder(saving=True)) / name
        chosen, _ = QFileDialog.getSaveFileName(self, "Save lesions", str(start), "CSV (*.csv)")
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, path: Path) -> None:
        """Save the table as CSV; the user has agreed to replace what is there."""
        path = path if path.suffix else path.with_suffix(".csv")
        try:
            write_csv(self.review.reviewed(self.model.lesions), path, overwrite=True)
        except SmalltumorError as error:
            notify.error(str(error))
            return
        settings.remember_folder(path.parent, saving=True)
        self.say(f"Saved {path.name}")

    def event(self, event: QEvent) -> bool:
        """Taken out of the window, the dock lets go of the viewer."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._let_go()
        return bool(super().event(event))

    def _let_go(self) -> None:
        self.watch.stop()
        self.keys.release()
        self.review.close()

    def _connect(self) -> None:
        self.source_box.currentIndexChanged.connect(self._choose)
        self.region_box.currentIndexChanged.connect(self._choose)
        self.threshold.valueChanged.connect(self._on_threshold)
        self.ring_box.toggled.connect(self.review.ring)
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
        self.watch.found.connect(self.review.take)
        self.watch.failed.connect(notify.error)
        self.review.sources_changed.connect(self._list_sources)
        self.review.source_changed.connect(self._on_source)
        self.review.listed.connect(self._list)
        self.review.moved.connect(self._mark_current)

    def _list_sources(self) -> None:
        with self._silence():
            self.source_box.clear()
            for source in self.review.sources:
                self.source_box.addItem(source.name, source)
            self._show_source()

    def _show_source(self) -> None:
        source = self.review.source
        places = [n for n, s in enumerate(self.review.sources) if s.is_same(source)]
        self.source_box.setCurrentIndex(places[0] if places else -1)
        self.offer_regions(tuple(source.layers) if source is not None else ())
        self.region_box.setCurrentIndex(self.region_box.findData(self.review.region.value))

    def _choose(self) -> None:
        if self._quiet:
            return
        source = self.source_box.currentData()
        region = self.region_box.currentData()
        self.review.choose(source, None if region is None else Region(region))

    def _on_source(self) -> None:
        with self._silence():
            self._show_source()
        self._follow()

    def _on_threshold(self, value: int) -> None:
        settings.put("threshold", value)
        self._follow()

    def _follow(self) -> None:
        self.watch.follow(self.review.source, self.review.region, self.threshold.value())

    def _list(self) -> None:
        lesions = self.review.lesions
        with self._silence():
            self.model.set_lesions(lesions, [self.review.is_accepted(x) for x in lesions])
        self._mark_current()
        self.summarise(self._summary())

    def _mark_current(self) -> None:
        row = self.model.row_of(self.review.current)
        with self._silence():
            self.select_row(row)
        self.allow(
            current=self.review.current is not None,
            small=bool(self.review.small),
            undo=self.review.can_undo,
            rows=bool(self.review.lesions),
            accepted=row is not None and self.review.is_accepted(self.model.lesions[row]),
        )

    def _summary(self) -> str:
        if self.review.source is None:
            return "No segmentation yet: segment a case, or open one with labels"
        lesions, small = self.review.lesions, self.review.small
        name = REGION_NAMES[self.review.region]
        if not lesions:
            return f"No {name}"
        ml = sum(lesion.ml for lesion in lesions)
        return f"{_count(len(lesions), 'component')}, {len(small)} small, {ml:.2f} ml in all"

    def _on_selection(self, *_: Any) -> None:
        rows = self.selected_rows()
        if not self._quiet and len(rows) == 1:
            self.review.go_to(self.model.lesions[rows[0]])

    def _step(self, by: int) -> None:
        small = [lesion for lesion in self.model.lesions if lesion.small]
        if self.review.step(small, by) is None:
            self.say("No small lesions")

    def _after(self, current: Lesion, others: list[Lesion]) -> Lesion:
        rows = self.model.lesions
        place = rows.index(current) if current in rows else -1
        return next((x for x in others if rows.index(x) > place), others[0])

    @contextmanager
    def _silence(self) -> Iterator[None]:
        """Inside the block widgets change without the viewer following."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
