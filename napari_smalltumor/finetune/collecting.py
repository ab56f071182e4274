"""Collecting: which case of the viewer goes into which folder, and what the folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget
from smalltumor.data.case import Case
from smalltumor.errors import SmalltumorError
from smalltumor.training.data.dataset_folder import (
    DatasetLister,
    DatasetListing,
    case_folder_name,
    was_added,
)

from napari_smalltumor import notify, settings
from napari_smalltumor.autosave.watcher import keep_edits
from napari_smalltumor.finetune.add_case import Adding
from napari_smalltumor.finetune.cases_page import CasesPage
from napari_smalltumor.finetune.training_masks import case_to_learn_from, classes_to_learn_from
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.viewer import Viewer

_SETTLE_MS = 100


class Collecting(QObject):
    """Connects the *Cases* page with the viewer's layers and a training folder.

    Parameters
    ----------
    viewer : Viewer
    page : CasesPage
    parent : QWidget
    """

    found = Signal(object)
    """Folders of the usable cases by name, after each look at the training folder."""
    moved = Signal(object)
    """Another training folder is shown."""

    def __init__(self, viewer: Viewer, page: CasesPage, parent: QWidget) -> None:
        super().__init__(parent)
        self.folder: Path | None = None
        self._viewer, self._page, self._parent = viewer, page, parent
        self._collector = DatasetLister()
        self._busy = self._stale = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SETTLE_MS)
        self._soon.timeout.connect(self._show_case)
        page.folder_named.connect(self._on_named)
        page.browse_clicked.connect(self._browse)
        page.add_clicked.connect(self.add)
        self._events = (
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
            viewer.layers.selection.events.active,
        )
        for event in self._events:
            event.connect(self._on_layers)
        self._show_case()

    @property
    def is_busy(self) -> bool:
        """Whether the folder is being read or written."""
        return self._busy

    def restore(self) -> None:
        """Show the folder that was used last."""
        folder = settings.get("training_folder")
        if folder:
            self.show(Path(folder))

    def show(self, folder: Path) -> None:
        """Use a training folder, which need not be there yet."""
        self.folder = folder
        settings.put("training_folder", str(folder))
        self._page.show_folder(folder)
        self._show_case()
        self._survey()
        self.moved.emit(folder)

    def add(self, link: bool) -> None:
        """Put the case of the viewer, edits and all, into the folder."""
        case = case_to_learn_from(self._viewer)
        if case is None or self._busy:
            return
        if self.folder is None and not self._browse():
            return
        assert self.folder is not None
        there = was_added(self.folder, case)
        if there and not self._may_replace(case):
            return
        try:
            classes = classes_to_learn_from(self._viewer, case)
        except SmalltumorError as error:
            notify.error(str(error))
            return
        job = Adding(self.folder, case, classes, link, there, self._collector)
        self._begin(f"adding {case.name} ...")

        def done(collection: DatasetListing) -> None:
            layers = region_layers(self._viewer.layers, case).values()
            keep_edits(self._viewer).autosave.exported(layers)
            self._on_collection(collection)
            notify.info(f"{case.name} is in {job.folder}")

        run_in_thread(job, self, done, self._on_error, name=f"adding {case.name}")

    def let_go(self) -> None:
        """Follow the viewer's layers no more."""
        self._soon.stop()
        for event in self._events:
            event.disconnect(self._on_layers)
        self._events = ()

    def _survey(self) -> None:
        folder, lister = self.folder, self._collector
        if folder is None:
            return
        if self._busy:
            self._stale = True
            return
        self._begin(f"reading {folder} ...")
        work = lambda: lister.list_cases(folder)  # noqa: E731
        run_in_thread(work, self, self._on_collection, self._on_error, name="reading cases")

    def _begin(self, words: str) -> None:
        self._busy, self._stale = True, False
        self._page.say(words)
        self._show_case()

    def _on_collection(self, collection: DatasetListing) -> None:
        self._busy = False
        if self._stale:
            self._survey()
            return
        self._page.show_collection(collection)
        self._show_case()
        folder = self.folder
        assert folder is not None
        usable = [case.name for case in collection.cases if case.problem is None]
        self.found.emit({n: str(folder / n) for n in usable if (folder / n).is_dir()})

    def _on_error(self, error: Exception) -> None:
        self._busy = False
        self._page.say("")
        if isinstance(error, SmalltumorError):
            notify.error(str(error))
        else:
            notify.unexpected(error)
        self._survey()

    def _on_layers(self, event: Any = None) -> None:
        self._soon.start()

    def _show_case(self) -> None:
        case = case_to_learn_from(self._viewer)
        there = case is not None and self.folder is not None and was_added(self.folder, case)
        name = case_folder_name(case) if case is not None else None
        self._page.show_case(name, there, not self._busy)

    def _on_named(self, text: str) -> None:
        if text.strip() and Path(text.strip()) != self.folder:
            self.show(Path(text.strip()).expanduser())

    def _browse(self) -> bool:
        start = str(self.folder or settings.last_folder())
        chosen = QFileDialog.getExistingDirectory(self._parent, "Training folder", start)
        if chosen:
            self.show(Path(chosen))
        return bool(chosen)

    def _may_replace(self, case: Case) -> bool:
        answer = QMessageBox.question(
            self._parent,
            "Replace its masks?",
            f"{case.name} is in the training folder already. Replace its masks by those in the "
            "viewer?",
        )
        return bool(answer == QMessageBox.StandardButton.Yes)
