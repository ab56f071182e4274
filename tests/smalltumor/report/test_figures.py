"""The arrow of a small picture, and the windows of two scans that are shown beside each other."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import GRID, SHAPE, ball, brain_case
from smalltumor.report.figures import arrow_of, window_as_of, window_of
from smalltumor.report.slices import slice_of_voxels

LESION = (30, 36, 20)


def shown(*others, centre=LESION, radius=2.0, width=48.0):
    own = np.argwhere(ball(np.zeros(SHAPE, np.uint8), centre, radius))
    classes = ball(np.zeros(SHAPE, np.uint8), centre, radius)
    for place in others:
        ball(classes, place, radius)
    return slice_of_voxels(np.zeros(SHAPE), classes, GRID, own, width)


@pytest.mark.parametrize("centre", [LESION, (30, 0, 20), (2, 2, 3), (63, 71, 39)])
def test_it_ends_beside_the_lesion_within_the_picture(centre):
    found = shown(centre=centre)
    start, tip = (np.array(end) for end in arrow_of(found))
    distances = np.linalg.norm((np.argwhere(found.lesion) - tip) * found.pixel_mm, axis=1)
    assert 0 < distances.min() < 3
    away = np.linalg.norm((np.argwhere(found.lesion) - start) * found.pixel_mm, axis=1)
    assert away.min() > distances.min() + 6
    assert (np.array([start, tip]) >= 0).all()
    assert (np.array([start, tip]) < found.image.shape).all()


@pytest.mark.parametrize("corner", [(-1, 1), (-1, -1), (1, 1), (1, -1)])
def test_it_does_not_lie_on_another_lesion(corner):
    beside = (LESION[0] + 5 * corner[0], LESION[1] + 5 * corner[1], LESION[2])
    found = shown(beside)
    start, tip = arrow_of(found)
    other = found.regions["et"] & ~found.lesion
    middle = np.rint(np.mean([start, tip], axis=0)).astype(int)
    assert other.any() and not other[tuple(middle)]


def test_there_is_none_without_place_or_lesion():
    assert arrow_of(shown(radius=12, width=30.0)) is None
    outside = np.array([[100.0, 36.0, 20.0]])
    classes = np.zeros(SHAPE, np.uint8)
    assert arrow_of(slice_of_voxels(np.zeros(SHAPE), classes, GRID, outside, 48.0)) is None


def test_two_scans_have_one_window_whatever_the_scale_and_the_edge_of_the_brain():
    image = brain_case().volumes["t1ce"]
    low, high = window_of(image)
    assert window_as_of(1.5 * image, image) == pytest.approx((1.5 * low, 1.5 * high))
    blurred = np.where(image > 0, image, 0.25 * np.roll(image, 1, axis=0))  # an edge of resampling
    assert np.count_nonzero(blurred) > np.count_nonzero(image)
    assert window_of(blurred)[0] < 0.9 * low
    assert window_as_of(blurred, image) == pytest.approx((low, high), rel=0.02)


def test_an_image_with_negative_values_has_its_own_window():
    image = brain_case().volumes["t1ce"]
    scaled = (image - image.mean()) / image.std()
    assert window_as_of(scaled, scaled) == window_of(scaled)
