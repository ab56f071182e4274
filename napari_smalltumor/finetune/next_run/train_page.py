"""The *Train* page: settings of the next run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from magicgui.widgets import ComboBox, SpinBox
from qtpy.QtWidgets import QWidget
from smalltumor.data.made_by import MadeBy
from smalltumor.training.config import PRESETS
from smalltumor.training.memory_estimate import needed_bytes, suggest
from smalltumor.training.network_masks import NetworkMasks

from napari_smalltumor.finetune.case_texts import RunCases, cases_text
from napari_smalltumor.finetune.next_run.expected_length import MeasuredSpeed, expected_length
from napari_smalltumor.finetune.next_run.starting_weights import StartingWeights
from napari_smalltumor.finetune.next_run.validation_choice import Validation, ValidationChoice
from napari_smalltumor.widgets.choices import set_choices
from napari_smalltumor.widgets.layouts import column, form_layout, wrapped_label

PRESET_DESCRIPTIONS = {
    "finetune": "Continues from trained weights at a low learning rate",
    "starter": "For few cases and a CPU; the shipped weights were trained with it",
    "paper": "As published, for hundreds of cases on GPUs",
}
_UNKNOWN_MAKERS: Mapping[str, MadeBy] = MappingProxyType({})
_CROPS = range(32, 161, 16)


class TrainPage(QWidget):
    """The widgets hold the settings; weights, cases and devices are filled in from outside."""

    def __init__(self) -> None:
        super().__init__()
        self._devices = [("auto", "auto")]
        self._memory: dict[str, int] = {}
        self.preset = ComboBox(label="Preset", choices=list(PRESET_DESCRIPTIONS), value="finetune")
        self._starting, self._validation = StartingWeights(self), ValidationChoice(self)
        self.weights, self.starting_weights_share = self._starting.box, self._starting.share
        self.validation, self.validation_searched = self._validation.box, self._validation.searched
        self.epochs = SpinBox(
            label="Epochs", min=1, max=10_000, tooltip="How often each training case is used"
        )
        self.crop = ComboBox(
            label="Crop",
            choices=[(f"{c} voxels", c) for c in _CROPS],
            tooltip="Edge length of the training cubes; a larger cube shows more around a lesion",
        )
        self.batch_size = SpinBox(
            label="Batch size", min=1, max=64, tooltip="Cubes per training step"
        )
        self.device = ComboBox(label="Device", choices=lambda _: self._devices)
        self._description = wrapped_label()
        self._memory_text = wrapped_label()
        self._cases_text = wrapped_label()
        self._length_text = wrapped_label()
        self._masks_text = wrapped_label()
        self._speed: MeasuredSpeed | None = None
        self._made_by: Mapping[str, MadeBy] = {}
        self._lay_out()
        self._on_preset()
        self._connect()

    @property
    def chosen_validation(self) -> Validation:
        """How the validation cases are found."""
        return self._validation.chosen

    @property
    def problem(self) -> str:
        """Why a run on these cases cannot start with these settings; empty if it can."""
        return self._validation.problem

    def set_devices(self, devices: list[tuple[str, str]]) -> None:
        """Fill in the devices, as pairs of a title and a name for PyTorch."""
        self._devices = devices
        set_choices(self.device, devices)

    def set_memory(self, memory: dict[str, int]) -> None:
        """Set the bytes of memory of each device, including ``auto``; select sizes that fit."""
        self._memory = memory
        self._suggest_sizes()

    def set_speed(self, speed: MeasuredSpeed | None) -> None:
        """Set how fast a run on the training folder was, to tell how long the next one takes."""
        self._speed = speed
        self._show_length()

    @property
    def cases_text(self) -> str:
        """Which cases the run trains on and validates on, as it is shown."""
        return self._cases_text.text()

    @property
    def masks_text(self) -> str:
        """Which masks a network made, as it is shown."""
        return self._masks_text.text()

    @property
    def expected_length(self) -> str:
        """How long the run takes, as it is shown."""
        return self._length_text.text()

    def set_run_weights(self, path: Path | None) -> None:
        """Add the best weights of the run that is shown."""
        if path is not None:
            self._starting.add(path)

    def set_cases(
        self, folders: dict[str, str], made_by: Mapping[str, MadeBy] = _UNKNOWN_MAKERS
    ) -> None:
        """Set the cases of the training folder.

        Parameters
        ----------
        folders : dict of str to str
            Folders by case, each of which can be the validation case; a case without a folder of
            its own has an empty string, and cannot.
        made_by : mapping of str to MadeBy
            What made the masks of the cases that record it.
        """
        self._made_by = made_by
        from_network = [case for case, made in made_by.items() if made.is_from_network]
        self._validation.set_cases(folders, from_network)
        self._show_cases()

    def choose_weights(self, path: str) -> None:
        """Select a weights file to start from."""
        self._starting.choose(path)

    def choose_validation(self, path: str) -> None:
        """Select a folder of one or several validation cases."""
        self._validation.choose(path)
        self._show_cases()

    def _lay_out(self) -> None:
        layout = column(self)
        preset, settings_form = QWidget(), QWidget()
        form_layout(preset, [self.preset])
        form_layout(
            settings_form,
            [
                self.weights,
                self.starting_weights_share,
                self.validation,
                self.epochs,
                self.crop,
                self.batch_size,
                self.device,
            ],
        )
        layout.addWidget(preset)
        layout.addWidget(self._description)
        layout.addWidget(settings_form)
        layout.addWidget(self._cases_text)
        layout.addWidget(self._masks_text)
        layout.addWidget(self._memory_text)
        layout.addWidget(self._length_text)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.preset.changed.connect(self._on_preset)
        self.validation.changed.connect(self._show_cases)
        self.validation_searched.connect(self._show_cases)
        self._starting.selected.connect(self._show_masks)
        self._starting.selected.connect(self._show_length)
        self.device.changed.connect(self._suggest_sizes)
        self.crop.changed.connect(self._show_memory)
        self.batch_size.changed.connect(self._show_memory)
        for setting in (self.preset, self.epochs, self.crop, self.batch_size):
            setting.changed.connect(self._show_length)
        self._show_cases()

    def _on_preset(self) -> None:
        preset, config = self.preset.value, PRESETS[self.preset.value]
        self._description.setText(PRESET_DESCRIPTIONS[preset])
        self.epochs.value = config.epochs
        self._starting.set_preset(preset, round(100 * config.starting_weights_share))

    def _suggest_sizes(self) -> None:
        if not self._memory:
            return
        free = self._memory.get(self.device.value, self._memory["auto"])
        self.crop.value, self.batch_size.value = suggest(free, gpu=self._on_gpu)
        self._show_memory()

    def _show_memory(self) -> None:
        if not self._memory:
            return
        free = self._memory.get(self.device.value, self._memory["auto"])
        need = needed_bytes(self.crop.value, self.batch_size.value)
        warning = "; too much: choose a smaller crop or batch size" if need > free else ""
        self._memory_text.setText(
            f"A training step needs about {need / 1e9:.1f} of {free / 1e9:.0f} GB{warning}"
        )

    def _show_cases(self) -> None:
        """Say which cases the run will train on and validate on, and how long it takes then."""
        cases = self._validation.split
        self._cases_text.setText(cases_text(cases) if cases is not None else "")
        self._cases_text.setToolTip(cases_text(cases, all_names=True) if cases is not None else "")
        self._cases_text.setVisible(bool(self._cases_text.text()))
        self._show_masks()
        self._show_length()

    def _show_masks(self) -> None:
        """Say which masks a network made, and what that means for the run."""
        cases = self._validation.split or RunCases(())
        digests = self._starting.digests
        validation, training = (
            NetworkMasks.among(map(self._made_by.get, names), digests)
            for names in (cases.validation, cases.training)
        )
        texts = filter(None, [validation.as_validation, training.as_training])
        self._masks_text.setText(" ".join(texts))
        self._masks_text.setVisible(bool(self._masks_text.text()))

    def _show_length(self) -> None:
        cases = self._validation.split or RunCases(())
        is_counted = cases.validation_folder is None
        self._length_text.setText(
            expected_length(
                self._speed,
                preset=self.preset.value,
                epochs=self.epochs.value,
                crop=self.crop.value,
                batch_size=self.batch_size.value,
                cases=len(cases.training),
                validation_cases=len(cases.validation) if is_counted else None,
                scores_start=not self._starting.are_random,
            )
        )
        self._length_text.setVisible(bool(self._length_text.text()))

    @property
    def _on_gpu(self) -> bool:
        name = self.device.value
        if name == "auto":
            return any(value.startswith("cuda") for _, value in self._devices)
        return bool(name != "cpu")
