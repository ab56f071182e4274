"""`smalltumor train --check` lists every case with its problems and its small tumours."""

from __future__ import annotations

import re

import nibabel as nib
import numpy as np
import pytest
from smalltumor.cli import main
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import TrainingError
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import TissueClass
from smalltumor.training.data.dataset import labelled_cases, prepare_case
from smalltumor.training.data.dataset_check import check_row, check_summary, check_training_cases
from training_cases import AFFINE, SHAPE, write_lesion_cases


@pytest.fixture
def folder(tmp_path):
    return write_lesion_cases(tmp_path / "cases", 3)


def relabel(folder, case: str, classes: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(classes, AFFINE), folder / case / f"{case}_seg.nii.gz")


def test_sizes_schemes_and_small_tumours_are_counted(folder):
    classes = np.zeros(SHAPE, np.uint8)
    classes[20:23, 20:23, 20:23] = 4
    classes[10:12, 20, 20] = 4
    classes[26:30, 20, 20] = 2
    relabel(folder, "case_01", classes)
    case = list(check_training_cases(folder))[1]
    assert (case.name, case.problem, case.scheme) == ("case_01", None, "brats2018")
    assert case.voxels == {TissueClass.NCR: 0, TissueClass.ED: 4, TissueClass.ET: 29}
    assert case.small_et == [27, 2]
    assert case.small
    assert "small enhancing tumour" in check_row(case)


def test_each_problem_is_listed_and_the_rest_still_checked(folder):
    (folder / "case_00" / "case_00_seg.nii.gz").unlink()
    (folder / "case_01" / "case_01_t2.nii.gz").write_bytes(b"text")
    first, second, third = check_training_cases(folder)
    assert "no segmentation" in first.problem
    assert "case_01_t2.nii.gz" in second.problem
    assert third.problem is None
    assert check_summary([first, second, third]).startswith("3 cases, 1 usable")


def test_labels_of_no_scheme_and_empty_masks_are_reported(folder):
    relabel(folder, "case_00", np.full(SHAPE, 9, np.uint8))
    relabel(folder, "case_01", np.zeros(SHAPE, np.uint8))
    first, second, _ = check_training_cases(folder)
    assert "9" in first.problem
    assert any("empty" in warning for warning in second.warnings)


def test_a_mask_without_a_class_is_no_training_mask(folder):
    """A network would learn that no voxel is of that class."""
    classes = np.zeros(SHAPE, np.uint8)
    classes[20:23, 20:23, 20:23] = 2
    path = folder / "case_01" / "case_01_seg.nii.gz"
    path.unlink()
    write_volume(path, classes, Grid(SHAPE, AFFINE), label_scheme="hd-glio")
    first, second, third = check_training_cases(folder)
    text = "case_01_seg.nii.gz (label scheme hd-glio) has no class for necrosis or non-enhancing"
    assert text in second.problem and first.problem is None and third.problem is None
    with pytest.raises(TrainingError, match=r"case_01 cannot be trained on: .* no class for necr"):
        prepare_case(labelled_cases(folder)[1], Preprocessing())


def test_a_mask_that_is_named_after_another_case_is_doubtful(folder):
    case = folder / "case_01"
    (case / "case_01_seg.nii.gz").rename(case / "Adams_seg.nii.gz")
    first, second, _ = check_training_cases(folder)
    assert first.warnings == []
    assert second.problem is None
    assert "by its name, Adams_seg.nii.gz is a mask of Adams, not of case_01" in second.warnings


def test_a_mirrored_mask_is_doubtful_where_it_leaves_the_brain(folder):
    classes = np.zeros(SHAPE, np.uint8)
    classes[:10, 20:24, 18:20] = 2
    relabel(folder, "case_01", classes)
    first, second, _ = check_training_cases(folder)
    assert first.warnings == []
    (warning,) = second.warnings
    outside, total = re.match(r"(\d+) of (\d+) tumour voxels lie outside", warning).groups()
    assert 0 < int(outside) < int(total) == 80
    ready = prepare_case(labelled_cases(folder)[1], Preprocessing())
    assert warning in ready.warnings


def test_the_command_lists_every_case_and_its_exit_code_reports_problems(folder, capsys):
    assert main(["train", str(folder), "--check"]) == 0
    output = capsys.readouterr().out
    assert [name in output for name in ("case_00", "case_01", "case_02")] == [True] * 3
    assert "3 usable (labels: brats2018)" in output
    (folder / "case_00" / "case_00_seg.nii.gz").unlink()
    assert main(["train", str(folder), "--check"]) == 1
    assert "PROBLEM" in capsys.readouterr().out


def test_a_4d_mask_is_listed_as_a_problem_and_the_rest_still_checked(folder, capsys):
    classes = np.zeros((*SHAPE, 3), np.uint8)
    classes[10:14, 10:14, 10:14, 2] = 1
    relabel(folder, "case_01", classes)
    problems = [case.problem is not None for case in check_training_cases(folder)]
    assert problems == [False, True, False]
    assert main(["train", str(folder), "--check"]) == 1
    assert "2 usable" in capsys.readouterr().out
    run = str(folder.parent / "run")
    assert main(["train", str(folder), "--run", run, "--device", "cpu"]) == 1
    assert "case_01 cannot be trained on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--run"),
        (["--run", "r", "--preset", "finetune", "--weights", "absent.safetensors"], "no such file"),
        (["--run", "r", "--crop", "50"], "multiple of 16"),
        (["--run", "r", "--card", "absent.json", "--device", "cpu"], "absent.json"),
    ],
)
def test_the_command_reports_in_one_line_what_is_wrong(
    folder, arguments, text, capsys, monkeypatch
):
    monkeypatch.chdir(folder.parent)
    assert main(["train", str(folder), *arguments]) == 1
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1
