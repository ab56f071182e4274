"""A review: lesions are accepted and deleted, and steps are taken back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from lesion_layers import rings_shown, search, show_regions, synthetic_case
from smalltumor.labels.regions import Region

from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.review.reviewed_lesions import reviewed
from napari_smalltumor.patients.active_patient import active_patient


def test_an_accepted_lesion_stays_accepted_until_it_is_edited(review):
    review.go_to(review.lesions[1])
    review.accept([review.lesions[1]])
    search(review)
    assert [review.is_accepted(x) for x in review.lesions] == [False, True, False]
    layer = review.source.layers[Region.ET]
    corner = tuple(span.start for span in review.source.box_in_data(review.lesions[1]))
    layer.data_setitem(tuple(np.array([n]) for n in corner), 0)
    search(review)
    assert review.lesions[1].voxels == 11
    assert not review.is_accepted(review.lesions[1])
    assert review.current == review.lesions[1]


def test_acceptance_is_kept_for_the_next_review_and_applies_to_one_region(viewer, review):
    review.go_to(review.lesions[1])
    review.accept([review.lesions[1]])
    review.close()
    again = LesionReview(viewer)
    search(again)
    assert [x.accepted for x in reviewed(again, again.lesions)] == [False, True, False]
    again.segmentation.choose(again.source, Region.WT)
    search(again)
    assert not any(again.is_accepted(x) for x in again.lesions)
    again.segmentation.choose(again.source, Region.ET)
    search(again)
    again.accept([again.lesions[1]], False)
    assert not again.is_accepted(again.lesions[1])


def test_a_deleted_lesion_is_listed_again_after_undo(review):
    review.go_to(review.lesions[0])
    assert review.delete(review.lesions[:1]) and review.can_undo
    assert review.current is None
    search(review)
    assert [x.voxels for x in review.lesions] == [12, 216]
    assert not review.delete([])
    assert review.undo() and not review.can_undo
    search(review)
    assert [x.voxels for x in review.lesions] == [2, 12, 216]


def test_several_lesions_are_deleted_and_restored_in_one_step(review):
    layer = review.source.layers[Region.ET]
    before = layer.data.copy()
    assert len(review.delete(review.lesions)) == 3
    assert not layer.data.any()
    layer.undo()
    assert np.array_equal(layer.data, before)
    layer.redo()
    review.undo()
    assert np.array_equal(layer.data, before) and not review.can_undo


def test_a_deletion_that_the_layers_undo_took_back_cannot_be_undone_again(review):
    review.delete(review.lesions[:1])
    review.source.layers[Region.ET].undo()
    search(review)
    assert not review.can_undo


def test_the_layers_undo_after_a_restored_deletion_does_not_delete_the_lesion_again(review):
    layer = review.source.layers[Region.ET]
    before = layer.data.copy()
    layer.paint((1, 1, 1), 1)
    painted = layer.data.copy()
    review.delete(review.lesions[:1])
    review.undo()
    assert np.array_equal(layer.data, painted)
    layer.undo()
    assert np.array_equal(layer.data, before)
    layer.undo()
    assert np.array_equal(layer.data, before)


def test_a_deletion_is_restored_below_later_strokes_which_the_layers_undo_takes_back(review):
    layer = review.source.layers[Region.ET]
    before = layer.data.copy()
    review.delete(review.lesions[:1])
    layer.paint((1, 1, 1), 1)
    review.undo()
    assert layer.data[1, 1, 1] == 1
    layer.undo()
    assert np.array_equal(layer.data, before) and not review.can_undo


def test_a_deletion_that_the_layers_redo_repeats_can_be_undone(review):
    layer = review.source.layers[Region.ET]
    before = {region: x.data.copy() for region, x in review.source.layers.items()}
    review.delete(review.lesions[:1])
    layer.undo()
    assert not review.can_undo
    layer.redo()
    assert review.can_undo and not np.array_equal(layer.data, before[Region.ET])
    review.undo()
    assert all(np.array_equal(x.data, before[r]) for r, x in review.source.layers.items())


def test_the_layers_redo_does_not_repeat_the_part_of_one_layer(review):
    """The lesion would be gone from ET, and stay in the file as necrosis."""
    before = {region: x.data.copy() for region, x in review.source.layers.items()}
    review.delete(review.lesions[:1])
    review.undo()
    review.source.layers[Region.ET].redo()
    assert all(np.array_equal(x.data, before[r]) for r, x in review.source.layers.items())
    assert not review.can_undo


def test_an_acceptance_that_was_taken_back_twice_is_not_a_step_any_more(review):
    lesion = review.lesions[:1]
    for accepted in (True, False, True):
        review.accept(lesion, accepted)
    assert [review.undo() is not None for _ in range(4)] == [True, True, True, False]


def test_a_deletion_cannot_be_undone_in_a_new_result(viewer, review):
    review.delete(review.lesions[:1])
    show_regions(viewer, synthetic_case())
    search(review)
    assert not review.can_undo


def test_only_the_active_patient_is_reviewed_and_its_deletions_can_be_undone_later(viewer, review):
    (first,) = active_patient(viewer).patients
    deleted = review.delete([review.small[0]])
    assert len(deleted) == 1
    show_regions(viewer, replace(synthetic_case(), name="Next"))
    search(review)
    assert [source.name for source in review.segmentation.sources] == ["Next"]
    assert len(rings_shown(viewer).data)
    assert not review.can_undo and review.current is None
    active_patient(viewer).activate(first)
    search(review)
    assert [source.name for source in review.segmentation.sources] == ["Pat"]
    assert len(rings_shown(viewer).data)
    assert len(review.lesions) == 2
    assert review.undo()
    search(review)
    assert len(review.lesions) == 3


def test_several_lesions_are_accepted_and_taken_back_in_one_step(review):
    review.accept(review.lesions[:1])
    review.accept(review.lesions)
    assert all(map(review.is_accepted, review.lesions))
    step = review.undo()
    assert [x.voxels for x in step.lesions] == [12, 216]
    assert [review.is_accepted(x) for x in review.lesions] == [True, False, False]
    assert review.undo().lesions == review.lesions[:1]
    assert review.undo() is None


def test_steps_are_taken_back_in_reverse_order_also_from_another_region(review):
    review.accept(review.lesions[:2])
    review.delete(review.lesions[1:2])
    review.segmentation.choose(review.source, Region.WT)
    search(review)
    assert review.can_undo
    assert review.undo().region is Region.ET
    review.segmentation.choose(review.source, Region.ET)
    search(review)
    assert [review.is_accepted(x) for x in review.lesions] == [True, True, False]
    review.undo()
    assert not any(map(review.is_accepted, review.lesions))


def test_deleted_lesions_are_not_listed_before_the_next_search(review):
    review.delete(review.lesions[:2])
    assert [x.voxels for x in review.lesions] == [216]


class TestDockIsClosedAndOpened:
    """A review that follows another one in the same viewer, as when the dock is opened again."""

    def test_steps_can_be_undone_and_the_lesion_is_current(self, viewer, review):
        review.delete([review.small[0]])
        review.go_to(review.lesions[-1])
        current = review.current
        before = review.source.mask(Region.ET).sum()
        review.close()
        again = LesionReview(viewer)
        assert again.current is None  # it is not listed yet
        search(again)
        assert again.current.voxels == current.voxels
        step = again.undo()
        assert step is not None
        assert again.source.mask(Region.ET).sum() == before + sum(x.voxels for x in step.lesions)

    def test_a_second_close_does_not_bring_back_an_earlier_state(self, viewer, review):
        review.close()
        again = LesionReview(viewer)
        again.delete([review.small[0]])
        again.close()
        review.close()
        assert LesionReview(viewer).can_undo

    def test_steps_of_a_patient_closed_meanwhile_are_forgotten(self, viewer, review):
        review.delete([review.small[0]])
        review.close()
        layers = list(viewer.layers)
        viewer.layers.clear()
        for layer in layers:
            viewer.add_layer(layer)
        assert not LesionReview(viewer).can_undo
