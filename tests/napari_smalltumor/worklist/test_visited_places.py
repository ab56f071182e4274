"""Which listed places the reader has gone to, and the question before a review without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohort_results import write_results
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.cohort.reviews.worklist import Worklist, WorklistEntry, read_worklist
from smalltumor.errors import OutputError

from napari_smalltumor import questions
from napari_smalltumor.worklist import texts
from napari_smalltumor.worklist.listed_lesions import ListedLesionRing
from napari_smalltumor.worklist.session import ReviewSession


@pytest.fixture
def worklist(tmp_path) -> Worklist:
    return read_worklist(write_results(tmp_path)[1])


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The questions, of which the first is answered with no."""
    asked: list[str] = []
    monkeypatch.setattr(
        questions,
        "confirm",
        lambda parent, title, text, action: asked.append(text) or len(asked) > 1,
    )
    return asked


def entry(worklist: Worklist, name: str) -> WorklistEntry:
    return next(each for each in worklist.entries if each.name == name)


def reviews(worklist: Worklist) -> list[Path]:
    return list(worklist.folder.glob("reviews/*/*.nii.gz"))


def test_a_case_that_was_not_looked_through_is_asked_about_and_is_not_confirmed(
    viewer, worklist, asked
):
    session = ReviewSession(viewer)
    session.open(worklist, entry(worklist, "bob"))
    assert (session.visited.count, session.visited.remaining) == (2, 2)
    assert session.save("Anna") is None and reviews(worklist) == []
    assert asked == ["bob: 2 of 2 places were not visited. Mark as reviewed?"]
    review = session.save("Anna")
    assert review.not_visited == 2 and review.what == "unchanged, 2 places not visited"
    told = "Saved bob, unchanged, 2 places not visited, as reviewed by Anna."
    assert texts.saved(review) == told
    session.save("Anna")
    assert len(asked) == 2  # it was answered for as long as the case is open
    session.open(worklist, entry(worklist, "ann"))
    session.open(worklist, entry(worklist, "bob"))
    session.save("Anna")
    assert len(asked) == 3


def test_an_answer_with_which_nothing_was_saved_is_asked_for_again(
    viewer, worklist, asked, monkeypatch
):
    session = ReviewSession(viewer)
    session.open(worklist, entry(worklist, "bob"))
    assert session.save("Anna") is None
    with monkeypatch.context() as cancelled:
        cancelled.setattr("napari_smalltumor.worklist.session.confirm_regions", lambda *a: False)
        assert session.save("Anna") is None and len(asked) == 2
    with monkeypatch.context() as full, pytest.raises(OutputError):
        full.setattr(Reviews, "save", raise_output_error)
        session.save("Anna")
    assert len(asked) == 3
    assert session.save("Anna").not_visited == 2 and len(asked) == 4
    session.save("Anna")
    assert len(asked) == 4


def raise_output_error(*arguments: object) -> None:
    raise OutputError("the disk is full")


def test_a_case_whose_places_were_all_visited_is_confirmed_without_a_question(
    viewer, worklist, asked
):
    session, ring = ReviewSession(viewer), ListedLesionRing(viewer)
    session.open(worklist, entry(worklist, "bob"))
    for lesion in entry(worklist, "bob").result.listed:
        ring.show(lesion)
    assert session.visited.remaining == 0
    assert session.save("Anna").what == "confirmed" and asked == []


def test_nothing_is_asked_about_a_case_without_places(viewer, worklist, asked):
    session = ReviewSession(viewer)
    session.open(worklist, entry(worklist, "ann"))
    assert session.save("Anna").what == "confirmed" and asked == []
