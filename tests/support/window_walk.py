"""Random steps of a user in a window with several patients, and what must hold after each.

The steps do not wait: networks, searches and files that are read end while other steps are done,
and dialogs are answered by chance after some time.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import nibabel as nib
import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QAbstractButton, QApplication
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region
from smalltumor.text import volume_text

from napari_smalltumor.closing.close_patient import close_active
from napari_smalltumor.export.save import save
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import case_of, region_layers, region_of, role_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.layers.views.ring_boxes import ring_boxes_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.jobs.loader import loader_of
from napari_smalltumor.loading.open_case import open_and_remember
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.segment.run import run_in

_ANSWER_MS = 40
_LONGEST_WAIT_MS = 250


class WindowWalk:
    """A user who does anything in a window.

    Parameters
    ----------
    viewer : Viewer
    segment, lesions : SegmentDock, LesionsDock
        Docks of the window.
    folders : sequence of Path
        Of the cases that may be opened.
    expected : mapping of str to (i, j, k) array
        The tissue classes that the network finds, by the name of the case.
    chance : Random
    qtbot : QtBot
    """

    def __init__(
        self,
        viewer: Any,
        segment: SegmentDock,
        lesions: LesionsDock,
        folders: list[Path],
        expected: dict[str, np.ndarray],
        chance: Random,
        qtbot: Any,
    ) -> None:
        self.viewer, self.segment, self.lesions = viewer, segment, lesions
        self.folders, self.expected = folders, expected
        self.chance, self.qtbot = chance, qtbot
        self.patients = active_patient(viewer)
        self.steps: list[str] = []
        self._files = self._checksums()
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
            (1, self._wait),
        ]

    def go(self, count: int) -> None:
        """Do steps, and look after each of them; wait for all work now and then."""
        weights, actions = zip(*self._actions, strict=True)
        for folder in self.folders[:2]:
            self.steps.append(self._open_folder(folder))
            self.settle()
        for number in range(count):
            (action,) = self.chance.choices(actions, weights)
            self.steps.append(action())
            self.qtbot.wait(self.chance.choice([0, 0, 20, _LONGEST_WAIT_MS]))
            self.check()
            if number % 5 == 4:
                self.settle()
                self.check_settled()

    def end(self) -> None:
        """Answer no more dialogs."""
        self._answers.stop()

    @property
    def active(self) -> Patient | None:
        return self.patients.current

    # Steps. Each returns what it did.

    def _open(self) -> str:
        return self._open_folder(self.chance.choice(self.folders))

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

    def _duplicate(self) -> str:
        from napari.layers._layer_actions import _duplicate_layer

        layer = self.viewer.layers.selection.active
        if layer is None:
            return "duplicate nothing"
        _duplicate_layer(self.viewer.layers)
        return f"duplicate {layer.name}"

    def _wait(self) -> str:
        self.settle()
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

    # What must hold.

    def settle(self) -> None:
        """Wait until nothing runs, is read, or is searched."""
        self.qtbot.wait(_LONGEST_WAIT_MS)
        self.qtbot.waitUntil(lambda: not self._is_busy())
        self.qtbot.wait(500)  # the numbers follow an edit after a moment
        self.qtbot.waitUntil(lambda: not self._is_busy())

    def _is_busy(self) -> bool:
        return (
            loader_of(self.viewer).busy
            or run_in(self.viewer) is not None
            or self.lesions.finder.busy
            or self.lesions.candidate_finder.busy
            or QApplication.activeModalWidget() is not None
        )

    def check(self) -> None:
        """What holds at any time: one patient is shown, named and written."""
        current = self.active
        assert {patient_of(x) for x in self.viewer.layers if x.visible} <= {None, current}
        window = self.viewer.window._qt_window
        for header in window.findChildren(PatientHeader):
            shown = header.picker.currentText() if header.picker.isEnabled() else ""
            assert shown == self.patients.title
        results = self.segment.panel.results
        if not results.isHidden():
            assert results.text.split("\n")[0] == self.patients.title
        source = self.lesions.review.source
        assert source is None or patient_of(source.any_layer) in (None, current)
        self._check_images()
        self._check_files()

    def _check_images(self) -> None:
        """An image layer shows the file of its patient and sequence."""
        for layer in self.viewer.layers:
            case = case_of(layer)
            if layer._type_string == "image" and case is not None:
                assert _crc(layer.data) == _crc(_display(case, layer))

    def _check_files(self) -> None:
        """Only masks are written, and they hold the regions of the patient of their folder."""
        now = self._checksums()
        for path, checksum in now.items():
            if self._files.get(path) == checksum:
                continue
            assert path.name == f"{path.parent.name}_smalltumor.nii.gz"
            written = np.asarray(nib.load(path).dataobj)
            assert any(np.array_equal(written, x) for x in self._stored_classes(path.parent))
        assert not [path for path in self._files if path not in now]
        self._files = now

    def _stored_classes(self, folder: Path) -> list[np.ndarray]:
        """The regions of the patients with images in a folder, in the scheme of files."""
        found = []
        for layer in self.viewer.layers:
            case = case_of(layer)
            if case is None or case.name != folder.name or region_of(layer) is None:
                continue
            segmentation = segmentation_of(self.viewer.layers, case)
            found.append(np.array([0, 1, 2, 4], np.uint8)[segmentation.classes])
        return found

    def check_settled(self) -> None:
        """What holds when all work has ended: numbers, lesions and rings are the patient's."""
        self.check()
        regions = self._regions()
        results = self.segment.panel.results
        if regions:
            case = case_of(next(iter(regions.values())))
            for region, layer in regions.items():
                ml = np.count_nonzero(layer.data) * case.grid.voxel_volume / 1000
                assert f"{volume_text(ml)} ml" == results._volumes[region].text()
            self._check_unedited(case)
        else:
            assert results.isHidden()
        review = self.lesions.review
        listed = sorted(x.voxels for x in review.lesions)
        if review.source is None:
            assert listed == []
        else:
            snapshot = review.source.snapshot(review.region)
            expected = snapshot.lesions(self.lesions.limits.threshold)
            assert listed == sorted(x.voxels for x in expected)
        for layer in self.viewer.layers:
            if ring_boxes_of(layer) is not None and review.source is None:
                assert len(layer.data) == 0

    def _regions(self) -> dict[Region, Layer]:
        return next(
            (
                found
                for layer in self.patients.layers
                if (case := case_of(layer)) is not None
                and (found := region_layers(self.patients.layers, case))
            ),
            {},
        )

    def _check_unedited(self, case: Case) -> None:
        """Regions that the docks call unedited are what the network finds for this patient."""
        segmentation = segmentation_of(self.patients.layers, case)
        regions = self._regions()
        is_result = segmentation.run is not None and len(regions) == len(Region)
        if is_result and "edited since" not in self.segment.panel.results.text:
            assert np.array_equal(segmentation.classes, self.expected[case.name])

    def _checksums(self) -> dict[Path, int]:
        files = [path for folder in self.folders for path in folder.iterdir()]
        return {x: zlib.crc32(x.read_bytes()) for x in files if x.suffix == ".gz"}


def _crc(data: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(data).data)


def _display(case: Case, layer: Layer) -> np.ndarray:
    role = role_of(layer)
    return to_display(np.asarray(nib.load(case.paths[role.modality]).dataobj), case.grid)
