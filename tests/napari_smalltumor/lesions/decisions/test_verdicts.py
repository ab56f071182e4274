"""Decisions on candidates are kept with their case, and belong to a place in the patient."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from smalltumor.data.case import Case
from smalltumor.data.read_case import read_case
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList, measure_lesion
from synthetic import SHAPE, write_case

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.lesions.decisions.acceptance import acceptance_of
from napari_smalltumor.lesions.decisions.signature import Signature
from napari_smalltumor.lesions.decisions.verdicts import (
    Verdict,
    decide,
    decision_on,
    is_rejected,
    take_back,
)
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.review.reviewed_lesions import reviewed
from napari_smalltumor.lesions.search.specks import SpeckRule


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


@pytest.fixture
def seconds(monkeypatch) -> None:
    """Whatever is decided is signed with another time."""
    numbers = count()
    sign = classmethod(lambda cls: cls("R", f"{next(numbers)}"))
    monkeypatch.setattr(Signature, "now", sign)


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


@pytest.mark.parametrize(
    "content", ["", "[]", "[" * 100_000, '{"format": "else"}', '{"decisions": [1]}']
)
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
    rejected, undecided = reviewed(review, [one, other])
    assert (rejected.accepted, undecided.accepted) == (False, None)
    assert rejected.decided_at and undecided.decided_at is None
    review.add(other)
    review.source.layers[Region.ET].undo()
    (taken_back,) = reviewed(review, [other])
    assert (taken_back.accepted, taken_back.decided_at) == (None, None)


def searched(review):
    """The lesions of the mask as it is now."""
    lesions = review.source.snapshot(review.region).lesions(100)
    review.set_lesions(lesions)
    return lesions


def test_two_segmentations_of_a_case_have_the_same_decisions(case):
    (_, one), (_, other) = review_of(case), review_of(case)
    decide(et_of(one), Verdict.REJECTED, [candidate(case)])
    decide(et_of(other), Verdict.REJECTED, [candidate(case, first=14)])
    _, again = review_of(case)
    for review in (one, other, again):
        assert is_rejected(et_of(review), candidate(case))
        assert is_rejected(et_of(review), candidate(case, first=14))


@pytest.mark.parametrize("content", ['{"format": "smalltumor decisions", "version": 2}', "{"])
def test_a_file_of_a_later_version_is_not_replaced(case, data_folder, monkeypatch, content):
    warnings = []
    monkeypatch.setattr(notify, "warn", warnings.append)
    _, review = review_of(case)
    decide(et_of(review), Verdict.REJECTED, [candidate(case)])
    (file,) = data_folder.glob("decisions/*")
    file.write_text(content)
    decide(et_of(review), Verdict.REJECTED, [candidate(case, first=14)])
    assert file.read_text() == content
    assert file.name in warnings[0]
    assert is_rejected(et_of(review), candidate(case, first=14))


def test_a_decision_is_about_a_lesion_of_its_kind_and_size(case):
    _, review = review_of(case)
    spot = candidate(case)
    decide(et_of(review), Verdict.REJECTED, [spot])
    component = replace(spot, list_name=LesionList.FOUND)
    rim = replace(component, mm3=4 * spot.mm3)
    decide(et_of(review), Verdict.ADDED, [rim])
    assert is_rejected(et_of(review), spot)
    assert decision_on(et_of(review), component) is None
    assert decision_on(et_of(review), rim).verdict is Verdict.ADDED


def test_an_added_candidate_is_accepted_until_it_is_deleted(case):
    _, review = review_of(case)
    lesion = candidate(case)
    review.add(lesion)
    (added,) = [x for x in searched(review) if x.voxels == 8]
    (row,) = reviewed(review, [added])
    assert row.accepted and row.decided_by
    review.delete([added])
    assert decision_on(et_of(review), added) is None
    review.undo()
    (row,) = reviewed(review, [added])
    assert row.accepted and row.decided_by
    review.accept([added], False)
    (row,) = reviewed(review, [added])
    assert (row.accepted, row.decided_by) == (False, None)


@pytest.mark.parametrize("region", Region)
def test_the_table_says_who_accepted_a_lesion_of_any_region_until_it_is_edited(case, region):
    _, review = review_of(case)
    review.segmentation.choose(review.source, region)
    (component,) = searched(review)
    review.accept([component])
    (row,) = reviewed(review, [component])
    assert row.accepted and row.decided_by and row.decided_at.startswith("20")
    layer = review.source.layers[region]
    beside = np.argwhere(layer.data)[-1:] + 1  # an erased voxel of TC or WT returns with ET
    layer.data_setitem(tuple(beside.T), 1)
    (edited,) = searched(review)
    (row,) = reviewed(review, [edited])
    assert (row.accepted, row.decided_by, row.decided_at) == (False, None, None)


def test_undo_restores_the_decision_that_a_step_replaced(case, seconds):
    _, review = review_of(case)
    (component,) = searched(review)
    review.accept([component])
    (before,) = reviewed(review, [component])
    review.accept([component], False)
    review.undo()
    assert reviewed(review, [component]) == [before]
    spot = candidate(case)
    review.reject([spot])
    review.add(spot)
    review.undo()
    assert is_rejected(et_of(review), spot)


def test_a_lesion_that_was_deleted_is_not_accepted_when_its_mask_is_opened_again(case, seconds):
    _, review = review_of(case)
    (component,) = searched(review)
    review.accept([component])
    (before,) = reviewed(review, [component])
    assert review.delete([component])
    _, again = review_of(case)
    assert not again.source.is_accepted(Region.ET, component)
    review.undo()
    assert reviewed(review, [component]) == [before]


def test_an_addition_that_is_accepted_again_by_undo_has_no_mark_beside_its_decision(case):
    _, review = review_of(case)
    spot = candidate(case)
    review.add(spot)
    review.accept([spot], False)
    review.undo()
    assert review.source.is_accepted(Region.ET, spot)
    assert acceptance_of(et_of(review), Region.ET, spot) is None


def test_an_added_candidate_is_no_speck(case):
    _, review = review_of(case)
    uncertain = replace(candidate(case), mean_probability=0.1, max_probability=0.3)
    review.add(uncertain)
    added = replace(uncertain, list_name=LesionList.FOUND)
    assert SpeckRule(20, 0.5).specks([added], from_network=True) == [added]
    assert review.source.is_accepted(Region.ET, added)


def test_layers_that_an_addition_a_deletion_or_undo_would_change_are_known_if_hidden(case):
    _, review = review_of(case)
    outer = review.source.layers[Region.WT]
    outer.visible = False
    assert review.unseen.of_addition(candidate(case)) is outer
    assert review.unseen.of_addition(candidate(case, first=9)) is None
    (component,) = searched(review)
    assert review.unseen.of_deletion([component]) is outer
    outer.visible = True
    review.add(candidate(case))
    assert review.unseen.of_undo is None
    outer.visible = False
    assert review.unseen.of_undo is outer
