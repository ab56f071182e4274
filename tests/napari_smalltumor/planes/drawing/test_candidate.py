"""The outline of the candidate under review in the planes is what accepting it would add."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_layers import SPACING, search, show_regions, synthetic_case
from smalltumor.lesions import LesionList
from synthetic import ORIENTATIONS

from napari_smalltumor.lesions.canvas.rings import NAME
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.planes.drawing.candidate import outline_in_slice
from napari_smalltumor.planes.plane import PLANES
from napari_smalltumor.planes.view import View, viewport

EXTENT = np.array([[-100.0] * 3, [100.0] * 3])


@pytest.fixture(params=ORIENTATIONS[::7])
def review(viewer, request) -> LesionReview:
    show_regions(viewer, synthetic_case(request.param))
    review = LesionReview(viewer)
    search(review)
    return review


def outlines(viewer, plane, point):
    port = viewport(View(), plane, EXTENT, 300, 300)
    return outline_in_slice(viewer.layers[NAME], port, tuple(point))


def area(lines, plane) -> float:
    """Area in mm2 within closed lines, by the shoelace formula."""
    total = 0.0
    for line in lines:
        x, y = np.array(line)[:, plane.columns], np.array(line)[:, plane.rows]
        total += abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    return total


@pytest.mark.parametrize("number", [0, 1, 2])
def test_it_encloses_the_voxels_of_the_candidate_in_every_slice(viewer, review, number):
    candidate = replace(review.lesions[number], list_name=LesionList.SECOND_LOOK)
    review.set_candidates([candidate])
    review.go_to(candidate)
    world = np.array([review.source.world_of(voxel) for voxel in candidate.indices])
    for plane in PLANES:
        enclosed = 0.0
        for depth in np.unique(world[:, plane.sliced].round(6)):
            here = world[np.isclose(world[:, plane.sliced], depth)]
            lines = outlines(viewer, plane, here[0])
            step = abs(review.source.any_layer.scale[plane.sliced])
            enclosed += area(lines, plane) * step
            points = np.concatenate([np.array(line) for line in lines])
            assert np.allclose(points[:, plane.sliced], depth)
            middle = (points.min(axis=0) + points.max(axis=0)) / 2
            assert np.allclose(middle, (here.min(axis=0) + here.max(axis=0)) / 2)
        assert enclosed == pytest.approx(len(world) * np.prod(SPACING))


def test_slices_beside_it_and_lesions_of_the_mask_have_none(viewer, review):
    lesion = review.lesions[0]
    candidate = replace(lesion, list_name=LesionList.SECOND_LOOK)
    place = review.source.world_of(lesion.indices[0])
    review.go_to(lesion)
    assert not outlines(viewer, PLANES[0], place)
    review.set_candidates([candidate])
    review.go_to(candidate)
    assert outlines(viewer, PLANES[0], place)
    assert not outlines(viewer, PLANES[0], np.add(place, 20.0))
    review.set_candidates([])
    assert not outlines(viewer, PLANES[0], place)
