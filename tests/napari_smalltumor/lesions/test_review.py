"""Review of lesions: the current lesion, the position of the viewer, and the rings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_layers import show_classes, show_regions, synthetic_case
from smalltumor.labels.regions import Region
from smalltumor.lesions import LesionList

from napari_smalltumor.layers.regions import hide_stored_labels
from napari_smalltumor.lesions.review import LesionReview
from napari_smalltumor.lesions.reviewed_lesions import reviewed
from napari_smalltumor.lesions.rings import (
    CURRENT,
    DIAMETER_FACTOR,
    GAP_PIXELS,
    HALO_PIXELS,
    LINE_PIXELS,
    NAME,
    SMALLEST_PIXELS,
)
from napari_smalltumor.lesions.specks import SpeckRule
from napari_smalltumor.patients.active_patient import active_patient


def search(review, threshold=100):
    """Search and set the lesions without waiting for the finder."""
    review.set_lesions(review.source.snapshot(review.region).lesions(threshold))


@pytest.fixture
def review(viewer):
    show_regions(viewer, synthetic_case())
    review = LesionReview(viewer)
    search(review)
    return review


def rings_shown(viewer):
    """The one layer of rings."""
    (layer,) = [layer for layer in viewer.layers if layer.name.startswith(NAME)]
    return layer


def visible(viewer, review):
    """Positions of the rings in the current view, in voxels of the layer."""
    layer = viewer.layers[NAME]
    inside = layer.shown.copy()
    here = layer.world_to_data(viewer.dims.point)
    for axis in viewer.dims.not_displayed:
        inside &= np.abs(layer.data[:, axis] - here[axis]) <= 0.5
    return layer.data[inside][: inside.sum() // 2]


def test_going_to_a_lesion_centres_a_slice_through_it_on_the_canvas(viewer, review):
    source = review.source
    for order in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
        viewer.dims.order = order
        for lesion in review.lesions:
            viewer.scene.camera.zoom = 0.1
            review.go_to(lesion)
            here = np.rint(source.any_layer.world_to_data(viewer.dims.point)).astype(int)
            mask = source.mask(Region.ET).take(here[order[0]], axis=order[0])
            assert mask.any()
            place = source.any_layer.data_to_world(np.rint(source.to_data(lesion.centroid_voxel)))
            assert viewer.scene.camera.center[-2:] == pytest.approx([place[a] for a in order[1:]])
            assert viewer.scene.camera.zoom > 1


def test_going_to_a_lesion_in_3d_centres_the_camera_and_keeps_a_larger_zoom(viewer, review):
    viewer.dims.ndisplay = 3
    viewer.scene.camera.zoom = 500
    review.go_to(review.lesions[1])
    centre = review.source.to_data(review.lesions[1].centroid_voxel)
    assert viewer.scene.camera.center == pytest.approx(
        review.source.any_layer.data_to_world(np.rint(centre))
    )
    assert viewer.scene.camera.zoom == 500


def test_steps_wrap_around_in_both_directions(review):
    small = review.small
    assert [x.voxels for x in small] == [2, 12]
    assert [review.step(small).voxels for _ in range(3)] == [2, 12, 2]
    assert review.step(small, -1).voxels == 12
    assert review.step([]) is None


def test_only_small_lesions_have_rings_and_only_on_their_slices(viewer, review):
    source = review.source
    for axis in range(3):
        viewer.dims.order = (axis, *(a for a in range(3) if a != axis))
        boxes = [source.box_in_data(lesion) for lesion in review.small]
        for index in range(source.any_layer.data.shape[axis]):
            viewer.dims.set_point(axis, source.any_layer.data_to_world((index,) * 3)[axis])
            expected = sum(box[axis].start <= index < box[axis].stop for box in boxes)
            assert len(visible(viewer, review)) == expected, (axis, index)
    viewer.dims.ndisplay = 3
    assert len(visible(viewer, review)) == 2


def test_rings_keep_their_line_width_and_minimum_size_in_screen_pixels(viewer, review):
    layer = viewer.layers[NAME]
    scale = abs(layer.scale[-1])
    diameters = sorted({lesion.diameter_mm for lesion in review.small})
    for zoom in (0.3, 2.0, 40.0):
        viewer.scene.camera.zoom = zoom
        pixels = np.unique(np.round(layer.size * scale * zoom, 3))
        wanted = [max(SMALLEST_PIXELS, DIAMETER_FACTOR * d * zoom + GAP_PIXELS) for d in diameters]
        both = sorted({round(w + halo, 3) for w in wanted for halo in (0, 2 * HALO_PIXELS)})
        assert pixels == pytest.approx(both, abs=2e-3)
        line = np.round(layer.border_width * layer.size * scale * zoom, 3)
        assert np.unique(line) == pytest.approx([LINE_PIXELS, LINE_PIXELS + 2 * HALO_PIXELS])


def test_the_current_lesion_has_a_white_ring_even_if_it_is_large(viewer, review):
    review.go_to(review.lesions[2])
    layer = viewer.layers[NAME]
    white = np.all(np.isclose(layer.border_color, CURRENT), axis=1)
    centre = [(s.start + s.stop - 1) / 2 for s in review.source.box_in_data(review.lesions[2])]
    assert white.any() and np.all(np.isclose(layer.data[white], centre).sum(axis=1) >= 2)
    review.go_to(review.lesions[0])
    assert len(layer.data) < len(white)  # the large lesion is no longer current and has no ring


def test_rings_change_neither_the_selected_layer_nor_the_sliders(viewer, review):
    before = viewer.dims.range
    active = viewer.layers.selection.active
    assert active is not viewer.layers[NAME] and active is not None
    review.set_rings_visible(False)
    assert NAME not in viewer.layers
    assert viewer.dims.range == before
    review.set_rings_visible(True)
    assert viewer.dims.range == before
    assert viewer.layers.selection.active is active
    assert viewer.layers[-1].name == NAME


def test_rings_that_the_user_removed_are_added_again_by_the_next_search(viewer, review):
    viewer.layers.remove(NAME)
    viewer.scene.camera.zoom = 3
    viewer.dims.ndisplay = 3
    search(review)
    assert NAME in viewer.layers


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
    again.choose(again.source, Region.WT)
    search(again)
    assert not any(again.is_accepted(x) for x in again.lesions)
    again.choose(again.source, Region.ET)
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
    assert [source.name for source in review.sources] == ["Next"]
    assert len(rings_shown(viewer).data)
    assert not review.can_undo and review.current is None
    active_patient(viewer).activate(first)
    search(review)
    assert [source.name for source in review.sources] == ["Pat"]
    assert len(rings_shown(viewer).data)
    assert len(review.lesions) == 2
    assert review.undo()
    search(review)
    assert len(review.lesions) == 3


def test_a_new_result_becomes_the_source_and_a_removed_one_is_replaced(viewer):
    show_classes(viewer, synthetic_case())
    review = LesionReview(viewer)
    assert review.source.scheme == "brats2018"
    show_regions(viewer, synthetic_case())
    assert review.source.scheme is None
    search(review)
    viewer.add_labels(np.zeros((4, 4, 4), np.uint8), name="other")
    assert review.source.scheme is None and len(review.sources) == 3
    viewer.layers.remove("Pat ET")
    assert review.region is Region.WT or review.region is Region.TC
    for name in ("Pat TC", "Pat WT"):
        viewer.layers.remove(name)
    assert review.source is not None and review.source.name in ("other", "Pat labels")
    viewer.layers.clear()
    assert (review.source, review.sources, review.lesions) == (None, [], [])


def test_a_review_opened_before_the_result_shows_enhancing_tumour(viewer):
    review = LesionReview(viewer)
    show_regions(viewer, synthetic_case())  # the outermost region is added first
    assert review.region is Region.ET
    assert review.source.layers[Region.ET] is viewer.layers["Pat ET"]


def test_a_renamed_layer_remains_the_source(viewer):
    layer = viewer.add_labels(np.zeros((4, 4, 4), np.uint8), name="before")
    review = LesionReview(viewer)
    assert review.source.name == "before"
    layer.name = "after"
    assert review.source.name == "after"


def test_a_patient_whose_masks_are_all_removed_is_closed_with_its_rings(viewer, review):
    assert rings_shown(viewer) in viewer.layers
    for name in ("Pat WT", "Pat TC", "Pat ET"):
        viewer.layers.remove(viewer.layers[name])
    assert len(viewer.layers) == 0
    assert active_patient(viewer).current is None


def test_closing_removes_the_rings_and_disconnects_from_the_viewer(viewer, review):
    review.close()
    assert NAME not in viewer.layers
    viewer.layers.clear()
    assert review.source is not None


def test_the_current_candidate_is_found_again_when_its_patient_is_active_again(viewer, review):
    (first,) = active_patient(viewer).patients
    one, other = (
        replace(x, list_name=LesionList.SECOND_LOOK, id=100 + x.id) for x in review.lesions[:2]
    )
    review.set_candidates([one, other])
    review.go_to(other)
    show_regions(viewer, replace(synthetic_case(), name="Second"))
    active_patient(viewer).activate(first)
    search(review)
    review.set_candidates([])  # until they are searched again
    review.set_candidates([one, replace(other, id=105)])
    assert review.current is review.candidates[1]


def test_one_layer_rings_the_lesions_of_the_active_patient(viewer, review):
    layer = rings_shown(viewer)
    first = active_patient(viewer).current
    before = layer.data.copy()
    show_regions(viewer, replace(synthetic_case(), name="Next"))
    assert layer.visible and len(layer.data) == 0
    search(review)
    assert rings_shown(viewer) is layer and len(layer.data)
    active_patient(viewer).activate(first)
    assert len(layer.data) == 0
    search(review)
    assert np.array_equal(rings_shown(viewer).data, before)


def test_rings_of_a_mask_of_unknown_origin_go_with_its_review(viewer):
    mask = np.zeros((9, 9, 9), np.uint8)
    mask[3:5, 3:5, 3:5] = 1
    viewer.add_labels(mask, name="plain")
    review = LesionReview(viewer)
    search(review)
    assert len(rings_shown(viewer).data)
    show_regions(viewer, synthetic_case())
    assert len(rings_shown(viewer).data) == 0
    search(review)
    review.close()
    assert not [layer for layer in viewer.layers if layer.name.startswith(NAME)]


def test_the_review_of_a_patient_continues_where_it_was_left(viewer, review):
    patients = active_patient(viewer)
    first = patients.current
    review.choose(review.source, Region.WT)
    search(review)
    review.go_to(review.lesions[1])
    left = review.current
    show_regions(viewer, replace(synthetic_case(), name="Next"))
    search(review)
    assert review.current is None
    patients.activate(first)
    search(review)
    assert review.region is Region.WT
    assert review.current in review.lesions
    assert review.current.centroid_ras_mm == left.centroid_ras_mm


def test_the_view_goes_to_the_slices_that_the_table_names(viewer, review):
    for lesion in review.lesions:
        review.go_to(lesion)
        layer = review.source.any_layer
        assert tuple(np.rint(layer.world_to_data(viewer.dims.point)).astype(int)) == lesion.slices


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
    review.choose(review.source, Region.WT)
    search(review)
    assert review.can_undo
    assert review.undo().region is Region.ET
    review.choose(review.source, Region.ET)
    search(review)
    assert [review.is_accepted(x) for x in review.lesions] == [True, True, False]
    review.undo()
    assert not any(map(review.is_accepted, review.lesions))


def test_deleted_lesions_are_not_listed_before_the_next_search(review):
    review.delete(review.lesions[:2])
    assert [x.voxels for x in review.lesions] == [216]


def test_specks_have_no_ring_and_are_no_small_lesions_until_they_are_listed(viewer, review):
    both = len(rings_shown(viewer).data)
    review.rule = SpeckRule(15, 1.0)
    assert [x.voxels for x in review.specks] == [2]
    assert [x.voxels for x in review.small] == [12]
    assert len(rings_shown(viewer).data) < both
    assert [x.voxels for x in review.lesions] == [2, 12, 216]
    review.set_unfolded(True)
    assert [x.voxels for x in review.small] == [2, 12]
    assert len(rings_shown(viewer).data) == both


def test_an_accepted_lesion_is_no_speck(review):
    review.accept(review.lesions[:1])
    review.rule = SpeckRule(15, 1.0)
    assert review.specks == []
    review.undo()
    assert [x.voxels for x in review.specks] == [2]


def test_the_current_lesion_is_left_when_it_is_folded(review):
    review.go_to(review.lesions[0])
    review.rule = SpeckRule(15, 1.0)
    assert review.current is None


def test_a_result_that_was_added_to_a_hidden_patient_is_reviewed_when_it_becomes_active(viewer):
    case = synthetic_case()
    show_classes(viewer, case)
    review = LesionReview(viewer)
    assert review.source.scheme == "brats2018"
    patients = active_patient(viewer)
    first = patients.current
    show_regions(viewer, replace(case, name="Next"))
    with patients.in_background():
        show_regions(viewer, case)
    patients.activate(first)
    assert len(review.sources) == 2 and review.source.scheme is None


def test_a_mask_that_was_hidden_in_the_background_gives_way_to_the_one_that_is_shown(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    review.choose(next(source for source in review.sources if source.scheme is not None))
    patients = active_patient(viewer)
    first = patients.current
    show_regions(viewer, replace(case, name="Next"))
    with patients.in_background():
        hide_stored_labels(viewer.layers, first)
    patients.activate(first)
    assert review.source.scheme is None


def test_a_mask_that_is_hidden_by_a_new_result_gives_way_to_the_result(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    review.choose(next(source for source in review.sources if source.scheme is not None))
    show_regions(viewer, case)  # the layers exist already: none is inserted
    hide_stored_labels(viewer.layers, active_patient(viewer).current)
    assert review.source.scheme is None and review.unseen.under_review is None


def test_another_mask_that_is_shown_is_reviewed_when_the_one_under_review_is_hidden(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    assert review.source.scheme is None
    for layer in review.source.layers.values():
        layer.visible = False
    assert review.source.scheme == "brats2018"
    viewer.layers["Pat labels"].visible = False
    assert review.source.scheme == "brats2018"  # no other one is shown
    viewer.layers["Pat ET"].visible = True
    assert review.source.scheme is None and review.region is Region.ET


def test_the_review_starts_with_a_mask_that_is_shown(viewer):
    case = synthetic_case()
    show_classes(viewer, case)
    show_regions(viewer, case)
    for region in Region:
        viewer.layers[f"Pat {region.name}"].visible = False
    assert LesionReview(viewer).source.scheme == "brats2018"


def test_a_hidden_mask_that_is_chosen_is_shown(viewer):
    case = synthetic_case()
    show_classes(viewer, case)
    show_regions(viewer, case)
    hide_stored_labels(viewer.layers, active_patient(viewer).current)
    review = LesionReview(viewer)
    review.choose(review.sources[0])
    review.show_layers()
    assert viewer.layers["Pat labels"].visible and review.source.scheme == "brats2018"
    review.choose(review.sources[1])
    viewer.layers["Pat TC"].visible = False
    review.choose(review.source, Region.TC)
    review.show_layers()
    assert viewer.layers["Pat TC"].visible


def test_another_patient_does_not_change_which_mask_is_reviewed(viewer):
    case = synthetic_case()
    show_regions(viewer, case)
    show_classes(viewer, case)
    review = LesionReview(viewer)
    for source in reversed(review.sources):
        review.choose(source)
        patients = active_patient(viewer)
        first = patients.current
        show_regions(viewer, replace(case, name="Next"))
        patients.activate(first)
        assert review.source.is_same(source)


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
