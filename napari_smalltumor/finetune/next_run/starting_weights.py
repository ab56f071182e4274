"""The boxes *Weights* and *Starting weights (%)*: what a run starts from, with which share."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import ComboBox, SpinBox
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_smalltumor import settings, weights
from napari_smalltumor.recent_weights import recent_weights, remember_weights
from napari_smalltumor.widgets.choices import BROWSE, set_choices

RANDOM = "random"
"""Value of the *Weights* box for random weights; other values are paths, "" the shipped weights."""


class StartingWeights(QObject):
    """Lists the shipped weights, those of the runs that were shown, and files chosen before.

    Parameters
    ----------
    parent : QWidget
        Of the dialog that asks for a file.
    """

    selected = Signal()
    """Weights were selected, by the user or otherwise."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._files: dict[str, None] = {}
        self._has_random = False
        self._choices: list[tuple[str, str]] = []
        self.box = ComboBox(
            label="Weights", choices=lambda _: self._choices, tooltip="Weights to start from"
        )
        self.share = SpinBox(
            label="Starting weights (%)",
            min=0,
            max=95,
            step=5,
            tooltip="Their share in the result. A high share keeps what they "
            "learned from other patients, which a few cases alone would change",
        )
        self._update()
        self.box.changed.connect(self._on_choice)

    @property
    def are_random(self) -> bool:
        """Whether the run starts from random weights, which it does not score."""
        return bool(self.box.value == RANDOM)

    @property
    def digests(self) -> tuple[str, ...]:
        """SHA-256 of the selected weights and of those before them; empty for random weights."""
        return () if self.are_random else weights.digests(str(self.box.value))

    def set_preset(self, preset: str, share: int) -> None:
        """Select what a preset starts from, and their share in percent."""
        self._has_random = preset != "finetune"
        self.share.value = share
        self._update(RANDOM if self._has_random else "")

    def add(self, path: Path) -> None:
        """List the weights of a run; what is selected stays selected."""
        if str(path) not in self._files:
            self._files[str(path)] = None
            self._update()

    def choose(self, path: str) -> None:
        """Select a weights file."""
        self._files[path] = None
        remember_weights(path)
        self._update(path)

    def _update(self, wanted: str | None = None) -> None:
        random = [("none (random weights)", RANDOM)] if self._has_random else []
        known = weights.choices(
            settings.get("weights"), "", [*map(Path, self._files), *recent_weights()]
        )
        self._choices = [*random, *known, (BROWSE, BROWSE)]
        set_choices(self.box, self._choices, wanted)
        self._selected = str(self.box.value)
        self._describe()

    def _on_choice(self, value: str) -> None:
        if value == BROWSE:
            before = self._selected  # a run may add its weights while the dialog is open
            folder = settings.get("weights_folder") or settings.last_folder()
            path, _ = QFileDialog.getOpenFileName(
                self._parent, "Weights to start from", folder, f"Weights (*{weights.SUFFIX})"
            )
            if path and weights.accept(path):
                self.choose(path)
            else:
                self._update(before)
        self._selected = str(self.box.value)
        self._describe()

    def _describe(self) -> None:
        value = self.box.value
        self.share.enabled = value != RANDOM
        self.box.tooltip = "Random weights" if value == RANDOM else weights.describe(value)
        self.selected.emit()
