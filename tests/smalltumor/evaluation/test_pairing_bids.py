"""Masks that are named by BIDS labels are matched with the cases whose labels these are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from smalltumor.data.bids.write import write_bids
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import CaseError
from smalltumor.evaluation.pairing import Pairing, masks_of_cases, pair_label_files
from smalltumor.geometry.grid import Grid
from synthetic import LPS

GRID = Grid((2, 2, 2), LPS)
MASK = np.zeros(GRID.shape, np.uint8)


def dataset(folder: Path, *cases: str) -> Path:
    """A dataset as `smalltumor cohort --bids` writes it."""
    for case in cases:
        write_bids(Segmentation(case, MASK, GRID), folder)
    return folder


def label_files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_volume(path, MASK, GRID)
    return folder


def without_descriptions(folder: Path) -> Path:
    for path in folder.rglob("sub-*.json"):
        path.unlink()
    return folder


def names(pairing: Pairing) -> dict[str, str]:
    return {theirs.path.name: ours.path.name for ours, theirs in pairing.pairs}


@pytest.mark.parametrize(
    ("case", "labels"),
    [
        ("BraTS2021_00005", "sub-BraTS202100005"),
        ("UPENN-GBM-00003_11", "sub-UPENNGBM00003_ses-11"),
        ("BraTS-GLI-00005-100", "sub-BraTSGLI00005_ses-100"),
        ("sub-01_ses-2", "sub-01_ses-2"),
        ("Anna_visit2", "sub-Anna_ses-visit2"),
    ],
)
def test_a_mask_of_a_dataset_is_matched_with_the_truth_of_its_case(tmp_path, case, labels):
    predictions = dataset(tmp_path / "bids", case, "P8")
    truth = label_files(tmp_path / "truth", f"{case}_seg", "P9_seg")
    found = pair_label_files(predictions, truth)
    assert names(found) == {f"{case}_seg.nii.gz": f"{labels}_seg-tumor_dseg.nii.gz"}
    assert [file.name for file in found.without_truth] == ["sub-P8"]
    assert [file.name for file in found.without_prediction] == ["P9"]
    mask = predictions.joinpath(*labels.split("_"), "anat", f"{labels}_seg-tumor_dseg.nii.gz")
    assert masks_of_cases(predictions, [case, "P9"]) == {case: mask}


def test_a_truth_in_a_dataset_is_matched_with_predictions_that_are_named_after_cases(tmp_path):
    truth = dataset(tmp_path / "bids", "UPENN-GBM-00003_11", "P8")
    predictions = label_files(tmp_path / "p", "UPENN-GBM-00003_11", "P9")
    (pair,) = pair_label_files(predictions, truth).pairs
    assert [file.path.name for file in pair] == [
        "UPENN-GBM-00003_11.nii.gz",
        "sub-UPENNGBM00003_ses-11_seg-tumor_dseg.nii.gz",
    ]


def test_labels_of_two_cases_are_refused_unless_the_dataset_names_the_patient(tmp_path):
    predictions = dataset(tmp_path / "bids", "PAT_11_2")
    truth = label_files(tmp_path / "truth", "PAT_1_12_seg", "PAT_11_2_seg")
    assert [*names(pair_label_files(predictions, truth))] == ["PAT_11_2_seg.nii.gz"]
    without_descriptions(predictions)
    with pytest.raises(CaseError, match=r"may be of PAT_11_2 or of PAT_1_12.*rename"):
        pair_label_files(predictions, truth)


@pytest.mark.parametrize("side", ["prediction", "truth"])
def test_a_mask_is_of_no_case_of_another_patient_than_the_dataset_names(tmp_path, side):
    sides = (
        dataset(tmp_path / "bids", "PAT_11_2", "P1"),
        label_files(tmp_path / "t", "PAT_1_12", "P1"),
    )
    found = pair_label_files(*(sides if side == "prediction" else sides[::-1]))
    assert [theirs.path.name for _, theirs in found.pairs] in (
        ["P1.nii.gz"],
        ["sub-P1_seg-tumor_dseg.nii.gz"],
    )


def test_two_cases_whose_labels_one_truth_has_are_refused(tmp_path):
    truth = without_descriptions(dataset(tmp_path / "bids", "PAT_11_2"))
    predictions = label_files(tmp_path / "p", "PAT_1_12", "PAT_11_2")
    with pytest.raises(CaseError, match="both for the case sub-PAT112"):
        pair_label_files(predictions, truth)


def test_a_mask_with_the_name_of_the_case_goes_before_one_in_a_dataset_beside_it(tmp_path):
    predictions = label_files(tmp_path / "p", "P1", "P2")
    dataset(predictions / "derivatives", "P1", "P2")
    found = pair_label_files(predictions, label_files(tmp_path / "t", "P1_seg", "P2_seg"))
    assert [*names(found).values()] == ["P1.nii.gz", "P2.nii.gz"]


def test_a_mask_that_may_be_of_a_case_with_a_mask_is_given_to_no_other_case(tmp_path):
    predictions = label_files(tmp_path / "p", "PAT_1_12")
    without_descriptions(dataset(predictions / "bids", "PAT_1_12"))
    truth = label_files(tmp_path / "t", "PAT_1_12_seg", "PAT_11_2_seg")
    found = pair_label_files(predictions, truth)
    assert names(found) == {"PAT_1_12_seg.nii.gz": "PAT_1_12.nii.gz"}
    assert [file.name for file in found.without_truth] == ["sub-PAT112"]
    assert [file.name for file in found.without_prediction] == ["PAT_11_2"]
    assert masks_of_cases(predictions, ["PAT_1_12", "PAT_11_2"]) == {
        "PAT_1_12": predictions / "PAT_1_12.nii.gz"
    }


def test_a_truth_that_may_be_of_a_case_with_a_truth_is_given_to_no_other_case(tmp_path):
    predictions = label_files(tmp_path / "p", "PAT_1_12", "PAT_11_2")
    truth = label_files(tmp_path / "t", "PAT_1_12_seg")
    without_descriptions(dataset(truth / "bids", "PAT_1_12"))
    found = pair_label_files(predictions, truth)
    assert names(found) == {"PAT_1_12_seg.nii.gz": "PAT_1_12.nii.gz"}
    assert [file.name for file in found.without_truth] == ["PAT_11_2"]
    assert [file.name for file in found.without_prediction] == ["sub-PAT112"]


def test_the_description_gives_a_mask_to_the_case_without_one(tmp_path):
    predictions = label_files(tmp_path / "p", "PAT_1_12")
    dataset(predictions / "bids", "PAT_11_2")
    truth = label_files(tmp_path / "t", "PAT_1_12_seg", "PAT_11_2_seg")
    assert names(pair_label_files(predictions, truth)) == {
        "PAT_1_12_seg.nii.gz": "PAT_1_12.nii.gz",
        "PAT_11_2_seg.nii.gz": "sub-PAT112_seg-tumor_dseg.nii.gz",
    }


def test_two_sessions_are_two_cases(tmp_path):
    predictions = dataset(tmp_path / "bids", "P1_visit1", "P1_visit2")
    truth = label_files(tmp_path / "truth", "P1_visit2_seg", "P1_seg")
    assert names(pair_label_files(predictions, truth)) == {
        "P1_visit2_seg.nii.gz": "sub-P1_ses-visit2_seg-tumor_dseg.nii.gz"
    }
