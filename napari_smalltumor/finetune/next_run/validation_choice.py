"""The box *Validation*: which cases evaluate the network and do not train it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from magicgui.widgets import ComboBox
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.errors import TrainingError
from smalltumor.text import list_text
from smalltumor.training.splits.manual_masks import manual_validation_cases
from smalltumor.training.splits.split import Split

from napari_smalltumor import settings
from napari_smalltumor.finetune.case_texts import RunCases
from napari_smalltumor.finetune.next_run.validation_folder import ValidationFolder
from napari_smalltumor.widgets.choices import BROWSE, set_choices

_SHARES = (5, 3, 2)


@dataclass(frozen=True)
class Validation:
    """How the validation cases of a run are found; by none of these, it has none.

    Parameters
    ----------
    every : int
        One in how many cases is a validation case; 0 if they are found otherwise.
    cases : tuple of str
        Cases that validate because people drew their masks, instead of the others of a share.
    folder : Path or None
        The folder of one or several validation cases.
    """

    every: int = 0
    cases: tuple[str, ...] = ()
    folder: Path | None = None


class ValidationChoice(QObject):
    """Lists shares of the cases, each case, another folder, and none.

    Parameters
    ----------
    parent : QWidget
        Of the dialog that asks for a folder.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._cases: dict[str, str] = {}
        self._of_network: set[str] = set()
        self._folder = ValidationFolder(self)
        self.searched = self._folder.searched
        self._choices: list[tuple[str, str]] = []
        self.box = ComboBox(
            label="Validation",
            choices=lambda _: self._choices,
            tooltip="Cases left out of training, on which the result is evaluated",
        )
        self._update()
        self.box.changed.connect(self._on_choice)

    @property
    def chosen(self) -> Validation:
        """The choice, as it is shown and as a run is started with it."""
        value = self.box.value
        if not value.isdecimal():
            return Validation(folder=Path(value) if value else None)
        share = int(value)
        manual = manual_validation_cases(list(self._cases), share, self._of_network)
        return Validation(cases=manual) if manual else Validation(every=share)

    @property
    def split(self) -> RunCases | None:
        """The cases of a run by what they are for; None if no case would be left to train on."""
        chosen = self.chosen
        value = self.box.value
        validation_cases = [n for n, folder in self._cases.items() if folder and folder == value]
        validation_cases += chosen.cases
        elsewhere = None if validation_cases else chosen.folder
        if elsewhere is not None:
            validation_cases = list(self._folder.cases)
        names = [name for name in self._cases if name not in validation_cases]
        try:
            split = Split.with_validation(names, validation_cases, chosen.every)
        except TrainingError:
            return None
        validation = split.validation if elsewhere is None else ()
        used = {*split.training, *validation}
        left_out = tuple(name for name in self._cases if name not in used)
        return RunCases(split.training, validation, left_out, elsewhere)

    @property
    def problem(self) -> str:
        """Why a run on the cases cannot start with this choice; empty if it can."""
        folder = self._folder
        if self.box.value == folder.path and folder.is_being_searched:
            return f"{folder.path} is being searched for validation cases"
        unmarked = [name for name, has_masks in folder.cases.items() if not has_masks]
        if self.box.value == folder.path and unmarked:
            return f"{list_text(unmarked)} in {folder.path} cannot validate without masks"
        number = len(self._cases)
        if not number or self.split is not None:
            return ""
        which, add = "The only case is", "Add a case"
        if number > 1:
            which = f"All {number} cases are scans of the patient who is"
            add = "Add a case of another patient"
        return (
            f"{which} left out for validation, and none is left to train on. {add}, or choose "
            "another validation"
        )

    def set_cases(self, folders: dict[str, str], of_network: Iterable[str]) -> None:
        """Set the folders of the cases by name, and the cases whose masks a network made."""
        self._cases, self._of_network = folders, set(of_network)
        self._update()

    def choose(self, path: str) -> None:
        """Select a folder of one or several validation cases, which is searched in a worker."""
        self._folder.search(path)
        self._update(path)

    def _update(self, wanted: str | None = None) -> None:
        shares = [(f"1 case in {share}", str(share)) for share in _SHARES]
        cases = {name: folder for name, folder in self._cases.items() if folder}
        path = self._folder.path
        if path and path not in cases.values():
            cases[Path(path).name] = path
        self._choices = [*shares, *cases.items(), ("folder...", BROWSE), ("none", "")]
        set_choices(self.box, self._choices, wanted)

    def _on_choice(self, value: str) -> None:
        if value == BROWSE:
            folder = settings.get("weights_folder") or settings.last_folder()
            path = QFileDialog.getExistingDirectory(self._parent, "Validation cases", str(folder))
            self.choose(path or self._folder.path)
