"""Brain mask and registration of a prepared case are corrected by hand."""

from __future__ import annotations

import numpy as np
import pytest
from raw_scans import SHAPE, SHIFT_MM, prepared_by_hand, write_raw_scan
from smalltumor.errors import Cancelled, CaseError
from smalltumor.scanner.preparation import correction as correction_module
from smalltumor.scanner.preparation.correction import Correction, corrected, series_in

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")


@pytest.fixture
def scan(tmp_path):
    return write_raw_scan(tmp_path / "scan")


@pytest.fixture
def case(scan):
    return prepared_by_hand(scan)


@pytest.fixture
def series(scan, case):
    return series_in(scan, case)


def test_what_a_smaller_brain_mask_removed_returns_from_the_scan(case, series, scan):
    before = {path: path.read_bytes() for path in scan.iterdir()}
    whole = np.ones(SHAPE, bool)
    found = corrected(case, series, Correction(brain=whole))
    native = series["t1ce"].read().data
    np.testing.assert_array_equal(found.sequences["t1ce"].image, native)
    assert np.count_nonzero(found.sequences["t2"].image[~case.brain])
    np.testing.assert_array_equal(
        found.sequences["t2"].image[case.brain], case.sequences["t2"].image[case.brain]
    )
    assert found.sequences["t1ce"].steps == ("a step", "brain mask corrected by hand")
    assert {path: path.read_bytes() for path in scan.iterdir()} == before


def test_a_smaller_brain_mask_strips_every_image(case, series):
    small = case.brain.copy()
    small[:12] = False
    found = corrected(case, series, Correction(brain=small))
    for sequence in found.sequences.values():
        assert not np.any(sequence.image[~small])
    again = corrected(found, series, Correction(brain=case.brain))
    np.testing.assert_array_equal(again.sequences["t2"].image, case.sequences["t2"].image)
    assert again.sequences["t1ce"].steps.count("brain mask corrected by hand") == 1


def test_a_registration_is_corrected_with_its_figures(case, series, monkeypatch):
    monkeypatch.setattr(correction_module, "brain_overlap", lambda *arguments: 0.5)
    matrix = np.eye(4)
    matrix[0, 3] = SHIFT_MM + 5.0  # a voxel further
    found = corrected(case, series, Correction(matrices={"t2": matrix}))
    moved, before = found.sequences["t2"], case.sequences["t2"]
    inside = case.brain & np.roll(case.brain, 1, axis=0)
    np.testing.assert_allclose(moved.image[inside], np.roll(before.image, 1, axis=0)[inside])
    assert moved.registration.displacement_mm == pytest.approx(SHIFT_MM + 5.0)
    assert moved.registration.information_before == before.registration.information_before
    assert moved.overlap == 0.5
    assert [w for w in found.warnings if "Dice of 0.50" in w]
    assert [w for w in found.warnings if "mutual information fell from" in w]
    back = Correction(matrices={"t2": before.registration.matrix})
    again = corrected(found, series, back).warnings
    assert len(again) == 1 and "Dice" in again[0]  # of the information that rose, nothing is said
    assert not set(case.warnings) & set(found.warnings)
    assert found.sequences["t1"] is case.sequences["t1"]


def test_an_empty_brain_mask_is_refused(case, series):
    with pytest.raises(CaseError, match="empty"):
        corrected(case, series, Correction(brain=np.zeros(SHAPE, bool)))


def test_another_scan_is_refused(case, series, scan, tmp_path):
    for path in scan.glob("*t2*"):
        path.unlink()
    with pytest.raises(CaseError, match=r"not the scan.*no ax_t2\.nii\.gz"):
        series_in(scan, case)


def test_a_correction_can_be_cancelled(case, series):
    with pytest.raises(Cancelled):
        corrected(case, series, Correction(brain=~case.brain), cancelled=lambda: True)
