"""What must hold in a window with several patients, at any time and when all work has ended."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from event_loop import let_turns_pass
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMainWindow
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region
from smalltumor.text import volume_text
from window_comparisons import ComparisonChecks
from window_data import MaskChanges, check_autosave
from window_files import WrittenFiles

from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.editing.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import case_of, region_layers, role_of
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.layers.views.ring_boxes import ring_boxes_of
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.loading.jobs.loader import loader_of
from napari_smalltumor.patient_header import PatientHeader
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.segment.run import run_in
from napari_smalltumor.worklist import listed_lesions
from napari_smalltumor.worklist.dock import WorklistDock

MAX_WAIT_MS = 250


class WindowDocks(NamedTuple):
    """The docks of a window."""

    segment: SegmentDock
    lesions: LesionsDock
    worklist: WorklistDock
    compare: CompareDock
    follow_up: FollowUpDock


class WindowChecks:
    """Looks at what a window shows, and at the files that it writes.

    Parameters
    ----------
    viewer : Viewer
    docks : WindowDocks
    folders : list of Path
        Of the cases that may be opened.
    expected : mapping of str to (i, j, k) array
        The tissue classes that the network finds, by the folder of the case.
    qtbot : QtBot
    raised : list of Exception
        What was raised in Qt's event loop.
    """

    def __init__(
        self,
        viewer: Any,
        docks: WindowDocks,
        folders: list[Path],
        expected: dict[str, np.ndarray],
        qtbot: Any,
        raised: list[BaseException],
    ) -> None:
        self.viewer, self.docks, self.segment = viewer, docks, docks.segment
        self.lesions, self.worklist = docks.lesions, docks.worklist
        self.folders, self.expected = folders, expected
        self.patients, self.qtbot, self.raised = active_patient(viewer), qtbot, raised
        self._files = WrittenFiles(viewer, [*folders, self.worklist.worklist.folder])
        self._changes = MaskChanges(viewer, expected)
        self.comparisons = ComparisonChecks(viewer, docks.compare, docks.follow_up)

    @property
    def window(self) -> QMainWindow:
        return self.viewer.window._qt_window

    @property
    def active(self) -> Patient | None:
        return self.patients.current

    def settle(self) -> None:
        """Wait until nothing runs, is read, or is searched, and no number follows an edit."""
        self.qtbot.wait(MAX_WAIT_MS)
        for _ in range(2):  # what ends may have others begin in the turns after it
            self.qtbot.waitUntil(lambda: not (self._is_busy() or self._is_due()))
            let_turns_pass(self.qtbot)
        self.qtbot.waitUntil(lambda: not (self._is_busy() or self._is_due()))

    def _is_due(self) -> bool:
        """Whether something follows an edit after a while, as the numbers do."""
        timers = [timer for dock in self.docks for timer in dock.findChildren(QTimer)]
        return any(timer.isSingleShot() and timer.isActive() for timer in timers)

    def _is_busy(self) -> bool:
        return (
            loader_of(self.viewer).busy
            or run_in(self.viewer) is not None
            or self.lesions.finder.busy
            or self.lesions.candidate_finder.busy
            or self.comparisons.is_busy
            or QApplication.activeModalWidget() is not None
        )

    def note_answer(self, question: str) -> None:
        """Tell of a question that was answered, perhaps by restoring the edits of a patient."""
        self._changes.note_answer(question)

    def note_masks(self) -> None:
        """Masks may be written as they are now, in the middle of a step."""
        self._files.note_masks()

    def check(self, *, may_edit: bool) -> None:
        """What holds after each step: one patient is shown, named, changed and written.

        Parameters
        ----------
        may_edit : bool
            Whether the step may have changed data of the active patient.
        """
        for error in self.raised:
            raise AssertionError(f"{error!r} in the event loop") from error
        self.check_shown()
        self._changes.check(may_edit=may_edit)
        self._check_images()
        self._files.check()

    def check_shown(self) -> None:
        """What holds at any time, also under an open menu: one patient is shown and named."""
        current = self.active
        assert {patient_of(x) for x in self.viewer.layers if x.visible} <= {None, current}
        for header in self.window.findChildren(PatientHeader):
            shown = header.picker.currentText() if header.picker.isEnabled() else ""
            assert shown == self.patients.title
        results = self.segment.panel.results
        if not results.isHidden():
            assert results.text.split("\n")[0] == self.patients.title
        source = self.lesions.review.source
        assert source is None or patient_of(source.any_layer) in (None, current)
        self.comparisons.check_shown()
        for layer in self.viewer.layers:
            if ring_boxes_of(layer) is None:
                continue
            assert source is not None
            shown = next(x for x in self.patients.layers if role_of(x))
            assert np.allclose(layer.data_to_world((1, 2, 3)), shown.data_to_world((1, 2, 3)))

    def _check_images(self) -> None:
        """An image layer shows the file of its patient and sequence."""
        for layer in self.viewer.layers:
            case = case_of(layer)
            if layer._type_string == "image" and case is not None and not is_earlier_scan(layer):
                assert _crc(layer.data) == _crc(_display(case, layer))

    def check_settled(self, *, may_edit: bool = False) -> None:
        """What holds when all work has ended: numbers, lesions and rings are the patient's.

        Parameters
        ----------
        may_edit : bool
            Whether a question was answered meanwhile, such as that whether to restore edits.
        """
        self.check(may_edit=may_edit)
        check_autosave(self.viewer)
        title = self.window.windowTitle()
        assert title.startswith(f"{self.patients.title} – " if self.active else "napari")
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
        self._check_rings()
        self.comparisons.check_settled()

    def _check_rings(self) -> None:
        """Each ring of a review is around a lesion that its dock lists for the active patient.

        The worklist's ring is shown only while the patient who is open from its list is active;
        where it lies is not checked.
        """
        review = self.lesions.review
        for layer in self.viewer.layers:
            boxes = ring_boxes_of(layer)
            if boxes is None:
                continue
            if layer.name == listed_lesions.NAME:
                assert self.worklist.session.is_of(self.active)
                continue
            listed = review.source.boxes_in_data([*review.lesions, *review.candidates])
            known = {box.tobytes() for box in listed}
            assert {box.tobytes() for box in boxes.boxes} <= known

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


def _crc(data: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(data).data)


def _display(case: Case, layer: Layer) -> np.ndarray:
    role = role_of(layer)
    return to_display(np.asarray(nib.load(case.paths[role.modality]).dataobj), case.grid)
