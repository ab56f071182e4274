"""Random steps of a user in a window with several patients, and what must hold after each.

The steps do not wait: networks, searches and files that are read end while other steps are done,
and dialogs are answered by chance after some time.
"""

from __future__ import annotations

import re
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
from smalltumor.data.naming.cohort_names import REVIEWS
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
from napari_smalltumor.worklist.dock import WorklistDock

_MASK = re.compile(r"(?P<case>.+)_(smalltumor|(?P<review>review\d+))\.nii\.gz")
_ANSWER_MS = 40
_LONGEST_WAIT_MS = 250


class WindowWalk:
    """A user who does anything in a window.

    Parameters
    ----------
    viewer : Viewer
    segment, lesions, worklist : SegmentDock, LesionsDock, WorklistDock
        Docks of the window.
    folders : list of Path
        Of the cases that may be opened; two of them are open at first.
    expected : mapping of str to (i, j, k) array
        The tissue classes that the network finds, by the folder of the case.
    chance : Random
    qtbot : QtBot
    """

    def __init__(
        self,
        viewer: Any,
        segment: SegmentDock,
        lesions: LesionsDock,
        worklist: WorklistDock,
        folders: list[Path],
        expected: dict[str, np.ndarray],
        chance: Random,
        qtbot: Any,
    ) -> None:
        self.viewer, self.segment, self.lesions = viewer, segment, lesions
        self.worklist = worklist
        self.folders, self.expected = folders, expected
        self.chance, self.qtbot = chance, qtbot
        self.patients = active_patient(viewer)
        self.steps: list[str] = []
        self.roots = [*folders, worklist.worklist.folder]
        self._files = self._checksums()
        self._shown: list[tuple[Patient, np.ndarray]] = []
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
        """No file is changed but masks, and they hold the regions of the patient of their name."""
        now = self._checksums()
        for path, checksum in now.items():
            if self._files.get(path) == checksum or (
                REVIEWS in path.parts and path.suffix != ".gz"
            ):
                continue
            own, is_review = _MASK.fullmatch(path.name), REVIEWS in path.parts
            assert own is not None and is_review == bool(own["review"]), path
            written = np.asarray(nib.load(path).dataobj)
            shown = self._classes_of(own["case"], None if is_review else path.parent)
            assert any(np.array_equal(written, x) for x in shown), path
        assert not [path for path in self._files if path not in now]
        self._files, self._shown = now, self._shown_classes()

    def _classes_of(self, name: str, folder: Path | None) -> list[np.ndarray]:
        """The regions of patients of a name and folder now and before, in the scheme of files."""
        return [
            classes
            for patient, classes in (*self._shown, *self._shown_classes())
            if patient.name == name and folder in (None, patient.folder)
        ]

    def _shown_classes(self) -> list[tuple[Patient, np.ndarray]]:
        """The regions of the open patients; one may be saved and closed in a step."""
        patients = {patient_of(x): case_of(x) for x in self.viewer.layers if region_of(x)}
        found = {p: segmentation_of(self.viewer.layers, case) for p, case in patients.items()}
        values = np.array([0, 1, 2, 4], np.uint8)
        return [(p, values[x.classes]) for p, x in found.items() if x is not None]

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
            assert np.array_equal(segmentation.classes, self.expected[str(self.active.folder)])

    def _checksums(self) -> dict[Path, int]:
        files = [path for root in self.roots for path in root.rglob("*") if path.is_file()]
        return {x: zlib.crc32(x.read_bytes()) for x in files if not x.name.startswith(".")}


def _crc(data: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(data).data)


def _display(case: Case, layer: Layer) -> np.ndarray:
    role = role_of(layer)
    return to_display(np.asarray(nib.load(case.paths[role.modality]).dataobj), case.grid)
