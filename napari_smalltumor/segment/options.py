"""Options of a run: weights, device, test-time augmentation, and how regions are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QWidget
from smalltumor.models.card import dice_without, is_trained_with_modality_dropout

from napari_smalltumor import settings, weights
from napari_smalltumor.layers.masks.regions import STYLES
from napari_smalltumor.recent_weights import recent_weights, remember_weights
from napari_smalltumor.widgets.choices import BROWSE, set_choices
from napari_smalltumor.widgets.layouts import form_layout

_NOT_FOUND = " (not found)"


class SegmentOptions(QWidget):
    """Each choice is written to the plugin's settings at once."""

    weights_changed = Signal()
    summary_changed = Signal()
    """Emitted when what `summary` says has changed."""

    def __init__(self) -> None:
        super().__init__()
        self._devices = [("auto", "auto")]
        self._weights = ComboBox(label="Weights", choices=lambda _: self._list_weights())
        self._device = ComboBox(
            label="Device",
            choices=lambda combo: self._devices,
            tooltip="Where the network runs; auto uses the fastest available device",
        )
        self._style = ComboBox(
            label="Regions", choices=list(STYLES), tooltip="How ET, TC and WT are drawn in 2D"
        )
        self._flips = CheckBox(
            text="Average 8 flips",
            tooltip="Average over eight mirrored volumes; takes about eight times as long",
        )
        form_layout(self, [self._weights, self._device, self._style, self._flips])
        self._read_settings()
        self._weights.changed.connect(self._on_weights)
        self._device.changed.connect(lambda value: settings.put("device", value))
        self._style.changed.connect(lambda value: settings.put("style", value))
        self._flips.changed.connect(lambda value: settings.put("flips", value))
        settings.changed.connect(self._on_setting)
        for widget in (self._device, self._flips):
            widget.changed.connect(lambda: self.summary_changed.emit())

    @property
    def summary(self) -> str:
        """The weights, and what differs from the defaults of a run."""
        device = "" if self.device == "auto" else str(self._device.current_choice)
        flips = "8 flips" if self.flips else ""
        return ", ".join(filter(None, (f"weights {self.weights_title}", device, flips)))

    @property
    def weights_title(self) -> str:
        """The chosen weights, as they are listed."""
        return str(self._weights.current_choice)

    @property
    def weights_path(self) -> Path | None:
        """None for the shipped weights."""
        return Path(self._weights.value) if self._weights.value else None

    @property
    def allow_missing(self) -> bool:
        """Whether the chosen weights segment a case that lacks T1, T2 or FLAIR."""
        return is_trained_with_modality_dropout(self._card)

    def expected_dice(self, missing: Sequence[str]) -> tuple[tuple[str, float, float], ...]:
        """What missing sequences cost with the chosen weights, see `dice_without`."""
        return dice_without(self._card, missing)

    @property
    def device(self) -> str:
        """``auto``, ``cpu``, ``cuda:0`` ..."""
        return str(self._device.value)

    @property
    def flips(self) -> bool:
        """Whether to average over mirrored volumes (test-time augmentation)."""
        return bool(self._flips.value)

    @property
    def region_style(self) -> ComboBox:
        """How regions are drawn."""
        return self._style

    def set_devices(self, devices: list[tuple[str, str]]) -> None:
        """Set the devices, as pairs of a display name and torch's name."""
        wanted = settings.get("device")
        known = {name for _, name in devices}
        if wanted not in known:  # the device is not available now
            devices = [*devices, (f"{wanted}{_NOT_FOUND}", wanted)]
        self._devices = devices
        with self._device.changed.blocked():
            self._device.reset_choices()
            self._device.value = wanted
        self.summary_changed.emit()

    def choose_weights(self, path: str) -> None:
        """Choose a weights file, or the shipped ones if the path is empty."""
        settings.put("weights", path)

    def _on_setting(self, name: str, value: Any) -> None:
        if not isalive(self):  # the settings exist longer than the dock
            return
        if name in ("weights", "weights_folder"):
            self._update_weights()
        elif name == "device":
            self.set_devices([d for d in self._devices if not d[0].endswith(_NOT_FOUND)])
        elif name == "style":
            self._style.value = value
        elif name == "flips":
            self._flips.value = value

    def _read_settings(self) -> None:
        self._update_weights()
        self.set_devices(self._devices)
        self._style.value = settings.get("style")
        self._flips.value = settings.get("flips")

    def _update_weights(self) -> None:
        chosen = settings.get("weights")
        remember_weights(chosen)
        set_choices(self._weights, self._list_weights(), str(Path(chosen)) if chosen else "")
        self._weights.tooltip = weights.describe(chosen)
        self._card = weights.card(chosen)
        self.weights_changed.emit()
        self.summary_changed.emit()

    def _list_weights(self) -> list[tuple[str, str]]:
        chosen, folder = settings.get("weights"), settings.get("weights_folder")
        return [*weights.choices(chosen, folder, recent_weights()), (BROWSE, BROWSE)]

    def _on_weights(self, value: str) -> None:
        if value != BROWSE:
            self._accept_weights(value)
            return
        path, _ = QFileDialog.getOpenFileName(
            self,
            "Weights",
            settings.get("weights_folder") or settings.last_folder(),
            f"Weights (*{weights.SUFFIX})",
        )
        if path:
            settings.remember_folder(Path(path))
            self._accept_weights(path)
        else:
            self._update_weights()

    def _accept_weights(self, path: str) -> None:
        """Choose weights that can be used, or go back to those in use."""
        if weights.accept(path):
            self.choose_weights(path)
        else:
            self._update_weights()
