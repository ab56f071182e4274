"""Reviews of a cohort: masks of readers beside the network's, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from cohort_results import write_results
from filelock import FileLock
from label_file_search import find_label_files
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import SETTINGS, ResultsFolder
from smalltumor.cohort.results.stored_mask import digest_of_file, read_stored_mask
from smalltumor.cohort.reviews import reviews as module
from smalltumor.cohort.reviews.reviews import LOCK, Reviews
from smalltumor.cohort.reviews.worklist import read_worklist
from smalltumor.data.naming.cohort_names import REVIEW_TABLE
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import OutputError, SmalltumorError


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
    own = output / "reviews" / "Anna" / "ann_review1.nii.gz"
    assert network.read_bytes() == before
    expected = corrected(network).classes
    np.testing.assert_array_equal(read_stored_mask(own, "ann", "brats2018").classes, expected)
    assert (review.reader, review.number, review.edited) == ("Anna", 1, True)
    assert review.digest == digest_of_file(own)
    assert review.started_from == digest_of_file(network)
    assert datetime.fromisoformat(review.time).utcoffset() is not None
    assert Reviews(output).latest() == {"ann": review}
    with (own.parent / REVIEW_TABLE).open(newline="") as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["ann"]


def test_a_mask_that_was_only_confirmed_is_saved_too(output):
    assert not save(output, "Anna", edit=False).edited
    assert (output / "reviews" / "Anna" / "ann_review1.nii.gz").exists()


def test_the_next_review_starts_from_the_last_mask_and_keeps_it(output):
    save(output, "Anna")
    begun = Reviews(output).begin("ann")
    assert begun.path == output / "reviews" / "Anna" / "ann_review1.nii.gz"
    annas = begun.path.read_bytes()
    review = save(output, "Ben", begun=begun)
    assert (review.number, review.started_from) == (2, begun.digest)
    assert begun.path.read_bytes() == annas
    assert Reviews(output).latest()["ann"].reader == "Ben"
    assert save(output, "Anna").number == 3


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be set")
def test_the_time_of_a_review_is_told_in_the_time_zone_of_who_reads_it(output, monkeypatch):
    review = replace(save(output, "Anna"), time="2026-11-29T23:38:26+00:00")
    try:
        for zone, told in (("UTC", "2026-11-29 23:38"), ("XXX-2", "2026-11-30 01:38")):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert review.when == told
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_review_is_refused_if_another_reader_was_faster(output):
    begun = Reviews(output).begin("ann")
    save(output, "Anna")
    to_the_minute = r"\(\d{4}-\d\d-\d\d \d\d:\d\d\)"
    said = f"Anna has reviewed ann meanwhile {to_the_minute}; open ann again"
    with pytest.raises(OutputError, match=said):
        save(output, "Ben", begun=begun)
    assert not (output / "reviews" / "Ben").exists()


def test_a_reader_who_has_saved_the_review_in_another_window_is_told_so(output):
    begun = Reviews(output).begin("ann")
    save(output, "Zoë")
    decomposed = normalize("NFD", " Zoë ")
    with pytest.raises(OutputError, match=r"Zoë has reviewed ann in another window \("):
        save(output, decomposed, begun=begun)


def test_a_review_is_refused_if_the_mask_was_made_again(output):
    begun = Reviews(output).begin("ann")
    unchanged = read_stored_mask(begun.path, "ann", "brats2018")
    shutil.copy(output / "bob.nii.gz", output / "ann.nii.gz")
    with pytest.raises(OutputError, match="ann was segmented again meanwhile"):
        Reviews(output).save(begun, unchanged, "Anna")


def test_a_reviewed_mask_that_another_program_changed_is_known(output):
    save(output, "Anna")
    own = output / "reviews" / "Anna" / "ann_review1.nii.gz"
    begun = Reviews(output).begin("ann")
    assert not begun.is_altered
    shutil.copy(output / "bob.nii.gz", own)
    assert Reviews(output).begin("ann").is_altered
    with pytest.raises(OutputError, match="was changed meanwhile"):
        save(output, "Ben", begun=begun)


def test_only_one_reader_saves_at_a_time(output, monkeypatch):
    monkeypatch.setattr(module, "_LOCK_TIMEOUT_S", 0.01)
    save(output, "Anna")
    with (
        FileLock(output / "reviews" / LOCK),
        pytest.raises(OutputError, match=r"another window or reader is saving.*again$"),
    ):
        save(output, "Ben")


def test_of_two_readers_who_save_in_the_same_moment_one_is_refused(output, monkeypatch):
    monkeypatch.setattr(module, "_LOCK_TIMEOUT_S", 60.0)  # however slow the machine
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


@pytest.mark.parametrize(("name", "message"), [(" ", "needs the name"), ("anna", "name Anna here")])
def test_names_that_no_folder_can_tell_apart_are_refused(output, name, message):
    save(output, "Anna")
    with pytest.raises(OutputError, match=message):
        save(output, name)


def test_a_reader_is_one_in_composed_and_decomposed_letters_and_with_spaces_around(output):
    composed, decomposed = (normalize(form, "Jörg") for form in ("NFC", "NFD"))
    assert composed != decomposed
    save(output, composed)
    save(output, decomposed)
    save(output, f" {composed} ")
    (folder,) = (path for path in (output / "reviews").iterdir() if path.is_dir())
    assert len(list(folder.glob("ann_review*.nii.gz"))) == 3
    folder.rename(folder.with_name(decomposed))  # as a copy from macOS has it
    save(output, composed)
    assert len(list((output / "reviews" / decomposed).glob("*.nii.gz"))) == 4


@pytest.mark.parametrize(("name", "case"), [("ann", "ANN"), ("änn", normalize("NFD", "änn"))])
def test_a_case_in_a_table_is_compared_as_file_names_are(output, name, case):
    for path in output.glob("*ann*"):
        path.rename(path.with_name(path.name.replace("ann", name)))
    reviews = Reviews(output)
    begun = reviews.begin(name)
    unchanged = read_stored_mask(begun.path, name, "brats2018")
    reviews.save(begun, unchanged, "Anna")
    table = output / "reviews" / "Anna" / REVIEW_TABLE
    table.write_text(table.read_text().replace(f"{name},", f"{case},", 1))
    (mask,) = table.parent.glob("*.nii.gz")
    mask.rename(mask.with_name(mask.name.replace(name, case)))
    assert list(Reviews(output).latest()) == [name]
    assert Reviews(output).begin(name).number == 2


def test_a_mask_of_another_grid_is_refused(output):
    begun = Reviews(output).begin("ann")
    mask = corrected(begun.path)
    other = replace(mask, grid=replace(mask.grid, affine=np.diag([2.0, 2, 2, 1])))
    with pytest.raises(OutputError, match="on another grid"):
        Reviews(output).save(begun, other, "Anna")


def test_a_table_leads_to_no_file_outside_its_folder(output):
    save(output, "Anna")
    table = output / "reviews" / "Anna" / REVIEW_TABLE
    table.write_text(table.read_text().replace("ann,", "../../ann,"))
    with pytest.raises(SmalltumorError, match="not the name of a case"):
        Reviews(output).latest()


def relabel(output: Path, scheme: str) -> None:
    """The masks of the network in another label scheme, as after ``--overwrite --labels``."""
    for name in ("ann", "bob", "cyd"):
        path = output / f"{name}.nii.gz"
        mask = read_stored_mask(path, name, "brats2018")
        write_segmentation(mask, path, scheme=scheme, overwrite=True)
    settings = json.loads((output / SETTINGS).read_text())
    (output / SETTINGS).write_text(json.dumps({**settings, "labels": scheme}))


def put_other_images(output: Path, case: str) -> None:
    """The record of a case that was segmented again, with other images of the same size."""
    path = ResultsFolder(output).record(case)
    record = CohortCaseRecord.read(path)
    assert record is not None
    replace(record, digests=dict.fromkeys(record.digests, "0" * 64)).write(path)


def test_a_reviewed_mask_keeps_its_label_scheme_when_the_cohort_gets_another(output):
    save(output, "Anna")
    expected = read_stored_mask(Reviews(output).begin("ann").path, "ann", "brats2018").classes
    relabel(output, "msd")
    reviews = Reviews(output)
    begun = reviews.begin("ann")
    mask = read_stored_mask(begun.path, "ann", begun.scheme)
    np.testing.assert_array_equal(mask.classes, expected)
    assert not reviews.save(begun, mask, "Ben").edited
    assert reviews.begin("ann").scheme == "msd"


def test_a_review_of_other_images_is_not_shown_on_these_and_does_not_count(output):
    first = save(output, "Anna")
    put_other_images(output, "ann")
    begun = Reviews(output).begin("ann")
    assert (begun.path, begun.review) == (output / "ann.nii.gz", None)
    assert begun.of_others == first
    assert Reviews(output).latest() == {}
    second = save(output, "Ben", begun=begun)
    assert second.number == 2
    assert Reviews(output).latest() == {"ann": second}


def test_a_review_counts_whose_folder_lost_an_image(output):
    review = save(output, "Anna")
    digests = dict(Reviews(output).begin("ann").digests)
    digests.pop("flair")
    assert Reviews(output).begin("ann", digests).review == review


def test_a_table_that_cannot_be_written_leaves_the_reviewed_mask_as_it_was(output, monkeypatch):
    first = save(output, "Anna")

    def fail(*args, **kwargs):
        raise OutputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_reviews", fail)
        with pytest.raises(OutputError, match="disk is full"):
            save(output, "Anna")
    begun = Reviews(output).begin("ann")
    assert begun.review == first and not begun.is_altered
    assert save(output, "Anna").number == 2


def test_a_table_that_a_spreadsheet_saved_is_read(output):
    review = save(output, "Anna")
    table = output / "reviews" / "Anna" / REVIEW_TABLE
    table.write_text(table.read_text().replace("true", "TRUE"))
    assert Reviews(output).latest() == {"ann": review}


def test_a_table_is_read_whose_whole_numbers_got_a_decimal_point(output):
    """As of a data frame that has empty cells in the column."""
    begun = Reviews(output).begin("ann")
    review = Reviews(output).save(begun, corrected(begun.path), "Anna", not_visited=3)
    table = output / "reviews" / "Anna" / REVIEW_TABLE
    table.write_text(table.read_text().replace(",3\n", ",3.0\n"))
    assert table.read_text().endswith(",3.0\n")
    assert Reviews(output).latest() == {"ann": review}


@pytest.mark.parametrize("column", ["time", "number"])
def test_a_table_with_another_time_or_number_is_damaged(output, column):
    review = save(output, "Anna")
    table = output / "reviews" / "Anna" / REVIEW_TABLE
    table.write_text(table.read_text().replace(f",{getattr(review, column)},", ",soon,", 1))
    with pytest.raises(SmalltumorError, match=r"reviews\.csv is damaged.*soon"):
        Reviews(output).latest()


def test_a_damaged_table_leaves_out_its_reader_alone(output):
    save(output, "Anna")
    folder = output / "reviews" / "Ben"
    folder.mkdir()
    (folder / REVIEW_TABLE).write_text("case;reader\nbob;Ben\n")
    damaged: list[str] = []
    assert set(Reviews(output).latest(damaged)) == {"ann"}
    assert len(damaged) == 1 and str(folder / REVIEW_TABLE) in damaged[0]
    assert read_worklist(output).problems == damaged
    assert save(output, "Anna").number == 2
    with pytest.raises(SmalltumorError, match=r"reviews\.csv is another table"):
        save(output, "Ben")


def test_a_reader_s_folder_that_cannot_be_entered_is_said(output):
    save(output, "Anna")
    folder = output / "reviews" / "Ben"
    folder.symlink_to(folder)
    damaged: list[str] = []
    assert set(Reviews(output).latest(damaged)) == {"ann"}
    assert len(damaged) == 1 and "Ben" in damaged[0] and "left out" in damaged[0]


def test_a_folder_of_reviews_that_cannot_be_listed_is_said(output, monkeypatch):
    save(output, "Anna")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("smalltumor.files.listings.os.scandir", refuse)
    damaged: list[str] = []
    assert Reviews(output).latest(damaged) == {}
    assert damaged == [
        f"{output / 'reviews'} cannot be read: Permission denied; the reviews in it are left out"
    ]
    with pytest.raises(SmalltumorError, match="reviews cannot be read"):
        Reviews(output).latest()


def test_reviews_of_readers_are_no_second_masks_when_a_cohort_is_evaluated(output):
    save(output, "Anna")
    masks = {file.path.parent for file in find_label_files(output)}
    assert masks == {output}
    save(output, "Anna")
    own = find_label_files(output / "reviews" / "Anna")
    assert [(file.name, file.path.name) for file in own] == [("ann", "ann_review2.nii.gz")]


def test_that_no_review_can_be_saved_is_said_before_one_is_made(output, monkeypatch):
    save(output, "Anna")
    assert not read_worklist(output).problems
    folder = output / "reviews"
    monkeypatch.setattr(module.os, "access", lambda path, mode: path != folder)
    (problem,) = read_worklist(output).problems
    assert problem.startswith(f"{folder} cannot be written by your account")


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_accounts_of_one_group_may_use_the_lock(output):
    save(output, "Anna")
    assert (output / "reviews" / LOCK).stat().st_mode & 0o060 == 0o060


def test_who_has_made_the_edits_is_told_from_who_has_saved_them(output):
    begun = Reviews(output).begin("ann")
    mask = corrected(begun.path)
    review = Reviews(output).save(begun, mask, "Dora", ["Carl", "Dora"])
    assert (review.reader, review.editors) == ("Dora", ("Carl", "Dora"))
    assert review.who == "Dora, edited by Carl and Dora"
    assert Reviews(output).latest()["ann"] == review


@pytest.mark.parametrize(
    ("edit", "editors", "what"), [(True, "Anna", "edited"), (False, "", "unchanged")]
)
def test_the_reader_alone_is_named_once(output, edit, editors, what):
    review = save(output, "Anna", edit=edit)
    assert (review.edited_by, review.what, review.who) == (editors, what, "Anna")


@pytest.mark.parametrize(
    ("edit", "left", "what"),
    [
        (False, 0, "confirmed"),
        (False, 23, "unchanged, 23 places not visited"),
        (True, 1, "edited, 1 place not visited"),
        (False, None, "unchanged"),
    ],
)
def test_only_a_mask_that_was_looked_through_is_confirmed(output, edit, left, what):
    begun = Reviews(output).begin("ann")
    mask = corrected(begun.path) if edit else read_stored_mask(begun.path, "ann", "brats2018")
    Reviews(output).save(begun, mask, "Anna", not_visited=left)
    (review,) = Reviews(output).latest().values()
    assert (review.not_visited, review.what) == (left, what)
    assert review.who == (f"Anna, {what}" if left else "Anna")
