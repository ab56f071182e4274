"""The *Train* page: preset, start, length, size of a step, device, and what is held out."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import ComboBox, SpinBox
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.training.memory_estimate import needed_bytes, suggest

from napari_smalltumor import settings, weights
from napari_smalltumor.finetune.plan import RANDOM, Choices
from napari_smalltumor.widgets.layouts import column, form_layout, wrapped_label

PRESETS = {
    "finetune": "From weights, at a low rate",
    "starter": "For few cases and a CPU; made the shipped weights",
    "paper": "As published, for hundreds of cases and GPUs",
}
_EPOCHS = {"finetune": 50, "starter": 60, "paper": 500}
_CROPS = range(32, 161, 16)
_BROWSE = "file..."
_FOLDS = (5, 3, 2)


class TrainPage(QWidget):
    """Choices for the next run."""

    def __init__(self) -> None:
        super().__init__()
        self._devices = [("auto", "auto")]
        self._memory: dict[str, int] = {}
        self._starts: list[tuple[str, str]] = []
        self._held: list[tuple[str, str]] = []
        self._cases: dict[str, str] = {}
        self._last: Path | None = None
        self._file = self._elsewhere = ""
        self.preset = ComboBox(label="Preset", choices=list(PRESETS), value="finetune")
        self.start = ComboBox(
            label="Weights", choices=lambda _: self._starts, tooltip="Weights to start from"
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
        self._about = wrapped_label()
        self._memory_line = wrapped_label()
        self._lay_out()
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

    def set_devices(self, devices: list[tuple[str, str]]) -> None:
        """Fill in the devices, as (name for people, name for torch)."""
        self._devices = devices
        self._renew(self.device, devices)

    def offer_memory(self, memory: dict[str, int]) -> None:
        """Bytes by device's name, ``auto`` included; suggest what fits."""
        self._memory = memory
        self._suggest()

    def offer_run(self, last: Path | None) -> None:
        """Offer the weights of the last run to start from."""
        if last != self._last:
            self._last = last
            self._offer_starts()

    def offer_cases(self, folders: dict[str, str]) -> None:
        """Offer single cases to hold out, by name."""
        self._cases = folders
        self._offer_held()

    def choose_weights(self, path: str) -> None:
        """Start from a file."""
        self._file = path
        self._offer_starts(path)

    def hold_out(self, path: str) -> None:
        """Hold out the cases in a folder, which may be that of a single one."""
        self._elsewhere = path
        self._offer_held(path)

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
        self._offer_starts("" if self.preset.value == "finetune" else RANDOM)

    def _offer_starts(self, wanted: str | None = None) -> None:
        zero = [] if self.preset.value == "finetune" else [("zero (random weights)", RANDOM)]
        files = dict.fromkeys(str(path) for path in (self._last, self._file) if path)
        named = [(weights.title(Path(path)), path) for path in files]
        self._starts = [*zero, (weights.SHIPPED, ""), *named, (_BROWSE, _BROWSE)]
        self._renew(self.start, self._starts, wanted)
        self._describe_start()

    def _on_start(self, value: str) -> None:
        if value == _BROWSE:
            path, _ = QFileDialog.getOpenFileName(
                self, "Weights to start from", self._folder(), f"Weights (*{weights.SUFFIX})"
            )
            self.choose_weights(path or self._file)
        self._describe_start()

    def _describe_start(self) -> None:
        value = self.start.value
        self.start.tooltip = "Random weights" if value == RANDOM else weights.describe(value)

    def _offer_held(self, wanted: str | None = None) -> None:
        shares = [(f"1 case in {folds}", str(folds)) for folds in _FOLDS]
        cases = dict(self._cases)
        if self._elsewhere and self._elsewhere not in cases.values():
            cases[Path(self._elsewhere).name] = self._elsewhere
        self._held = [*shares, *cases.items(), (_BROWSE, _BROWSE), ("none", "")]
        self._renew(self.held, self._held, wanted)

    def _on_held(self, value: str) -> None:
        if value == _BROWSE:
            path = QFileDialog.getExistingDirectory(self, "Cases to hold out", self._folder())
            self.hold_out(path or self._elsewhere)

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

    def _renew(
        self, combo: ComboBox, offered: list[tuple[str, str]], wanted: str | None = None
    ) -> None:
        """Offer other values; keep what was chosen if it is among them, else take the first."""
        values = [value for _, value in offered if value != _BROWSE]
        chosen = combo.value if wanted is None else wanted
        with combo.changed.blocked():
            combo.reset_choices()
            combo.value = chosen if chosen in values else values[0]
