"""Reviews of a cohort: masks of readers beside the network's, and what is refused."""

from __future__ import annotations

import csv
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from cohort_results import write_results
from filelock import FileLock
from smalltumor.cohort import reviews as module
from smalltumor.cohort.reviews import LOCK, TABLE, Reviews
from smalltumor.cohort.stored_mask import digest_of_file, read_stored_mask
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.evaluation.pairing import find_label_files


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return write_results(tmp_path_factory.mktemp("cohort"))[1]


@pytest.fixture
def output(written, tmp_path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "out"))


def corrected(path: Path) -> Segmentation:
    """A mask with one voxel of edema more."""
    mask = read_stored_mask(path, "ann", "brats2018")
    classes = mask.classes.copy()
    classes[1, 1, np.flatnonzero(classes[1, 1] == 0)[0]] = 2
    return replace(mask, classes=classes)


def save(output: Path, reader: str, *, edit: bool = True, begun=None):
    reviews = Reviews(output)
    begun = begun or reviews.begin("ann")
    unchanged = read_stored_mask(begun.path, "ann", "brats2018")
    return reviews.save(begun, corrected(begun.path) if edit else unchanged, reader)


def test_a_review_keeps_who_when_and_the_mask_and_leaves_the_networks(output):
    network = output / "ann.nii.gz"
    before = network.read_bytes()
    review = save(output, "Anna")
    own = output / "reviews" / "Anna" / "ann.nii.gz"
    assert network.read_bytes() == before
    expected = corrected(network).classes
    np.testing.assert_array_equal(read_stored_mask(own, "ann", "brats2018").classes, expected)
    assert (review.reader, review.number, review.edited) == ("Anna", 1, True)
    assert review.digest == digest_of_file(own)
    assert review.started_from == digest_of_file(network)
    assert datetime.fromisoformat(review.time).utcoffset() is not None
    assert Reviews(output).latest() == {"ann": review}
    with (own.parent / TABLE).open(newline="") as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["ann"]


def test_a_mask_that_was_only_confirmed_is_saved_too(output):
    assert not save(output, "Anna", edit=False).edited
    assert (output / "reviews" / "Anna" / "ann.nii.gz").exists()


def test_the_next_review_starts_from_the_last_mask_and_keeps_it(output):
    save(output, "Anna")
    begun = Reviews(output).begin("ann")
    assert begun.path == output / "reviews" / "Anna" / "ann.nii.gz"
    annas = begun.path.read_bytes()
    review = save(output, "Ben", begun=begun)
    assert (review.number, review.started_from) == (2, begun.digest)
    assert begun.path.read_bytes() == annas
    assert Reviews(output).latest()["ann"].reader == "Ben"
    assert save(output, "Anna").number == 3


def test_a_review_is_refused_if_another_reader_was_faster(output):
    begun = Reviews(output).begin("ann")
    save(output, "Anna")
    with pytest.raises(OutputError, match=r"Anna has reviewed ann meanwhile \(.*open ann again"):
        save(output, "Ben", begun=begun)
    assert not (output / "reviews" / "Ben").exists()


def test_a_review_is_refused_if_the_mask_was_made_again(output):
    begun = Reviews(output).begin("ann")
    unchanged = read_stored_mask(begun.path, "ann", "brats2018")
    shutil.copy(output / "bob.nii.gz", output / "ann.nii.gz")
    with pytest.raises(OutputError, match="ann was segmented again meanwhile"):
        Reviews(output).save(begun, unchanged, "Anna")


def test_a_reviewed_mask_that_another_program_changed_is_known(output):
    save(output, "Anna")
    own = output / "reviews" / "Anna" / "ann.nii.gz"
    begun = Reviews(output).begin("ann")
    assert not begun.is_altered
    shutil.copy(output / "bob.nii.gz", own)
    assert Reviews(output).begin("ann").is_altered
    with pytest.raises(OutputError, match="was changed meanwhile"):
        save(output, "Ben", begun=begun)


def test_only_one_reader_saves_at_a_time(output, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 0.01)
    save(output, "Anna")
    with (
        FileLock(output / "reviews" / LOCK),
        pytest.raises(OutputError, match="another reader is saving"),
    ):
        save(output, "Ben")


def test_of_two_readers_who_save_in_the_same_moment_one_is_refused(output):
    begun = Reviews(output).begin("ann")

    def outcome(reader: str) -> str:
        try:
            return save(output, reader, begun=begun).reader
        except OutputError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, ["Anna", "Ben"]))
    winner = Reviews(output).latest()["ann"].reader
    assert winner in outcomes
    assert sum(f"{winner} has reviewed ann meanwhile" in text for text in outcomes) == 1
    assert [path.name for path in (output / "reviews").iterdir() if path.is_dir()] == [winner]


@pytest.mark.parametrize(("name", "message"), [(" ", "needs the name"), ("anna", "Anna is ano")])
def test_names_that_no_folder_can_tell_apart_are_refused(output, name, message):
    save(output, "Anna")
    with pytest.raises(OutputError, match=message):
        save(output, name)


def test_a_mask_of_another_grid_is_refused(output):
    begun = Reviews(output).begin("ann")
    mask = corrected(begun.path)
    other = replace(mask, grid=replace(mask.grid, affine=np.diag([2.0, 2, 2, 1])))
    with pytest.raises(OutputError, match="on another grid"):
        Reviews(output).save(begun, other, "Anna")


def test_a_table_leads_to_no_file_outside_its_folder(output):
    save(output, "Anna")
    table = output / "reviews" / "Anna" / TABLE
    table.write_text(table.read_text().replace("ann,", "../../ann,"))
    with pytest.raises(SmalltumorError, match="not the name of a case"):
        Reviews(output).latest()


def test_reviews_of_readers_are_no_second_masks_when_a_cohort_is_evaluated(output):
    save(output, "Anna")
    masks = {file.path.parent for file in find_label_files(output)}
    assert masks == {output}
    own = find_label_files(output / "reviews" / "Anna")
    assert [file.name for file in own] == ["ann"]
