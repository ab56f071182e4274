"""Candidates are listed only if something tells that they are of this patient."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from second_look_cases import Spot
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.cohort.reviews.stored_candidates import stored_candidates
from smalltumor.labels.regions import Region
from smalltumor.lesions import write_csv
from smalltumor.second_look import StoredCandidates
from stored_results import write_results

FOUND = Spot((24, 42, 28), 4, 500, logit=8)
OF_ANN, OF_BOB = Spot((42, 30, 32), 4, 500, logit=3.2), Spot((42, 30, 20), 4, 500, logit=3.2)
REFUSED = (
    "ann_candidates.nii.gz may be of another patient: the mask has no enhancing tumour, and no "
    "record identifies the image; if the network made the mask, delete it to have the case "
    "segmented again"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """Two patients without enhancing tumour, and one with it; each has a candidate."""
    spots = {"ann": (OF_ANN,), "bob": (OF_BOB,), "cyd": (FOUND, OF_ANN)}
    return write_results(tmp_path_factory.mktemp("cohort"), spots)


@pytest.fixture
def folder(written, tmp_path) -> ResultsFolder:
    return ResultsFolder(Path(shutil.copytree(written, tmp_path / "out")))


def read(folder: ResultsFolder, name: str = "ann") -> StoredCandidates:
    mask = read_stored_mask(folder.mask(name), name, "brats2018")
    assert mask.mask(Region.ET).any() == (name == "cyd")
    return stored_candidates(folder, Reviews(folder.path).begin(name), mask)


def forget_candidates(folder: ResultsFolder, *names: str) -> None:
    """As if the image had been put beside a mask for which none was written."""
    for name in names:
        record = CohortCaseRecord.read(folder.record(name))
        assert record is not None and record.candidates
        replace(record, candidates="").write(folder.record(name))


def exchange(folder: ResultsFolder) -> None:
    """Exchange tables and images of two patients without enhancing tumour."""
    for file in (folder.candidates, folder.lesions):
        first, second = file("ann").read_bytes(), file("bob").read_bytes()
        file("ann").write_bytes(second)
        file("bob").write_bytes(first)


def test_the_record_tells_candidates_of_patients_without_enhancing_tumour(folder):
    assert len(read(folder).candidates) == 1
    exchange(folder)
    assert read(folder).problem == "ann_candidates.nii.gz was replaced since"


@pytest.mark.parametrize("exchanged", [True, False])
@pytest.mark.parametrize("record", ["without candidates", "missing"])
def test_candidates_that_nothing_tells_are_refused(folder, exchanged, record):
    forget_candidates(folder, "ann", "bob")
    if record == "missing":
        folder.record("ann").unlink()
    if exchanged:
        exchange(folder)
    stored = read(folder)
    assert stored.problem == REFUSED and not stored.candidates and not stored.is_missing


def test_the_components_of_the_mask_tell_them_without_a_record(folder):
    forget_candidates(folder, "cyd")
    stored = read(folder, "cyd")
    assert len(stored.candidates) == 1 and not stored.problem


@pytest.mark.parametrize("forgotten", [True, False])
def test_a_table_without_rows_and_without_an_image_does_not_say_that_there_are_none(
    folder, forgotten
):
    """It may be that of another patient without enhancing tumour."""
    if forgotten:
        forget_candidates(folder, "ann")
    folder.candidates("ann").unlink()
    write_csv([], folder.lesions("ann"), overwrite=True)
    stored = read(folder)
    assert stored.is_missing and stored.problem == "ann_candidates.nii.gz is missing"
