"""The *Train* page: preset, start, length, size of a step, device, and what is held out."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import ComboBox, SpinBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.training.suggestion import needed_bytes, suggest

from napari_smalltumor import settings, weights
from napari_smalltumor.finetune_run import RANDOM, Choices
from napari_smalltumor.finetune_widgets import column, sentence
from napari_smalltumor.form import form_layout

PRESETS = {
    "finetune": "From weights, at a low rate: for your own cases",
    "starter": "Fast on a CPU and for few cases; the shipped weights were made with it",
    "paper": "As published, for hundreds of cases and GPUs",
}
_EPOCHS = {"finetune": 50, "starter": 60, "paper": 500}
_CROPS = range(32, 161, 16)
_BROWSE = "file..."
_FOLDS = (5, 3, 2)


class TrainPage(QWidget):
    """Choices for the next run."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._devices = [("auto", "auto")]
        self._memory: dict[str, int] = {}
        self._starts: list[tuple[str, str]] = []
        self._held: list[tuple[str, str]] = []
        self._last: Path | None = None
        self.preset = ComboBox(label="Preset", choices=list(PRESETS), value="finetune")
        self.start = ComboBox(
            label="Start from", choices=lambda _: self._starts, tooltip="Weights to start from"
        )
        self.epochs = SpinBox(
            label="Epochs", min=1, max=10_000, tooltip="How often every case gives its crops"
        )
        self.crop = ComboBox(
            label="Crop",
            choices=[(f"{c} voxels", c) for c in _CROPS],
            tooltip="Edge of the cubes that are learnt from; larger sees more around a lesion",
        )
        self.batch = SpinBox(label="Batch", min=1, max=64, tooltip="Cubes in a step")
        self.device = ComboBox(label="Device", choices=lambda _: self._devices)
        self.held = ComboBox(
            label="Hold out",
            choices=lambda _: self._held,
            tooltip="Cases that are not learnt from, but tell whether it was worth it",
        )
        self._about = sentence()
        self._memory_line = sentence()
        self._lay_out()
        self._offer_starts()
        self._offer_held()
        self._on_preset()
        self._connect()

    @property
    def choices(self) -> Choices:
        """What is chosen."""
        folds, validation = 0, None
        if self.held.value.isdecimal():
            folds = int(self.held.value)
        elif self.held.value:
            validation = Path(self.held.value)
        return Choices(
            preset=self.preset.value,
            weights=self.start.value,
            epochs=self.epochs.value,
            crop=self.crop.value,
            batch=self.batch.value,
            device=self.device.value,
            folds=folds,
            validation=validation,
        )

    def offer_devices(self, devices: list[tuple[str, str]]) -> None:
        """Fill in the devices, as (name for people, name for torch)."""
        self._devices = devices
        self._reset(self.device, "auto")

    def offer_memory(self, memory: dict[str, int]) -> None:
        """Bytes by device's name, ``auto`` included; suggest what fits."""
        self._memory = memory
        self._suggest()

    def offer_run(self, last: Path | None) -> None:
        """Offer the weights of the last run to start from."""
        self._last = last
        self._offer_starts()

    def offer_cases(self, names: dict[str, str]) -> None:
        """Offer single cases to hold out, by name and folder."""
        shares = [(f"1 case in {folds}", str(folds)) for folds in _FOLDS]
        self._held = [*shares, *names.items(), ("none", "")]
        self._offer_held(names)

    def _lay_out(self) -> None:
        layout = column(self)
        top, rest = QWidget(), QWidget()
        form_layout(top, [self.preset])
        form_layout(rest, [self.start, self.held, self.epochs, self.crop, self.batch, self.device])
        layout.addWidget(top)
        layout.addWidget(self._about)
        layout.addWidget(rest)
        layout.addWidget(self._memory_line)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.preset.changed.connect(self._on_preset)
        self.start.changed.connect(self._on_start)
        self.held.changed.connect(self._on_held)
        self.device.changed.connect(self._suggest)
        self.crop.changed.connect(self._show_need)
        self.batch.changed.connect(self._show_need)

    def _on_preset(self) -> None:
        self._about.setText(PRESETS[self.preset.value])
        self.epochs.value = _EPOCHS[self.preset.value]
        self._offer_starts()

    def _offer_starts(self) -> None:
        chosen = self.start.value if self._starts else ""
        known = [value for _, value in self._starts]
        zero = [] if self.preset.value == "finetune" else [("zero (random weights)", RANDOM)]
        last = [(f"run {self._last.parent.name}", str(self._last))] if self._last else []
        self._starts = [*zero, (weights.SHIPPED, ""), *last]
        offered = [value for _, value in self._starts]
        if chosen in known and chosen not in (*offered, RANDOM, _BROWSE) and chosen:
            self._starts.append((weights.title(Path(chosen)), chosen))
            offered.append(chosen)
        self._starts.append((_BROWSE, _BROWSE))
        default = zero[0][1] if zero else ""
        self._reset(self.start, chosen if chosen in offered and not zero else default)

    def _on_start(self, value: str) -> None:
        if value == _BROWSE:
            path, _ = QFileDialog.getOpenFileName(
                self, "Weights to start from", self._folder(), f"Weights (*{weights.SUFFIX})"
            )
            if path and path not in [v for _, v in self._starts]:
                self._starts.insert(-1, (weights.title(Path(path)), path))
            self._reset(self.start, path or self._starts[0][1])
        self.start.tooltip = (
            "Random weights" if self.start.value == RANDOM else weights.describe(self.start.value)
        )

    def _offer_held(self, names: dict[str, str] | None = None) -> None:
        if not self._held:
            self._held = [(f"1 case in {folds}", str(folds)) for folds in _FOLDS] + [("none", "")]
        chosen = self.held.value
        if (_BROWSE, _BROWSE) not in self._held:
            self._held.insert(-1, (_BROWSE, _BROWSE))
        offered = [value for _, value in self._held]
        self._reset(self.held, chosen if chosen in offered else offered[0])

    def _on_held(self, value: str) -> None:
        if value != _BROWSE:
            return
        path = QFileDialog.getExistingDirectory(self, "Cases to hold out", self._folder())
        if path and path not in [v for _, v in self._held]:
            self._held.insert(-2, (Path(path).name, path))
        self._reset(self.held, path or self._held[0][1])

    def _suggest(self) -> None:
        if not self._memory:
            return
        free = self._memory.get(self.device.value, self._memory["auto"])
        self.crop.value, self.batch.value = suggest(free, gpu=self._on_gpu)
        self._show_need()

    def _show_need(self) -> None:
        if not self._memory:
            return
        free = self._memory.get(self.device.value, self._memory["auto"])
        need = needed_bytes(self.crop.value, self.batch.value)
        doubt = "; too much: take a smaller crop or batch" if need > free else ""
        self._memory_line.setText(
            f"A step takes about {need / 1e9:.1f} of {free / 1e9:.0f} GB{doubt}"
        )

    @property
    def _on_gpu(self) -> bool:
        name = self.device.value
        if name == "auto":
            return any(value.startswith("cuda") for _, value in self._devices)
        return bool(name != "cpu")

    def _folder(self) -> str:
        return str(settings.get("weights_folder") or settings.last_folder())

    def _reset(self, combo: ComboBox, value: str) -> None:
        with combo.changed.blocked():
            combo.reset_choices()
            combo.value = value
