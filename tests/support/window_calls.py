"""Steps of a user in a window as calls of functions, each of which returns what it did."""

from __future__ import annotations

from pathlib import Path
from random import Random

from napari.layers._layer_actions import _duplicate_layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QAbstractButton
from window_checks import WindowChecks

from napari_smalltumor.closing.close_patient import close_active
from napari_smalltumor.export.dialogs.export_dialog import ask_and_export
from napari_smalltumor.export.save import save
from napari_smalltumor.layers.editing.visibility import can_be_seen
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.loading.open_case import open_and_remember
from napari_smalltumor.report.command import ask_and_report


class CalledSteps:
    """Steps of a window's user that call what a dock or napari calls.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    chance : Random
    """

    def __init__(self, checks: WindowChecks, chance: Random) -> None:
        self.checks, self.chance = checks, chance
        self.viewer, self.patients = checks.viewer, checks.patients
        self.segment_dock, self.lesions, self.worklist = (
            checks.segment,
            checks.lesions,
            checks.worklist,
        )

    @property
    def active(self) -> Patient | None:
        return self.patients.current

    def open(self) -> str:
        return self.open_folder(self.chance.choice(self.checks.folders))

    def open_folder(self, folder: Path) -> str:
        QTimer.singleShot(0, lambda: open_and_remember(self.viewer, folder))
        return f"open {folder.name}"

    def switch(self) -> str:
        picker = self.segment_dock.panel.header.picker
        if not picker.count():
            return "switch to nobody"
        row = self.chance.randrange(picker.count())
        picker.setCurrentIndex(row)
        picker.activated.emit(row)
        return f"switch to {picker.itemText(row)}"

    def segment(self) -> str:
        self.segment_dock.panel._segment.click()
        return f"segment {self.patients.title}"

    def cancel(self) -> str:
        self.segment_dock.panel._cancel.click()
        return "cancel"

    def paint(self) -> str:
        masks = [x for x in self.viewer.layers if region_of(x) is not None]
        if not masks:
            return "paint nothing"
        layer = self.chance.choice(masks)
        self.viewer.layers.selection.active = layer
        layer.mode = "paint"
        if layer.mode == "paint":  # otherwise napari does not paint
            assert patient_of(layer) == self.active
            at = tuple(self.chance.randrange(n) for n in layer.data.shape)
            layer.brush_size = self.chance.choice([1, 4])
            layer.paint(at, self.chance.choice([0, 1]))
        layer.mode = "pan_zoom"
        return f"paint in {layer.name}"

    def undo(self) -> str:
        layer = self.viewer.layers.selection.active
        if layer is None or region_of(layer) is None or not can_be_seen(layer):
            return "undo nothing"
        layer.undo()
        return f"undo in {layer.name}"

    def save(self) -> str:
        save(self.viewer, None)
        return f"save {self.patients.title}"

    def close(self) -> str:
        title = self.patients.title
        if title:
            close_active(self.viewer)
        return f"close {title}"

    def remove_all(self) -> str:
        title = self.patients.title
        self.viewer.layers.select_all()
        self.viewer.layers.remove_selected()
        return f"remove all layers of {title}"

    def remove_one(self) -> str:
        if not len(self.viewer.layers):
            return "remove nothing"
        layer = self.chance.choice(list(self.viewer.layers))
        self.viewer.layers.selection = {layer}
        self.viewer.layers.remove_selected()
        return f"remove {layer.name}"

    def restore(self) -> str:
        button = self.segment_dock.panel.header.restore_button
        if button.isHidden():
            return "restore nothing"
        text = button.text()
        button.click()
        return text

    def open_again(self) -> str:
        closed = self.segment_dock.panel.header.closed_list
        buttons = [x for x in closed.findChildren(QAbstractButton) if x.text().startswith("Open")]
        if closed.isHidden() or not buttons:
            return "open nobody again"
        button = self.chance.choice(buttons)
        text = button.text()
        button.click()
        return text

    def review(self) -> str:
        dock = self.lesions
        name = self.chance.choice(
            ["next", "next", "previous", "accept", "delete", "undo", "region", "row", "fold"]
        )
        actions = dock.review_actions
        step = {
            "next": actions.next_small,
            "previous": actions.previous_small,
            "accept": actions.accept,
            "delete": actions.delete,
            "undo": actions.undo,
            "region": dock.next_region,
            "fold": dock.toggle_specks,
            "row": self._select_a_row,
        }[name]
        step()
        return f"lesions: {name}"

    def _select_a_row(self) -> None:
        rows = self.lesions.model.rowCount()
        if rows:
            self.lesions.select_row(self.chance.randrange(rows))

    def show_a_hidden_layer(self) -> str:
        hidden = [x for x in self.viewer.layers if patient_of(x) not in (None, self.active)]
        if not hidden:
            return "show no hidden layer"
        layer = self.chance.choice(hidden)
        layer.visible = True
        return f"show {layer.name}"

    def show_all(self) -> str:
        """As napari's *Show All Unselected Layers* does."""
        for layer in self.viewer.layers:
            if layer not in self.viewer.layers.selection:
                layer.visible = True
        return "show all unselected layers"

    def review_a_case(self) -> str:
        dock = self.worklist
        name = self.chance.choice(["next", "next", "previous", "lesion", "save"])
        if name == "save":
            dock.save()
        elif name == "lesion":
            dock.next_lesion()
        else:
            dock.step(1 if name == "next" else -1)
        return f"worklist: {name}"

    def write(self) -> str:
        """Write a table, a report or an export, as the dialogs propose it."""
        name, title = self.chance.choice(["table", "report", "export"]), self.patients.title
        if name == "table":
            self.lesions.save_button.click()
        elif name == "report":
            ask_and_report(self.viewer, None)
        else:
            ask_and_export(self.viewer, None, per_region=self.chance.random() < 0.5)
        return f"write: {name} of {title}"

    def duplicate(self) -> str:
        layer = self.viewer.layers.selection.active
        if layer is None:
            return "duplicate nothing"
        _duplicate_layer(self.viewer.layers)
        return f"duplicate {layer.name}"

    def wait(self) -> str:
        self.checks.settle()
        return "wait"
