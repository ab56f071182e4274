"""The training folder: list its cases, and add the case in the viewer to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.errors import SmalltumorError
from smalltumor.training.data.collected_case import CaseFolder, case_folder_name
from smalltumor.training.data.dataset_folder import DatasetListing
from superqt.utils import QSignalDebouncer

from napari_smalltumor import notify, settings
from napari_smalltumor.finetune.cases.case_addition import addition_of
from napari_smalltumor.finetune.cases.cases_page import CasesPage
from napari_smalltumor.finetune.cases.cases_reader import CasesReader
from napari_smalltumor.finetune.cases.folder_of_case import FolderOfCase
from napari_smalltumor.finetune.cases.other_masks import cases_with_other_masks
from napari_smalltumor.finetune.cases.training_masks import case_to_add
from napari_smalltumor.finetune.cases.unusable_cases import problem_of
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.widgets.docks.open_dock import open_dock

if TYPE_CHECKING:
    from napari.viewer import Viewer

_DEBOUNCE_MS = 100


class TrainingFolder(QObject):
    """Connects the *Cases* page with the viewer's layers and a training folder.

    Parameters
    ----------
    viewer : Viewer
    page : CasesPage
    parent : QWidget
    """

    cases_listed = Signal(object, object)
    """The usable cases by name, each time the training folder was read.

    First their folders: a case that does not lie in a folder of its name in the training folder has
    an empty string. Then what made their masks, a `MadeBy` of those that record it.
    """
    folder_changed = Signal(object)
    """The path of the training folder that is shown from now on."""

    def __init__(self, viewer: Viewer, page: CasesPage, parent: QWidget) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.reader = CasesReader(self)
        self._viewer, self._page, self._parent = viewer, page, parent
        self._adding, self._problem = False, ""
        self._names: set[str] = set()
        self._folder_of_case = FolderOfCase(self)
        self._layers_changed = QSignalDebouncer(parent=self)
        self._layers_changed.setTimeout(_DEBOUNCE_MS)
        self._connect()
        self._patients = active_patient(viewer)
        self._events = (viewer.layers.events.inserted, viewer.layers.events.removed)
        self._is_open = False
        self.open()

    def _connect(self) -> None:
        page, reader = self._page, self.reader
        reader.progressed.connect(page.show_message)
        reader.listed.connect(self._on_listing)
        reader.failed.connect(self._on_read_error)
        self._folder_of_case.compared.connect(self._on_patient)
        self._layers_changed.triggered.connect(self._show_case)
        page.stop_clicked.connect(reader.stop)
        page.folder_entered.connect(self._on_folder_entered)
        page.folder_confirmed.connect(self._on_folder_confirmed)
        page.browse_clicked.connect(self._browse)
        page.add_clicked.connect(self.add)
        page.next_clicked.connect(self.open_worklist)

    @property
    def is_busy(self) -> bool:
        """Whether the folder is being read or written."""
        return self._adding or self.reader.is_reading

    @property
    def problem(self) -> str:
        """Why no run can start in this folder; empty if one can."""
        if self.path is None:
            return "Choose a folder of training cases first"
        return self._problem

    def open(self) -> None:
        """Connect to the viewer's layers and read the folder."""
        if self._is_open:
            return
        self._is_open, self._adding = True, False
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
        self.reader.abandon()
        self._layers_changed.cancel()
        for event in self._events:
            event.disconnect(self._on_layers)
        self._patients.changed.disconnect(self._on_patient, missing_ok=True)

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

    def read_if_changed(self) -> None:
        """Read the folder again if a case was put into it or removed from it by hand."""
        if self._is_open and self.path is not None and self.reader.is_outdated(self.path):
            self._read()

    def has_changed(self) -> bool:
        """Whether cases came or went since the folder was read; it is read again then."""
        if self.path is None or not self.reader.is_outdated(self.path):
            return False
        try:
            names = {files.name for files in find_cases(self.path)}
        except SmalltumorError:
            names = set()
        if names == self._names:
            return False
        self._read()
        return True

    def other_masks(self) -> list[str]:
        """Titles of open cases whose masks are others than in the folder."""
        return [] if self.path is None else cases_with_other_masks(self._viewer, self.path)

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
        if case is None or self.is_busy:
            return
        if self.path is None and not self._browse():
            return
        assert self.path is not None
        target = self._folder_of_case.find(self.path, case)
        found = None if target is None else addition_of(self._viewer, self._parent, case, target)
        if found is None:
            self._show_case()
            return
        self._adding = True
        self._begin(f"Adding {found.title} ...")
        found.add(self.path, link=link, ended=self._on_added)

    def _on_added(self) -> None:
        if self._is_open and isalive(self):
            self._adding = False
            self._read()

    def _read(self) -> None:
        """List the folder's cases; while a case is being added, the folder is read after that."""
        if self.path is None or self._adding:
            return
        self.reader.read(self.path)
        self._begin(f"Reading {self.path} ...")
        self._page.set_reading(True)

    def _begin(self, message: str) -> None:
        self._page.show_message(message)
        self._show_case()

    def _on_listing(self, listing: DatasetListing) -> None:
        folder = self.path
        assert folder is not None
        self._page.set_reading(False)
        self._page.show_listing(listing)
        self._show_case()
        self._names = {case.name for case in listing.cases}
        usable = [case for case in listing.cases if case.problem is None]
        names = [case.name for case in usable]
        self._problem = problem_of(folder, listing)
        self.cases_listed.emit(
            {name: str(folder / name) if (folder / name).is_dir() else "" for name in names},
            {case.name: case.made_by for case in usable if case.made_by is not None},
        )

    def _on_read_error(self, error: Exception) -> None:
        self._problem = f"{self.path} could not be read"
        self._page.set_reading(False)
        self._page.show_message(f"{self._problem}.")
        self._show_case()
        self.cases_listed.emit({}, {})
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
        self._page.show_case(title, name, target, ready=not self.is_busy)

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
