"""Random steps of a user in a window with several patients.

The steps do not wait: networks, searches and files that are read end while other steps are done,
and dialogs are answered by chance after some time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QAbstractButton, QApplication
from window_checks import LONGEST_WAIT_MS, WindowChecks

from napari_smalltumor.closing.close_patient import close_active
from napari_smalltumor.export.save import save
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.loading.open_case import open_and_remember

_ANSWER_MS = 40


class WindowWalk:
    """A user who does anything in a window.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    chance : Random
    """

    def __init__(self, checks: WindowChecks, chance: Random) -> None:
        self.checks, self.chance, self.qtbot = checks, chance, checks.qtbot
        self.viewer, self.patients = checks.viewer, checks.patients
        self.segment, self.lesions, self.worklist = checks.segment, checks.lesions, checks.worklist
        self.steps: list[str] = []
        self._answers = QTimer()
        self._answers.timeout.connect(self._answer)
        self._answers.start(_ANSWER_MS)
        self._actions: list[tuple[int, Callable[[], str]]] = [
            (3, self._open),
            (5, self._switch),
            (4, self._segment),
            (1, self._cancel),
            (4, self._paint),
            (2, self._undo),
            (3, self._save),
            (2, self._close),
            (1, self._remove_all),
            (1, self._remove_one),
            (1, self._restore),
            (1, self._open_again),
            (5, self._review),
            (1, self._show_a_hidden_layer),
            (1, self._duplicate),
            (1, self._show_all),
            (3, self._review_a_case),
            (1, self._wait),
        ]

    def go(self, count: int) -> None:
        """Do steps, and look after each of them; wait for all work now and then."""
        weights, actions = zip(*self._actions, strict=True)
        for folder in self.checks.folders[:2]:
            self.steps.append(self._open_folder(folder))
            self.checks.settle()
        for number in range(count):
            (action,) = self.chance.choices(actions, weights)
            self.steps.append(action())
            self.qtbot.wait(self.chance.choice([0, 0, 20, LONGEST_WAIT_MS]))
            self.checks.check()
            if number % 5 == 4:
                self.checks.settle()
                self.checks.check_settled()

    def end(self) -> None:
        """Answer no more dialogs."""
        self._answers.stop()

    @property
    def active(self) -> Patient | None:
        return self.patients.current

    # Steps. Each returns what it did.

    def _open(self) -> str:
        return self._open_folder(self.chance.choice(self.checks.folders))

    def _open_folder(self, folder: Path) -> str:
        QTimer.singleShot(0, lambda: open_and_remember(self.viewer, folder))
        return f"open {folder.name}"

    def _switch(self) -> str:
        picker = self.segment.panel.header.picker
        if not picker.count():
            return "switch to nobody"
        row = self.chance.randrange(picker.count())
        picker.setCurrentIndex(row)
        picker.activated.emit(row)
        return f"switch to {picker.itemText(row)}"

    def _segment(self) -> str:
        self.segment.panel._segment.click()
        return f"segment {self.patients.title}"

    def _cancel(self) -> str:
        self.segment.panel._cancel.click()
        return "cancel"

    def _paint(self) -> str:
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

    def _undo(self) -> str:
        layer = self.viewer.layers.selection.active
        if layer is None or region_of(layer) is None:
            return "undo nothing"
        layer.undo()
        return f"undo in {layer.name}"

    def _save(self) -> str:
        save(self.viewer, None)
        return f"save {self.patients.title}"

    def _close(self) -> str:
        title = self.patients.title
        if title:
            close_active(self.viewer)
        return f"close {title}"

    def _remove_all(self) -> str:
        title = self.patients.title
        self.viewer.layers.select_all()
        self.viewer.layers.remove_selected()
        return f"remove all layers of {title}"

    def _remove_one(self) -> str:
        if not len(self.viewer.layers):
            return "remove nothing"
        layer = self.chance.choice(list(self.viewer.layers))
        self.viewer.layers.selection = {layer}
        self.viewer.layers.remove_selected()
        return f"remove {layer.name}"

    def _restore(self) -> str:
        button = self.segment.panel.header.restore_button
        if button.isHidden():
            return "restore nothing"
        text = button.text()
        button.click()
        return text

    def _open_again(self) -> str:
        closed = self.segment.panel.header.closed_list
        buttons = [x for x in closed.findChildren(QAbstractButton) if x.text().startswith("Open")]
        if closed.isHidden() or not buttons:
            return "open nobody again"
        button = self.chance.choice(buttons)
        text = button.text()
        button.click()
        return text

    def _review(self) -> str:
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

    def _show_a_hidden_layer(self) -> str:
        hidden = [x for x in self.viewer.layers if patient_of(x) not in (None, self.active)]
        if not hidden:
            return "show no hidden layer"
        layer = self.chance.choice(hidden)
        layer.visible = True
        return f"show {layer.name}"

    def _show_all(self) -> str:
        """As napari's *Show All Unselected Layers* does."""
        for layer in self.viewer.layers:
            if layer not in self.viewer.layers.selection:
                layer.visible = True
        return "show all unselected layers"

    def _review_a_case(self) -> str:
        dock = self.worklist
        name = self.chance.choice(["next", "next", "previous", "lesion", "save"])
        if name == "save":
            dock.save()
        elif name == "lesion":
            dock.next_lesion()
        else:
            dock.step(1 if name == "next" else -1)
        return f"worklist: {name}"

    def _duplicate(self) -> str:
        from napari.layers._layer_actions import _duplicate_layer

        layer = self.viewer.layers.selection.active
        if layer is None:
            return "duplicate nothing"
        _duplicate_layer(self.viewer.layers)
        return f"duplicate {layer.name}"

    def _wait(self) -> str:
        self.checks.settle()
        return "wait"

    def _answer(self) -> None:
        """Answer the dialog that is open, by chance and after a random time."""
        dialog = QApplication.activeModalWidget()
        if dialog is None or self.chance.random() < 0.6:
            return
        buttons = [x for x in dialog.findChildren(QAbstractButton) if x.isEnabled() and x.text()]
        if buttons:
            button = self.chance.choice(buttons)
            self.steps.append(f"  answer {button.text()}")
            button.click()
