"""The limits below which lesions are small or specks: fields of a panel, and settings."""

from __future__ import annotations

from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from napari_smalltumor import settings
from napari_smalltumor.lesions.panel import LesionsPanel
from napari_smalltumor.lesions.search.specks import SpeckRule, chosen_rule


class LesionLimits(QObject):
    """Keeps the fields of a panel and the settings alike.

    Parameters
    ----------
    panel : LesionsPanel
        Becomes the parent.
    """

    threshold_changed = Signal()
    rule_changed = Signal()

    def __init__(self, panel: LesionsPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        rule = chosen_rule()
        panel.threshold.setValue(int(settings.get("threshold")))
        panel.speck_below_mm3.setValue(rule.mm3)
        panel.speck_probability.setValue(rule.probability)
        panel.threshold.valueChanged.connect(self._on_threshold)
        panel.speck_below_mm3.valueChanged.connect(self._on_rule)
        panel.speck_probability.valueChanged.connect(self._on_rule)
        settings.changed.connect(self._on_setting)

    @property
    def threshold(self) -> int:
        """Lesions below this volume in mm3 are small."""
        return int(self._panel.threshold.value())

    @property
    def rule(self) -> SpeckRule:
        """Which components are specks."""
        probability = round(self._panel.speck_probability.value(), 2)
        return SpeckRule(self._panel.speck_below_mm3.value(), probability)

    def _on_threshold(self, value: int) -> None:
        settings.put("threshold", value)
        self.threshold_changed.emit()

    def _on_rule(self) -> None:
        rule = self.rule
        settings.put("speck_below_mm3", rule.mm3)
        settings.put("speck_probability", rule.probability)
        self.rule_changed.emit()

    def _on_setting(self, name: str, value: Any) -> None:
        """Follow what is changed in Preferences."""
        if not isalive(self):  # the settings exist longer than the dock
            return
        if name == "threshold":
            self._panel.threshold.setValue(int(value))
        elif name == "speck_below_mm3":
            self._panel.speck_below_mm3.setValue(int(value))
        elif name == "speck_probability":
            self._panel.speck_probability.setValue(float(value))
