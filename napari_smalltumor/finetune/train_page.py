"""The *Train* page: settings of the next run."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import ComboBox, SpinBox
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.errors import TrainingError
from smalltumor.training.memory_estimate import needed_bytes, suggest
from smalltumor.training.split import Split

from napari_smalltumor import settings, weights
from napari_smalltumor.finetune.expected_length import MeasuredSpeed, expected_length
from napari_smalltumor.widgets.layouts import column, form_layout, wrapped_label

PRESETS = {
    "finetune": "Continues from trained weights at a low learning rate",
    "starter": "For few cases and a CPU; the shipped weights were trained with it",
    "paper": "As published, for hundreds of cases on GPUs",
}
RANDOM = "random"
"""Value of the *Weights* box for random weights; other values are paths, "" the shipped weights."""

_EPOCHS = {"finetune": 50, "starter": 60, "paper": 500}
_INITIAL_SHARE = {"finetune": 75, "starter": 0, "paper": 0}
_CROPS = range(32, 161, 16)
_BROWSE = "file..."
_SHARES = (5, 3, 2)


class TrainPage(QWidget):
    """The widgets hold the settings; weights, cases and devices are filled in from outside."""

    def __init__(self) -> None:
        super().__init__()
        self._devices = [("auto", "auto")]
        self._memory: dict[str, int] = {}
        self._weights: list[tuple[str, str]] = []
        self._validations: list[tuple[str, str]] = []
        self._cases: dict[str, str] = {}
        self._run_weights: Path | None = None
        self._weights_file = self._validation_folder = ""
        self.preset = ComboBox(label="Preset", choices=list(PRESETS), value="finetune")
        self.weights = ComboBox(
            label="Weights", choices=lambda _: self._weights, tooltip="Weights to start from"
        )
        self.epochs = SpinBox(
            label="Epochs", min=1, max=10_000, tooltip="How often each training case is used"
        )
        self.crop = ComboBox(
            label="Crop",
            choices=[(f"{c} voxels", c) for c in _CROPS],
            tooltip="Edge length of the training cubes; a larger cube shows more around a lesion",
        )
        self.batch = SpinBox(label="Batch", min=1, max=64, tooltip="Cubes per training step")
        self.device = ComboBox(label="Device", choices=lambda _: self._devices)
        self.validation = ComboBox(
            label="Validation",
            choices=lambda _: self._validations,
            tooltip="Cases left out of training, on which the result is evaluated",
        )
        self.initial_share = SpinBox(
            label="Keep (%)",
            min=0,
            max=95,
            step=5,
            tooltip="Share of the starting weights in the result. A high share keeps what they "
            "learned from other patients, which a few cases alone would change",
        )
        self._description = wrapped_label()
        self._memory_text = wrapped_label()
        self._length_text = wrapped_label()
        self._speed: MeasuredSpeed | None = None
        self._lay_out()
        self._update_validations()
        self._on_preset()
        self._connect()

    @property
    def validation_every(self) -> int:
        """One in how many cases is a validation case; 0 if another choice is selected."""
        value = self.validation.value
        return int(value) if value.isdecimal() else 0

    @property
    def validation_folder(self) -> Path | None:
        """The folder of one or several validation cases, if one is selected."""
        value = self.validation.value
        return Path(value) if value and not value.isdecimal() else None

    @property
    def problem(self) -> str:
        """Why a run on these cases cannot start with these settings; empty if it can."""
        number = len(self._cases)
        if not number or self._training_cases:
            return ""
        which, add = "The only case is", "Add a case"
        if number > 1:
            which = f"All {number} cases are scans of the patient who is"
            add = "Add a case of another patient"
        return (
            f"{which} left out for validation, and none is left to train on. {add}, or choose "
            "another validation"
        )

    def set_devices(self, devices: list[tuple[str, str]]) -> None:
        """Fill in the devices, as pairs of a title and a name for PyTorch."""
        self._devices = devices
        self._set_choices(self.device, devices)

    def set_memory(self, memory: dict[str, int]) -> None:
        """Set the bytes of memory of each device, including ``auto``; select sizes that fit."""
        self._memory = memory
        self._suggest_sizes()

    def set_speed(self, speed: MeasuredSpeed | None) -> None:
        """Set how fast a run on the training folder was, to tell how long the next one takes."""
        self._speed = speed
        self._show_length()

    @property
    def expected_length(self) -> str:
        """How long the run takes, as it is shown."""
        return self._length_text.text()

    def set_run_weights(self, path: Path | None) -> None:
        """Add the best weights of the run that is shown."""
        if path != self._run_weights:
            self._run_weights = path
            self._update_weights()

    def set_cases(self, folders: dict[str, str]) -> None:
        """Set the folders of the cases by name, each of which can be the validation case.

        A case without a folder of its own has an empty string; it cannot.
        """
        self._cases = folders
        self._update_validations()
        self._show_length()

    def choose_weights(self, path: str) -> None:
        """Select a weights file to start from."""
        self._weights_file = path
        self._update_weights(path)

    def choose_validation(self, path: str) -> None:
        """Select a folder of one or several validation cases."""
        self._validation_folder = path
        self._update_validations(path)

    def _lay_out(self) -> None:
        layout = column(self)
        preset, settings_form = QWidget(), QWidget()
        form_layout(preset, [self.preset])
        form_layout(
            settings_form,
            [
                self.weights,
                self.initial_share,
                self.validation,
                self.epochs,
                self.crop,
                self.batch,
                self.device,
            ],
        )
        layout.addWidget(preset)
        layout.addWidget(self._description)
        layout.addWidget(settings_form)
        layout.addWidget(self._memory_text)
        layout.addWidget(self._length_text)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.preset.changed.connect(self._on_preset)
        self.weights.changed.connect(self._on_weights)
        self.validation.changed.connect(self._on_validation)
        self.device.changed.connect(self._suggest_sizes)
        self.crop.changed.connect(self._show_memory)
        self.batch.changed.connect(self._show_memory)
        for setting in (self.preset, self.validation, self.epochs, self.crop, self.batch):
            setting.changed.connect(self._show_length)
        self._show_length()

    def _on_preset(self) -> None:
        self._description.setText(PRESETS[self.preset.value])
        self.epochs.value = _EPOCHS[self.preset.value]
        self.initial_share.value = _INITIAL_SHARE[self.preset.value]
        self._update_weights("" if self.preset.value == "finetune" else RANDOM)

    def _update_weights(self, wanted: str | None = None) -> None:
        random = [] if self.preset.value == "finetune" else [("none (random weights)", RANDOM)]
        paths = dict.fromkeys(str(p) for p in (self._run_weights, self._weights_file) if p)
        files = [(weights.title(Path(path)), path) for path in paths]
        self._weights = [*random, (weights.SHIPPED, ""), *files, (_BROWSE, _BROWSE)]
        self._set_choices(self.weights, self._weights, wanted)
        self._describe_weights()

    def _on_weights(self, value: str) -> None:
        if value == _BROWSE:
            path, _ = QFileDialog.getOpenFileName(
                self, "Weights to start from", self._folder(), f"Weights (*{weights.SUFFIX})"
            )
            usable = bool(path) and weights.accept(path)
            self.choose_weights(path if usable else self._weights_file)
        self._describe_weights()

    def _describe_weights(self) -> None:
        value = self.weights.value
        self.initial_share.enabled = value != RANDOM
        self.weights.tooltip = "Random weights" if value == RANDOM else weights.describe(value)

    def _update_validations(self, wanted: str | None = None) -> None:
        shares = [(f"1 case in {share}", str(share)) for share in _SHARES]
        cases = {name: folder for name, folder in self._cases.items() if folder}
        if self._validation_folder and self._validation_folder not in cases.values():
            cases[Path(self._validation_folder).name] = self._validation_folder
        self._validations = [*shares, *cases.items(), (_BROWSE, _BROWSE), ("none", "")]
        self._set_choices(self.validation, self._validations, wanted)

    def _on_validation(self, value: str) -> None:
        if value == _BROWSE:
            path = QFileDialog.getExistingDirectory(self, "Validation cases", self._folder())
            self.choose_validation(path or self._validation_folder)

    def _suggest_sizes(self) -> None:
        if not self._memory:
            return
        free = self._memory.get(self.device.value, self._memory["auto"])
        self.crop.value, self.batch.value = suggest(free, gpu=self._on_gpu)
        self._show_memory()

    def _show_memory(self) -> None:
        if not self._memory:
            return
        free = self._memory.get(self.device.value, self._memory["auto"])
        need = needed_bytes(self.crop.value, self.batch.value)
        warning = "; too much: choose a smaller crop or batch" if need > free else ""
        self._memory_text.setText(
            f"A training step needs about {need / 1e9:.1f} of {free / 1e9:.0f} GB{warning}"
        )

    def _show_length(self) -> None:
        self._length_text.setText(
            expected_length(
                self._speed,
                preset=self.preset.value,
                epochs=self.epochs.value,
                crop=self.crop.value,
                batch=self.batch.value,
                cases=self._training_cases,
            )
        )

    @property
    def _training_cases(self) -> int:
        """Number of cases that are left to train on: all scans of a patient are on one side."""
        chosen = str(self.validation.value)
        held_out = [name for name, folder in self._cases.items() if folder and folder == chosen]
        others = [name for name in self._cases if name not in held_out]
        try:
            return len(Split.hold_out(others, held_out, self.validation_every).training)
        except TrainingError:
            return 0

    @property
    def _on_gpu(self) -> bool:
        name = self.device.value
        if name == "auto":
            return any(value.startswith("cuda") for _, value in self._devices)
        return bool(name != "cpu")

    def _folder(self) -> str:
        return str(settings.get("weights_folder") or settings.last_folder())

    def _set_choices(
        self, combo: ComboBox, choices: list[tuple[str, str]], wanted: str | None = None
    ) -> None:
        """Reset a combo box to `wanted`, else its present value, else the first choice."""
        values = [value for _, value in choices if value != _BROWSE]
        selected = combo.value if wanted is None else wanted
        with combo.changed.blocked():
            combo.reset_choices()
            combo.value = selected if selected in values else values[0]
