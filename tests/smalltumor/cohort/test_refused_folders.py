"""Folders that a cohort does not write to: other settings, other files, the cases themselves."""

from __future__ import annotations

import json

import pytest
from cohort_files import files_of
from smalltumor.cohort.cases import check_bids_output, cohort_cases
from smalltumor.cohort.cohort import segment_cohort
from smalltumor.cohort.results.results_folder import SETTINGS
from smalltumor.cohort.settings import CohortSettings
from smalltumor.data.preprocessing import PREPROCESSING_VERSION
from smalltumor.errors import CaseError, OutputError
from smalltumor.models.checkpoint import load_checkpoint
from synthetic import write_case


@pytest.mark.parametrize("words", [("--labels", "msd"), ("--flips",)])
def test_a_results_folder_holds_masks_of_one_setting(cohort, words):
    """1 and 2 mean the opposite in two of the schemes."""
    cohort()
    code, _, stdout, stderr = cohort(*words)
    assert (code, stdout) == (1, "")
    assert "made with" in stderr and "--overwrite" in stderr


def test_other_weights_need_another_folder_or_overwrite(cohort, tmp_path, weights_to_tune):
    cohort()
    code, _, _, stderr = cohort(weights=weights_to_tune)
    assert code == 1
    assert "digest" in stderr
    code, rows, *_ = cohort("--overwrite", weights=weights_to_tune)
    assert code == 0
    assert {row["outcome"] for row in rows} == {"segmented"}


def test_masks_of_another_preprocessing_are_replaced_and_never_continued(cohort, tmp_path):
    cohort()
    (tmp_path / "out" / "bob.nii.gz").unlink()
    path = tmp_path / "out" / SETTINGS
    settings = json.loads(path.read_text())
    key, before = "preprocessing_version", PREPROCESSING_VERSION - 1
    assert settings.pop(key) == PREPROCESSING_VERSION
    path.write_text(json.dumps({**settings, key: before}))
    code, _, _, stderr = cohort()
    assert code == 1
    assert f"holds masks made with preprocessing version {before}" in stderr
    assert "--overwrite" in stderr
    assert not (tmp_path / "out" / "bob.nii.gz").exists()
    code, rows, *_ = cohort("--overwrite")
    assert code == 0
    assert {row["outcome"] for row in rows} == {"segmented"}
    assert json.loads(path.read_text())[key] == PREPROCESSING_VERSION


def test_a_folder_with_other_files_is_not_written_to(cohort, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ann.nii.gz").write_bytes(b"somebody's")
    code, _, _, stderr = cohort()
    assert code == 1
    assert "name a new folder for the results" in stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["ann.nii.gz"]


def test_results_among_the_cases_are_refused(cohort, data):
    code, _, _, stderr = cohort(output=data / "masks")
    assert code == 1
    assert "inside" in stderr
    assert not (data / "masks").exists()


def test_results_inside_those_of_another_run_are_refused(data, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "cohort.json").write_text("{}", encoding="utf-8")
    for inside in (masks / "flips", masks / "reviews" / "ann"):
        with pytest.raises(OutputError, match="inside the results in"):
            cohort_cases(data, inside)
    assert cohort_cases(data, masks)  # an interrupted run goes on


def test_two_runs_at_once_on_one_results_folder_are_refused(cohort, data, narrow_weights, tmp_path):
    out = tmp_path / "out"
    running = segment_cohort(
        cohort_cases(data, out),
        load_checkpoint(narrow_weights),
        CohortSettings(out, backend="torch", device="cpu"),
    )
    assert next(running).case == "ann"
    code, _, stdout, stderr = cohort()
    assert (code, stdout) == (1, "")
    assert "another run is writing to" in stderr
    assert [row.case for row in running] == ["bob", "cyd"]
    assert cohort()[0] == 0


def test_the_data_folder_is_refused_as_the_results_folder(cohort, data, tmp_path):
    before = files_of(data)
    (tmp_path / "link").symlink_to(data, target_is_directory=True)
    for output in (data, data / ".." / "data", tmp_path / "link"):
        code, _, stdout, stderr = cohort(output=output)
        assert (code, stdout) == (1, "")
        assert "is the folder of the cases" in stderr
    assert files_of(data) == before


@pytest.mark.parametrize(
    ("one", "other", "file"),
    [("ann", "Ann", "ann.nii.gz"), ("x", "x_ET", "x_ET.nii.gz"), ("é", "e\u0301", ".nii.gz")],
)
def test_cases_whose_results_would_share_a_file_are_refused(tmp_path, one, other, file):
    """Whether names that differ in case only are one file depends on the file system."""
    for name in (one, other):
        write_case(tmp_path / "data" / "sub" / name)
        for path in (tmp_path / "data" / "sub" / name).iterdir():
            path.rename(path.with_name(path.name.replace("case", name)))
    with pytest.raises(CaseError, match=r"would both be written to .*\.nii\.gz") as caught:
        cohort_cases(tmp_path / "data", tmp_path / "out")
    assert one in str(caught.value) and other in str(caught.value) and file in str(caught.value)
    assert ("accents are encoded differently" in str(caught.value)) == (one == "é")


def test_two_cases_of_one_subject_of_a_bids_dataset_are_refused(tmp_path):
    settings = CohortSettings(tmp_path / "out", bids=tmp_path / "bids")
    with pytest.raises(CaseError, match=r"p_1 and p-1 would both be written to sub-p1_"):
        check_bids_output(["p_1", "q", "p-1"], lambda name: False, settings)
