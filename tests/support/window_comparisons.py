"""What must hold of the Compare and Follow-up docks of a window with several patients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from napari.layers import Layer
from smalltumor.data.case import REFERENCE
from smalltumor.data.read_case import read_case
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import READ_SCHEMES
from smalltumor.text import volume_text

from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.follow_up.dock import FollowUpDock
from napari_smalltumor.layers.coordinates import to_display
from napari_smalltumor.layers.editing.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.masks.reference import reference_layers, reference_of
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import case_of, region_layers
from napari_smalltumor.layers.patient import Patient, patient_of
from napari_smalltumor.patients.active_patient import active_patient

_CLASSES = np.array([0, 1, 2, 0, 3], np.uint8)
"""Tissue classes by the values of a file."""


class ComparisonChecks:
    """Looks at what the docks show.

    Parameters
    ----------
    viewer : Viewer
    compare : CompareDock
    follow_up : FollowUpDock
    """

    def __init__(self, viewer: Any, compare: CompareDock, follow_up: FollowUpDock) -> None:
        self._viewer, self._compare, self._follow_up = viewer, compare, follow_up
        self._patients = active_patient(viewer)
        self._chosen: set[tuple[Patient | None, Path]] = set()

    def note_choice(self, path: Path) -> None:
        """Tell what the active patient is compared with."""
        self._chosen.add((self._patients.current, path))

    @property
    def is_busy(self) -> bool:
        """Whether a dock reads or computes."""
        return self._compare.busy or self._follow_up.busy

    def check_shown(self) -> None:
        """What holds at any time: what is compared was chosen for its patient."""
        for layer in self._viewer.layers:
            shown, patient = reference_of(layer), patient_of(layer)
            if is_earlier_scan(layer):
                assert any(p == patient for p, _ in self._chosen), layer.name
            if shown is None:
                continue
            if shown.path is not None:
                assert (patient, shown.path) in self._chosen or (
                    patient.folder in shown.path.parents
                ), f"{shown.path} for {patient}"
            source = None if shown.layer is None else shown.layer()
            assert source is None or patient_of(source) in (None, patient)
        dock = self._follow_up
        comparison = dock.comparison
        if dock.model.changes:
            assert comparison is not None
            assert dock.model.changes == list(comparison.follow_up.changes)
        if comparison is not None:
            assert (self._patients.current, comparison.folder) in self._chosen

    def check_settled(self) -> None:
        """What holds when all work has ended: references hold their files, and scores are true."""
        for layer in self._viewer.layers:
            self._check_reference(layer)
            self._check_earlier(layer)
        self._check_scores()
        self._check_changes()

    def _check_reference(self, layer: Layer) -> None:
        """A reference holds the regions of its file."""
        shown = reference_of(layer)
        if shown is None or shown.path is None:
            return
        path = shown.path
        file = path if path.is_file() else read_case(path, allow_missing=True).labels_path
        image, grid = nib.load(file), case_of(layer).grid
        if not np.allclose(image.affine, grid.affine):  # resampled
            return
        shown_mask = np.asarray(layer.data) != 0
        assert any(  # the user was asked what the values mean
            np.array_equal(shown_mask, to_display(region_mask(classes, shown.region), grid))
            for classes in _readings_of(np.asarray(image.dataobj))
        ), layer.name

    def _check_earlier(self, layer: Layer) -> None:
        """An earlier image is that of a scan that was chosen for its patient."""
        if not is_earlier_scan(layer):
            return
        grid, patient = case_of(layer).grid, patient_of(layer)
        scans = [read_case(path) for p, path in self._chosen if p == patient and path.is_dir()]
        assert any(
            not np.allclose(scan.grid.affine, grid.affine)  # resampled
            or np.array_equal(layer.data, to_display(scan.volumes[REFERENCE], grid))
            for scan in scans
        ), layer.name

    def _check_scores(self) -> None:
        layers = self._patients.layers
        cases = {id(case): case for layer in layers if (case := case_of(layer)) is not None}
        regions = [found for case in cases.values() if (found := region_layers(layers, case))]
        result = regions[0] if regions else {}
        reference = reference_layers(layers)
        for region in Region:
            shown = self._compare.scores.text(region)
            for cell, found in ((shown[0], result), (shown[1], reference)):
                volumes = [_ml_text(found[region])] if region in found else []
                assert cell in ("–", *volumes), f"{region.name} of {self._patients.title}"
            if region in result and region in reference and shown[3] != "–":
                assert shown[3] == f"{_dice(result[region], reference[region]):.3f}"
            assert (region in result and region in reference) or shown[3] == "–"

    def _check_changes(self) -> None:
        dock = self._follow_up
        comparison = dock.comparison
        if comparison is None or dock.runs.is_old:
            return
        current = segmentation_of(self._viewer.layers, comparison.case)
        assert np.array_equal(comparison.follow_up.current.classes, current.classes)
        file = read_case(comparison.folder, allow_missing=True).labels_path
        classes = _CLASSES[np.asarray(nib.load(file).dataobj)]
        assert np.array_equal(comparison.follow_up.earlier.classes, classes)


def _readings_of(stored: np.ndarray) -> list[np.ndarray]:
    """The tissue classes of stored values in each scheme that has them."""
    values = set(np.unique(stored))
    return [s.decode(stored) for s in READ_SCHEMES.values() if values <= set(s.classes)]


def _ml_text(layer: Layer) -> str:
    volume = case_of(layer).grid.voxel_volume
    return volume_text(np.count_nonzero(layer.data) * volume / 1000)


def _dice(one: Layer, other: Layer) -> float:
    a, b = np.asarray(one.data) != 0, np.asarray(other.data) != 0
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0
