"""The rings of a review: around small lesions and the current one of the active patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_layers import SHAPE, rings_shown, search, show_regions, synthetic_case
from smalltumor.geometry.grid import Grid
from synthetic import grid_along

from napari_smalltumor.layers.patient import layers_of_patient
from napari_smalltumor.lesions.canvas.rings import (
    CURRENT,
    DIAMETER_FACTOR,
    GAP_PIXELS,
    HALO_PIXELS,
    LINE_PIXELS,
    MIN_PIXELS,
    NAME,
)
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.search.specks import SpeckRule
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.viewer_setup import set_up


def visible(viewer, review):
    """Positions of the rings in the current view, in voxels of the layer."""
    layer = viewer.layers[NAME]
    inside = layer.shown.copy()
    here = layer.world_to_data(viewer.dims.point)
    for axis in viewer.dims.not_displayed:
        inside &= np.abs(layer.data[:, axis] - here[axis]) <= 0.5
    return layer.data[inside][: inside.sum() // 2]


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
        wanted = [max(MIN_PIXELS, DIAMETER_FACTOR * d * zoom + GAP_PIXELS) for d in diameters]
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


def test_a_patient_whose_masks_are_all_removed_is_closed_without_rings(viewer, review):
    rings = rings_shown(viewer)
    assert rings in viewer.layers and len(rings.data)
    for name in ("Pat WT", "Pat TC", "Pat ET"):
        viewer.layers.remove(viewer.layers[name])
    assert len(rings.data) == 0
    assert active_patient(viewer).current is None


def test_closing_removes_the_rings_and_disconnects_from_the_viewer(viewer, review):
    review.close()
    assert NAME not in viewer.layers
    viewer.layers.clear()
    assert review.source is not None


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
    changes = []
    layer.events.data.connect(changes.append)
    review.set_lesions([])
    assert not changes
    search(review)
    assert np.array_equal(rings_shown(viewer).data, before)


@pytest.mark.parametrize("axcodes, spacing", [("PSR", (1, 1.5, 2)), ("LAI", (0.5, 0.5, 6))])
def test_rings_of_a_patient_on_another_grid_lie_on_its_lesions(viewer, axcodes, spacing):
    """Also after the patients were switched, and after one of them was closed."""
    set_up(viewer)
    show_regions(viewer, synthetic_case())
    review, patients = LesionReview(viewer), active_patient(viewer)
    search(review)
    grid = grid_along(axcodes, SHAPE, spacing)
    moved = np.eye(4)
    moved[:3, 3] = (15, -40, 12.5)
    other = Grid(grid.shape, moved @ grid.affine)
    show_regions(viewer, replace(synthetic_case(), name="Other", grid=other))
    for patient in (*patients.patients, *patients.patients):
        patients.activate(patient)
        search(review)
        check_places(rings_shown(viewer), review)
    for layer in layers_of_patient(viewer.layers, patients.patients[0]):
        viewer.layers.remove(layer)
    search(review)
    check_places(rings_shown(viewer), review)


def check_places(rings, review) -> None:
    """The centre of each ring is that of a small lesion in the patient."""
    mask = review.source.any_layer
    for box in review.source.boxes_in_data(review.small):
        centre = mask.data_to_world((box[:, 0] + box[:, 1] - 1) / 2)
        drawn = [rings.data_to_world(point) for point in rings.data]
        assert min(np.linalg.norm(np.subtract(drawn, centre), axis=1)) < max(mask.scale)
    assert len(review.small) == 2


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
