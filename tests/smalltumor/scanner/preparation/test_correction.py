"""Brain mask and registration of a prepared case are corrected by hand."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from raw_scans import SHAPE, SHIFT_MM, prepared_by_hand, write_raw_scan
from smalltumor.data.read_case import read_case
from smalltumor.errors import Cancelled, CaseError
from smalltumor.scanner.preparation import correction as correction_module
from smalltumor.scanner.preparation import quality
from smalltumor.scanner.preparation.correction import Correction, corrected
from smalltumor.scanner.prepared.applied_steps import StepKind
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning, WarningKind
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.series_of_case import NotTheScanError, series_in
from smalltumor.scanner.prepared.stored_case import stored_case
from smalltumor.scanner.registration.registration import mutual_information

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")


@pytest.fixture(autouse=True)
def overlap(monkeypatch):
    """A Dice in place of the one by the network; to be changed in the list."""
    dice = [0.95]
    monkeypatch.setattr(correction_module, "brain_overlap", lambda *arguments: dice[0])
    return dice


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
    assert [s.text for s in found.sequences["t1ce"].steps] == [
        "a step",
        "brain mask corrected by hand",
    ]
    assert {path: path.read_bytes() for path in scan.iterdir()} == before


def test_a_smaller_brain_mask_strips_every_image(case, series):
    small = case.brain.copy()
    small[:12] = False
    found = corrected(case, series, Correction(brain=small))
    for sequence in found.sequences.values():
        assert not np.any(sequence.image[~small])
    again = corrected(found, series, Correction(brain=case.brain))
    np.testing.assert_array_equal(again.sequences["t2"].image, case.sequences["t2"].image)
    kinds = [step.kind for step in again.sequences["t1ce"].steps]
    assert kinds.count(StepKind.BRAIN_CORRECTION) == 1


def test_the_warning_of_a_small_brain_is_that_of_the_corrected_mask(case, series, monkeypatch):
    monkeypatch.setattr(quality, "MIN_BRAIN_ML", 1e6)
    small = case.brain.copy()
    small[:12] = False
    other = PreparationWarning(WarningKind.HEADER, "of the header")
    warned = replace(case, warnings=(other, *quality.brain_warnings(case.brain, case.grid)))
    found = corrected(warned, series, Correction(brain=small))
    assert list(found.warnings) == [other, *quality.brain_warnings(small, case.grid)]
    monkeypatch.setattr(quality, "MIN_BRAIN_ML", 0.0)
    assert corrected(found, series, Correction(brain=case.brain)).warnings == (other,)


def test_a_registration_is_corrected_with_its_figures(case, series, overlap):
    overlap[0] = 0.5
    matrix = np.eye(4)
    matrix[0, 3] = SHIFT_MM + 5.0  # a voxel further
    found = corrected(case, series, Correction(matrices={"t2": matrix}))
    moved, before = found.sequences["t2"], case.sequences["t2"]
    inside = case.brain & np.roll(case.brain, 1, axis=0)
    np.testing.assert_allclose(moved.image[inside], np.roll(before.image, 1, axis=0)[inside])
    assert moved.registration.displacement_mm == pytest.approx(SHIFT_MM + 5.0)
    volumes = (series[m].read() for m in ("t1ce", "t2"))
    at_headers = mutual_information(*volumes, case.brain, np.eye(4))
    assert moved.registration.information_before == pytest.approx(at_headers)
    assert moved.overlap == 0.5
    assert [w for w in found.warnings if "Dice of 0.50" in w.text]
    assert [w for w in found.warnings if "mutual information fell from" in w.text]
    back = Correction(matrices={"t2": before.registration.matrix})
    again = corrected(found, series, back).warnings
    (warning,) = again  # of the information that rose, nothing is said
    assert "Dice" in warning.text
    assert not set(case.warnings) & set(found.warnings)
    assert found.sequences["t1"] is case.sequences["t1"]


def test_the_automatic_registration_is_kept_and_can_be_returned_to(case, series):
    automatic = case.sequences["t2"].registration
    assert case.sequences["t2"].automatic is None
    far, further = automatic.matrix.copy(), automatic.matrix.copy()
    far[0, 3] += 5.0
    further[1, 3] -= 3.0
    found = corrected(case, series, Correction(matrices={"t2": far}))
    found = corrected(found, series, Correction(matrices={"t2": further}))
    np.testing.assert_array_equal(found.sequences["t2"].automatic, automatic.matrix)
    back = corrected(found, series, Correction(matrices={"t2": found.sequences["t2"].automatic}))
    sequence = back.sequences["t2"]
    np.testing.assert_array_equal(sequence.registration.matrix, automatic.matrix)
    np.testing.assert_array_equal(sequence.image, case.sequences["t2"].image)
    assert sequence.automatic is None and sequence.steps == case.sequences["t2"].steps
    assert not [w for w in back.warnings if "fell from" in w.text]


@pytest.mark.parametrize("overlap_before", [None, 0.95])
def test_a_sequence_that_needed_no_registration_returns_to_none(
    case, series, tmp_path, overlap, overlap_before
):
    before = replace(case.sequences["t1"], overlap=overlap_before)
    case = replace(case, sequences={**case.sequences, "t1": before})
    far = np.eye(4)
    far[1, 3] = 7.0
    overlap[0] = 0.5
    moved = corrected(case, series, Correction(matrices={"t1": far}))
    write_prepared(moved, tmp_path / "Pat")
    moved = stored_case(read_case(tmp_path / "Pat"))
    overlap[0] = 0.95
    back = corrected(moved, series, Correction(matrices={"t1": moved.sequences["t1"].automatic}))
    sequence = back.sequences["t1"]
    np.testing.assert_array_equal(sequence.image, before.image)
    assert (sequence.registration, sequence.overlap) == (None, overlap_before)
    assert sequence.automatic is None and sequence.steps == before.steps
    assert not [warning for warning in back.warnings if warning.text.startswith("T1 ")]


def test_an_empty_brain_mask_is_refused(case, series):
    with pytest.raises(CaseError, match="empty") as refused:
        corrected(case, series, Correction(brain=np.zeros(SHAPE, bool)))
    assert not isinstance(refused.value, NotTheScanError)  # the scan is the right one


def test_the_figures_of_a_registration_follow_the_brain_mask(case, series, overlap):
    overlap[0] = 0.7
    small = case.brain.copy()
    small[:11] = False
    found = corrected(case, series, Correction(brain=small))
    assert found.sequences["t2"].overlap == 0.7
    assert [w for w in found.warnings if "Dice of 0.70" in w.text]
    assert not set(case.warnings) & set(found.warnings)
    volumes = [series[m].read() for m in ("t1ce", "t2")]
    registration = found.sequences["t2"].registration
    information = mutual_information(*volumes, small, registration.matrix)
    assert registration.information_after == pytest.approx(information)


def test_a_correction_of_the_brain_mask_keeps_the_warning_of_an_earlier_correction(case, series):
    far = np.eye(4)
    far[0, 3] = 40.0
    moved = corrected(case, series, Correction(matrices={"t2": far}))
    assert [w for w in moved.warnings if "fell from" in w.text]
    found = corrected(moved, series, Correction(brain=np.ones(SHAPE, bool)))
    assert [w for w in found.warnings if "fell from" in w.text]


def test_a_series_that_shows_another_image_is_refused(case, scan):
    image = nib.load(scan / "ax_flair.nii.gz")
    other = np.asarray(image.dataobj)[::-1].copy()
    nib.save(nib.Nifti1Image(other, image.affine), scan / "ax_flair.nii.gz")
    with pytest.raises(NotTheScanError, match=r"ax_flair\.nii\.gz shows another image than FLAIR"):
        corrected(case, series_in(scan, case), Correction(brain=np.ones(SHAPE, bool)))


def test_a_correction_can_be_cancelled(case, series):
    with pytest.raises(Cancelled):
        corrected(case, series, Correction(brain=~case.brain), cancelled=lambda: True)
