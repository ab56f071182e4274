"""The training folder: list its cases, and add the case in the viewer to it."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget
from smalltumor.data.case import Case
from smalltumor.errors import SmalltumorError
from smalltumor.training.data.collected_case import CaseFolder, case_folder_name
from smalltumor.training.data.dataset_folder import (
    DatasetLister,
    DatasetListing,
    add_case,
)
from superqt.utils import QSignalDebouncer

from napari_smalltumor import notify, questions, settings
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.export.preconditions import may_write_regions
from napari_smalltumor.finetune.cases_page import CasesPage
from napari_smalltumor.finetune.folder_of_case import FolderOfCase
from napari_smalltumor.finetune.training_masks import (
    are_as_segmented,
    case_to_add,
    classes_to_add,
    mask_layers,
)
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.widgets.open_dock import open_dock
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.viewer import Viewer

_DEBOUNCE_MS = 100
_NAMED = 3
_AS_SEGMENTED = (
    "The masks of {} were added as the network made them, without an edit. A network learns "
    "nothing from its own masks, and as a validation case they give it a Dice near 1."
)


class TrainingFolder(QObject):
    """Connects the *Cases* page with the viewer's layers and a training folder.

    Parameters
    ----------
    viewer : Viewer
    page : CasesPage
    parent : QWidget
    """

    cases_listed = Signal(object)
    """Folders of the usable cases by name, each time the training folder was read.

    A case that does not lie in a folder of its name in the training folder has an empty string.
    """
    folder_changed = Signal(object)
    """The path of the training folder that is shown from now on."""

    _progressed = Signal(object, str)

    def __init__(self, viewer: Viewer, page: CasesPage, parent: QWidget) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self._viewer, self._page, self._parent = viewer, page, parent
        self._lister = DatasetLister()
        self._busy, self._problem = False, ""
        self._scan: threading.Event | None = None  # set to stop reading the folder
        self._changed_at = 0  # when the folder had been changed last before it was read
        self._folder_of_case = FolderOfCase(self)
        self._folder_of_case.compared.connect(self._on_patient)
        self._progressed.connect(self._on_progress)
        page.stop_clicked.connect(self.stop_reading)
        self._layers_changed = QSignalDebouncer(parent=self)
        self._layers_changed.setTimeout(_DEBOUNCE_MS)
        self._layers_changed.triggered.connect(self._show_case)
        page.folder_entered.connect(self._on_folder_entered)
        page.folder_confirmed.connect(self._on_folder_confirmed)
        page.browse_clicked.connect(self._browse)
        page.add_clicked.connect(self.add)
        page.next_clicked.connect(self.open_worklist)
        self._patients = active_patient(viewer)
        self._events = (viewer.layers.events.inserted, viewer.layers.events.removed)
        self._is_open = False
        self.open()

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
        """Use a training folder; it is created when the first case is added."""
        if folder != self.path:
            self._problem = f"{folder.name} is being read"
        self.path = folder
        settings.put("training_folder", str(folder))
        self._page.show_folder(folder)
        self._show_case()
        self._read()
        self.folder_changed.emit(folder)

    def open_worklist(self) -> None:
        """Show the cases of a cohort that the network is least sure of."""
        open_dock(self._viewer, "Worklist").show_least_certain()

    def add(self, link: bool) -> None:
        """Add the case in the viewer, with its masks as they are now.

        Parameters
        ----------
        link : bool
            Link to the images instead of copying them.
        """
        case = case_to_add(self._viewer)
        if case is None or self._busy:
            return
        if self.path is None and not self._browse():
            return
        assert self.path is not None
        target = self._folder_of_case.find(self.path, case)
        if target is None or not self._may_add(target, case):
            self._show_case()
            return
        if not may_write_regions(self._parent, self._viewer, case, "Add anyway"):
            return
        try:
            classes = classes_to_add(self._viewer, case)
        except SmalltumorError as error:
            notify.report_error(error)
            return
        autosave = ensure_autosave(self._viewer).autosave
        checksums = autosave.checksums(mask_layers(self._viewer, case))
        folder, title = self.path, case_title(self._viewer, case)
        as_segmented = are_as_segmented(self._viewer, case)
        name, replace = target.path.name, target.exists
        self._begin(f"Adding {title} ...")

        def work() -> None:
            add_case(folder, case, classes, name=name, link=link, replace=replace)

        def done(result: None) -> None:
            autosave.mark_exported(checksums)
            renamed = "" if name == case_folder_name(case) else f" as {name}"
            notify.info(f"{title} was added to {folder}{renamed}")
            if as_segmented:
                notify.warn(_AS_SEGMENTED.format(title))
            self._read_again()

        def failed(error: Exception) -> None:
            notify.report_error(error)
            self._read_again()

        # Even if the dock is closed meanwhile, the case is added and its edits are no longer
        # autosaved.
        application = QApplication.instance()
        run_in_thread(work, application, done, failed, name=f"adding {title}")

    def open(self) -> None:
        """Connect to the viewer's layers and read the folder."""
        if self._is_open:
            return
        self._is_open, self._busy = True, False
        for event in self._events:
            event.connect(self._on_layers)
        self._patients.changed.connect(self._on_patient)
        self._show_case()
        self._read()

    def close(self) -> None:
        """Disconnect from the viewer's layers and ignore what workers return from now on."""
        if not self._is_open:
            return
        self._is_open = False
        self.stop_reading()
        self._scan = None
        self._layers_changed.cancel()
        for event in self._events:
            event.disconnect(self._on_layers)
        self._patients.changed.disconnect(self._on_patient, missing_ok=True)

    def read_if_changed(self) -> None:
        """Read the folder again if a case was put into it or removed from it by hand."""
        if self._is_open and self.path is not None and self._changed_at != _changed_at(self.path):
            self._read()

    def _read(self) -> None:
        """List the folder's cases, instead of those of the folder that is being read."""
        folder, lister = self.path, self._lister
        if folder is None:
            return
        if self._busy and self._scan is None:  # a case is being added; the folder is read then
            return
        self.stop_reading()
        self._changed_at = _changed_at(folder)
        scan = self._scan = threading.Event()
        self._begin(f"Reading {folder} ...")
        self._page.set_reading(True)

        def progress(text: str) -> None:
            if not scan.is_set():
                self._progressed.emit(scan, f"Reading {text}")

        def work() -> DatasetListing:
            return lister.list_cases(folder, progress=progress, cancelled=scan.is_set)

        done, failed = partial(self._on_listing, scan), partial(self._on_read_error, scan)
        run_in_thread(work, self, done, failed, name="reading cases")

    @property
    def problem(self) -> str:
        """Why no run can start in this folder; empty if one can."""
        if self.path is None:
            return "Choose a folder of training cases first"
        return self._problem

    def stop_reading(self) -> None:
        """Stop reading the folder after the case that is being read."""
        if self._scan is not None:
            self._scan.set()

    def _on_progress(self, scan: threading.Event, text: str) -> None:
        if scan is self._scan:
            self._page.show_message(text)

    def _read_again(self) -> None:
        if self._is_open and isalive(self):
            self._busy = False
            self._read()

    def _begin(self, message: str) -> None:
        self._busy = True
        self._page.show_message(message)
        self._show_case()

    def _end_scan(self, scan: threading.Event) -> bool:
        """Whether a scan that has ended is the one that was started last."""
        if not self._is_open or scan is not self._scan:
            return False
        self._scan, self._busy = None, False
        self._page.set_reading(False)
        return True

    def _on_listing(self, scan: threading.Event, listing: DatasetListing) -> None:
        if not self._end_scan(scan):
            return
        self._page.show_listing(listing)
        self._show_case()
        folder = self.path
        assert folder is not None
        usable = [case.name for case in listing.cases if case.problem is None]
        self._problem = _problem_of(folder, listing)
        self.cases_listed.emit(
            {name: str(folder / name) if (folder / name).is_dir() else "" for name in usable}
        )

    def _on_read_error(self, scan: threading.Event, error: Exception) -> None:
        if not self._end_scan(scan):
            return
        self._problem = f"{self.path} could not be read"
        self._page.show_message(f"{self._problem}.")
        self._show_case()
        self.cases_listed.emit({})
        notify.report_error(error)

    def _on_patient(self) -> None:
        if isalive(self):
            self._show_case()

    def _on_layers(self, event: Any = None) -> None:
        self._layers_changed.throttle()

    def _show_case(self) -> None:
        case = case_to_add(self._viewer)
        if case is None:
            self._page.show_no_case()
            return
        name = case_folder_name(case)
        target: CaseFolder | None = CaseFolder(Path(name))
        if self.path is not None:
            target = self._folder_of_case.find(self.path, case)
        title = case_title(self._viewer, case)
        self._page.show_case(title, name, target, ready=not self._busy)

    def _on_folder_entered(self, text: str) -> None:
        folder = Path(text.strip()).expanduser()
        if text.strip() and folder != self.path:
            self.show(folder)

    def _on_folder_confirmed(self, text: str) -> None:
        if self.path is not None and Path(text.strip()).expanduser() == self.path:
            self._read()
        else:
            self._on_folder_entered(text)

    def _browse(self) -> bool:
        start = str(self.path or settings.last_folder())
        chosen = QFileDialog.getExistingDirectory(self._parent, "Training folder", start)
        if chosen:
            self.show(Path(chosen))
        return bool(chosen)

    def _may_add(self, target: CaseFolder, case: Case) -> bool:
        if target.why_not:
            notify.error(f"{target.why_not}.")
            return False
        title = case_title(self._viewer, case)
        return not target.exists or questions.confirm(
            self._parent,
            "Replace masks?",
            f"{title} is already in the training folder. Replace its masks with the masks in "
            "the viewer?",
            "Replace",
        )


def _problem_of(folder: Path, listing: DatasetListing) -> str:
    """Why a run cannot start; one that starts fails on the first case with a problem."""
    if not folder.is_dir():
        return listing.problem
    unusable = [case.name for case in listing.cases if case.problem is not None]
    if len(unusable) == len(listing.cases):
        return f"{folder.name} has no case that can be trained on"
    if not unusable:
        return ""
    more = f" and {len(unusable) - _NAMED} more" if len(unusable) > _NAMED else ""
    them = "it" if len(unusable) == 1 else "them"
    return (
        f"{', '.join(unusable[:_NAMED])}{more} cannot be trained on, as the list of cases says. "
        f"Correct {them}, or move {them} out of {folder.name}"
    )


def _changed_at(folder: Path) -> int:
    """When something was put into a folder or removed from it, in ns; 0 if it does not exist."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
