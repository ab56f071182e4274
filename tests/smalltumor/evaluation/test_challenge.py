"""`smalltumor evaluate --rules brats2024` on written label files."""

from __future__ import annotations

import numpy as np
from smalltumor.cli import main
from smalltumor.data.identity.image_digests import image_digest
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.evaluation.challenge import evaluate_challenge
from smalltumor.geometry.grid import Grid
from synthetic import LPS


def write(path, *boxes):
    labels = np.zeros((30, 20, 20), np.uint8)
    for start, value in boxes:
        labels[start : start + 4, 4:8, 4:8] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, labels, Grid(labels.shape, LPS))


def folders(tmp_path):
    write(tmp_path / "truth/A_seg.nii.gz", (2, 3), (10, 1), (20, 4))
    write(tmp_path / "predictions/A.nii.gz", (2, 3), (10, 2), (21, 4))
    return tmp_path / "predictions", tmp_path / "truth"


SCHEMES = {"labels": "brats2024", "truth_labels": "brats2024"}


def test_the_cavity_is_a_region_and_no_tumour(tmp_path):
    scores = evaluate_challenge(*folders(tmp_path), **SCHEMES)[0]["A"]
    assert (scores["rc"].matched, scores["rc"].lesions.dice) == (1, 0.75)
    assert (scores["et"].matched, scores["et"].f1) == (1, 1)
    assert (scores["netc"].missed, scores["snfh"].false) == (1, 1)
    assert (scores["wt"].matched, scores["wt"].false) == (2, 0)


def test_the_command_prints_a_table_of_all_regions(tmp_path, capsys):
    paths = map(str, folders(tmp_path))
    schemes = ("--labels", "brats2024", "--truth-labels", "brats2024")
    assert main(["evaluate", *paths, *schemes, "--rules", "brats2024"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[2:]] == [
        "ET",
        "TC",
        "WT",
        "NETC",
        "SNFH",
        "RC",
    ]


def test_files_are_refused_instead_of_left_out(tmp_path, capsys):
    paths = map(str, folders(tmp_path))
    assert main(["evaluate", *paths, "--rules", "brats2024", "-o", str(tmp_path / "out")]) != 0
    assert "--output" in capsys.readouterr().err


def test_files_without_a_partner_are_named(tmp_path):
    predictions, truth = folders(tmp_path)
    write(truth / "B_seg.nii.gz", (2, 3))
    scores, notes = evaluate_challenge(predictions, truth, **SCHEMES)
    assert list(scores) == ["A"] and notes == ["not predicted, and left out of the means: B"]


def test_a_cavity_that_one_side_cannot_tell_is_left_out_and_said(tmp_path):
    predictions, truth = folders(tmp_path)
    (predictions / "A.nii.gz").unlink()
    write(predictions / "A.nii.gz", (2, 3), (10, 2))
    scores, notes = evaluate_challenge(
        predictions, truth, labels="brats2023", truth_labels="brats2024"
    )
    assert "rc" not in scores["A"]
    assert notes == ["RC is left out: not all files are in a scheme with the resection cavity"]


def test_a_prediction_of_other_images_than_the_truth_is_said(tmp_path):
    grid = Grid((24, 24, 24), np.eye(4))
    for side, seed in (("predicted", 1), ("truth", 2)):
        (tmp_path / side).mkdir()
        image = np.random.default_rng(seed).integers(1, 900, grid.shape)
        made_of = {"t1ce": image_digest(image, grid)}
        mask = Segmentation("P7", np.ones(grid.shape, np.uint8), grid, made_of=made_of)
        write_segmentation(mask, tmp_path / side / "P7.nii.gz")
    _, notes = evaluate_challenge(tmp_path / "predicted", tmp_path / "truth")
    assert [n for n in notes if n.startswith("prediction and truth were made of different images")]
