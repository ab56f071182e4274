"""A worklist has the order of the report, and the reviews of all readers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cohort_results import write_results
from smalltumor.cohort.lock import locked_results
from smalltumor.cohort.results.results import read_info
from smalltumor.cohort.results.results_folder import SETTINGS, ResultsFolder
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.cohort.reviews.worklist import ImagesNotFoundError, Worklist, read_worklist


@pytest.fixture
def output(tmp_path) -> Path:
    return write_results(tmp_path)[1]


def review(output: Path, case: str) -> None:
    reviews = Reviews(output)
    begun = reviews.begin(case)
    reviews.save(begun, read_stored_mask(begun.path, case, "brats2018"), "Anna")


def names(worklist: Worklist, start: int, by: int) -> list[str]:
    """The cases that steps lead to, until they lead to the first one again."""
    found: list[str] = []
    while (index := worklist.unreviewed(start, by)) is not None:
        name, start = worklist.entries[index].name, index
        if name in found:
            return found
        found.append(name)
    return found


def test_cases_are_in_the_order_of_the_report_and_failed_ones_last(output):
    entries = read_worklist(output).entries
    assert [entry.name for entry in entries] == ["cyd", "bob", "ann", "dan"]
    assert [entry.can_be_opened for entry in entries] == [True, True, True, False]


def test_steps_lead_to_what_nobody_has_reviewed_in_both_directions(output):
    worklist = read_worklist(output)
    assert names(worklist, -1, 1) == ["cyd", "bob", "ann"]
    assert names(worklist, -1, -1) == ["ann", "bob", "cyd"]
    review(output, "bob")
    assert worklist.reviewed == 0
    worklist = worklist.with_reviews_of_now()
    assert worklist.reviewed == 1
    assert names(worklist, -1, 1) == ["cyd", "ann"]
    for case in ("ann", "cyd"):
        review(output, case)
    assert worklist.with_reviews_of_now().unreviewed(0, 1) is None


def test_images_that_were_moved_are_asked_for(output, tmp_path):
    data = Path(shutil.move(tmp_path / "data", tmp_path / "moved"))
    with pytest.raises(ImagesNotFoundError, match="are not found"):
        read_worklist(output)
    assert read_worklist(output, data).entries[0].can_be_opened
    (tmp_path / "data").mkdir()
    shutil.copytree(data / "ann", tmp_path / "data" / "eve")
    settings = json.loads((output / SETTINGS).read_text())
    (output / SETTINGS).write_text(json.dumps({**settings, "data": None}))
    with pytest.raises(ImagesNotFoundError, match="does not say where"):
        read_worklist(output)


def test_a_case_without_images_is_listed_and_cannot_be_opened(output, tmp_path):
    shutil.rmtree(tmp_path / "data" / "bob")
    worklist = read_worklist(output)
    assert [e.can_be_opened for e in worklist.entries] == [True, False, True, False]
    assert names(worklist, -1, 1) == ["cyd", "ann"]


def test_reviews_of_cases_that_cannot_be_opened_are_not_counted(tmp_path):
    data, output = write_results(tmp_path)
    for name in ("ann", "cyd"):
        review(output, name)
    shutil.rmtree(data / "cyd")
    worklist = read_worklist(output)
    assert worklist.reviewed == 1
    assert sum(each.can_be_opened for each in worklist.entries) == 2


def test_a_run_that_names_no_folder_of_the_cases_keeps_the_one_that_is_known(tmp_path):
    data, output = write_results(tmp_path)
    info = replace(read_info(output), data=None)
    with locked_results(ResultsFolder(output), info, ["ann"], overwrite=False):
        pass
    assert read_info(output).data == data
