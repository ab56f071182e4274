"""A file that cannot be reached is neither replaced nor said to be absent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from failing_drives import let_drive_fail, use_path_of_python_3_14
from napari_cases import case_along
from smalltumor.cohort.cases import cohort_cases
from smalltumor.cohort.lock import locked_results
from smalltumor.cohort.results.folder_settings import CohortInfo
from smalltumor.cohort.results.results_folder import SETTINGS, ResultsFolder
from smalltumor.cohort.reviews.reviews import LOCK, Reviews
from smalltumor.data.bids.dataset import DESCRIPTION, check_bids_dataset
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.errors import OutputError, SmalltumorError, TrainingError
from smalltumor.evaluation.find_label_files import label_files_in
from smalltumor.scanner.studies import find_studies
from smalltumor.training.cross_validation.record import RECORD, is_cross_validation
from smalltumor.training.data.collected_case import case_folder, case_folder_name
from smalltumor.training.data.dataset_folder import DatasetLister, add_case
from smalltumor.training.execution.train import train
from smalltumor.training.runs.events import drop_events_after
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import hold_run_lock, lock_is_held
from training_runs import request_for, silent


@pytest.fixture(autouse=True)
def path_of_python_3_14(monkeypatch: pytest.MonkeyPatch) -> None:
    use_path_of_python_3_14(monkeypatch)


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (find_cases, "cases"),
        (label_files_in, "cases"),
        (find_studies, "scan"),
        (lambda path: ResultsFolder(path.parent).has(path), "P1.nii.gz"),
        (lambda path: drop_events_after(path, 1), "events.jsonl"),
        (lambda path: is_cross_validation(path.parent), RECORD),
        (lambda path: check_bids_dataset(path.parent, ()), DESCRIPTION),
        (lambda path: cohort_cases(path.parent / "cases", path.parent / "masks"), SETTINGS),
    ],
)
def test_it_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Path], object], name: str
) -> None:
    path = tmp_path / name
    let_drive_fail(monkeypatch, path)
    with pytest.raises(SmalltumorError, match=rf"{name} cannot be reached: Input/output error"):
        ask(path)


def test_the_masks_of_a_cohort_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ResultsFolder(tmp_path / "out")
    with locked_results(folder, CohortInfo("brats"), ["P1"], overwrite=False) as locked:
        folder.mask("P1").write_bytes(b"corrected")
        let_drive_fail(monkeypatch, folder.mask("P1"))
        with pytest.raises(OutputError, match="cannot be reached"):
            locked.is_current("P1")


@pytest.mark.parametrize("name", ["reviews", f"reviews/{LOCK}"])
def test_reviews_that_cannot_be_saved_are_an_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with locked_results(ResultsFolder(tmp_path), CohortInfo("brats"), ["P1"], overwrite=False):
        reviews = Reviews(tmp_path)
    (tmp_path / "reviews").mkdir()
    assert not reviews.obstacle()
    let_drive_fail(monkeypatch, tmp_path / name)
    assert f"{tmp_path / name} cannot be reached" in reviews.obstacle()


def test_the_lock_of_a_run_is_not_said_to_be_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path / "run")
    run.create()
    with hold_run_lock(run):
        let_drive_fail(monkeypatch, run.path / "lock")
        assert lock_is_held(run)


def test_a_run_does_not_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_config({"training": {"epochs": 3}})
    let_drive_fail(monkeypatch, run.config)
    with pytest.raises(TrainingError, match="cannot be reached"):
        train(request_for(tmp_path / "data", run.path), silent)


def test_a_case_of_a_training_folder_is_not_added_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_along()
    let_drive_fail(monkeypatch, tmp_path / case_folder_name(case))
    assert "cannot be reached" in case_folder(tmp_path, case).why_not
    with pytest.raises(OutputError, match="cannot be reached"):
        add_case(tmp_path, case, np.ones(case.grid.shape, np.uint8))


def test_why_a_case_cannot_be_added_is_said_whatever_the_error_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **_: object) -> None:
        raise OSError("the share is gone")

    case = case_along()
    monkeypatch.setattr(Path, "stat", fail)
    assert case_folder(tmp_path, case).why_not == (
        f"{tmp_path / case_folder_name(case)} cannot be reached: the share is gone"
    )


def test_a_training_folder_is_not_said_to_be_created_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_drive_fail(monkeypatch, tmp_path)
    assert "cannot be reached" in DatasetLister().list_cases(tmp_path).problem
