"""Decisions on candidates are kept with their case, and belong to a place in the patient."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from smalltumor.data.case import Case, read_case
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList, measure_lesion
from synthetic import SHAPE, write_case

from napari_smalltumor import settings
from napari_smalltumor.layers.nesting import ensure_nesting
from napari_smalltumor.layers.regions import region_layer
from napari_smalltumor.lesions.review import LesionReview
from napari_smalltumor.lesions.second_look.decisions import (
    Verdict,
    decide,
    decision_on,
    is_rejected,
    take_back,
)


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Case:
    return read_case(write_case(tmp_path_factory.mktemp("cases") / "case"))


def candidate(case, first=4):
    """A cube of 8 voxels outside the mask."""
    voxels = np.argwhere(np.ones((2, 2, 2))) + first
    lesion = measure_lesion(1, voxels, case.grid, Region.ET)
    return replace(lesion, list_name=LesionList.SECOND_LOOK, score=0.2)


def review_of(case) -> tuple[ViewerModel, LesionReview]:
    """A review of masks with 27 voxels in a new viewer."""
    viewer = ViewerModel()
    ensure_nesting(viewer)
    mask = np.zeros(SHAPE, bool)
    mask[9:12, 9:12, 9:12] = True
    for region in Region:
        viewer.add_layer(Layer.create(*region_layer(case, region, mask)))
    return viewer, LesionReview(viewer)


def et_of(review):
    return review.source.layers[Region.ET]


def test_a_rejected_candidate_is_rejected_when_its_case_is_opened_again(case, data_folder):
    _, review = review_of(case)
    decide(et_of(review), Verdict.REJECTED, [candidate(case)])
    (file,) = data_folder.glob("decisions/*")
    assert file.name.startswith("case-")
    _, again = review_of(case)
    assert is_rejected(et_of(again), candidate(case))
    assert not is_rejected(et_of(again), candidate(case, first=10))
    take_back(et_of(again), [candidate(case)])
    _, third = review_of(case)
    assert decision_on(et_of(third), candidate(case)) is None


def test_the_last_decision_on_a_place_holds(case):
    _, review = review_of(case)
    decide(et_of(review), Verdict.REJECTED, [candidate(case)])
    decide(et_of(review), Verdict.ADDED, [candidate(case)])
    decision = decision_on(et_of(review), candidate(case))
    assert decision.verdict is Verdict.ADDED
    assert decision.when.startswith("20")


def test_without_autosave_no_decision_is_written(case, data_folder):
    settings.put("autosave", False)
    _, review = review_of(case)
    decide(et_of(review), Verdict.REJECTED, [candidate(case, first=6)])
    assert is_rejected(et_of(review), candidate(case, first=6))
    assert not list(data_folder.glob("decisions/*"))


@pytest.mark.parametrize("content", ["", "[]", '{"format": "else"}', '{"decisions": [1]}'])
def test_a_damaged_file_holds_no_decisions(case, data_folder, content):
    _, review = review_of(case)
    decide(et_of(review), Verdict.REJECTED, [candidate(case)])
    (file,) = data_folder.glob("decisions/*")
    assert json.loads(file.read_text())["decisions"]
    file.write_text(content)
    _, again = review_of(case)
    assert decision_on(et_of(again), candidate(case)) is None


def test_an_added_candidate_is_in_all_regions_and_undo_takes_it_out(case):
    _, review = review_of(case)
    lesion = candidate(case)
    review.set_candidates([lesion])
    assert review.add(lesion)
    counts = [np.count_nonzero(layer.data) for layer in review.source.layers.values()]
    assert counts == [35, 35, 35]
    assert review.candidates == []
    assert decision_on(et_of(review), lesion).verdict is Verdict.ADDED
    review.undo()
    counts = [np.count_nonzero(layer.data) for layer in review.source.layers.values()]
    assert counts == [27, 27, 27]
    assert decision_on(et_of(review), lesion) is None


def test_what_the_mask_holds_already_is_not_added(case):
    _, review = review_of(case)
    assert not review.add(candidate(case, first=9))
    assert not review.can_undo


def test_the_table_says_who_decided_and_when(case):
    _, review = review_of(case)
    one, other = candidate(case), candidate(case, first=14)
    review.reject([one])
    rejected, undecided = review.reviewed([one, other])
    assert (rejected.accepted, undecided.accepted) == (False, None)
    assert rejected.decided_at and undecided.decided_at is None
    review.add(other)
    review.source.layers[Region.ET].undo()
    (taken_back,) = review.reviewed([other])
    assert (taken_back.accepted, taken_back.decided_at) == (None, None)
