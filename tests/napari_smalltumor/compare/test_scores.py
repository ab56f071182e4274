"""A region against a reference: the scores are those of `smalltumor evaluate`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from smalltumor.data.midsagittal_plane import MidsagittalPlane
from smalltumor.evaluation.metrics.lesionwise import score_lesions
from smalltumor.labels.regions import Region
from synthetic import grid_along

from napari_smalltumor.compare.scores import LesionStatus, RegionComparison, compare_region
from napari_smalltumor.compare.texts import joined_text

SHAPE = (24, 16, 16)
GRID = grid_along("LPS", SHAPE, (1.0, 1.0, 2.0))
PLANE = MidsagittalPlane((1.0, 0.0, 0.0), 0.0, 1.0)


def mask(*boxes) -> np.ndarray:
    voxels = np.zeros(SHAPE, bool)
    for i, j, k, edge in boxes:
        voxels[i : i + edge, j : j + edge, k : k + edge] = True
    return voxels


def compared(segmentation, reference) -> RegionComparison:
    return compare_region(segmentation, reference, GRID, Region.ET, threshold=20, plane=PLANE)


def test_lesions_are_missed_false_or_found_and_the_small_ones_come_first():
    reference = mask((1, 1, 1, 3), (12, 1, 1, 3), (23, 1, 1, 1))
    segmentation = mask((1, 1, 1, 3), (1, 12, 10, 1), (12, 12, 10, 3))
    found = compared(segmentation, reference)
    listed = [(x.status, x.lesion.voxels, x.lesion.is_small) for x in found.lesions]
    assert listed == [
        (LesionStatus.MISSED, 1, True),
        (LesionStatus.MISSED, 27, False),
        (LesionStatus.FALSE, 1, True),
        (LesionStatus.FALSE, 27, False),
        (LesionStatus.FOUND, 27, False),
    ]
    assert [x.dice for x in found.lesions] == [None] * 4 + [1.0]
    assert found.lesions[0].lesion.centroid_voxel == (23, 1, 1)
    assert found.lesions[0].lesion.side is not None


def test_volumes_are_in_ml_and_the_difference_is_segmentation_minus_reference():
    found = compared(mask((1, 1, 1, 4)), mask((1, 1, 1, 2)))
    assert found.segmentation_ml == pytest.approx(64 * 2 / 1000)
    assert found.reference_ml == pytest.approx(8 * 2 / 1000)
    assert found.difference_ml == pytest.approx(56 * 2 / 1000)
    assert found.dice == pytest.approx(16 / 72)


def test_a_side_without_the_region_has_no_scores():
    found = compared(None, mask((1, 1, 1, 2)))
    assert (found.segmentation_ml, found.dice, found.difference_ml, found.lesions) == (
        None,
        None,
        None,
        (),
    )


@given(arrays(bool, (10, 6, 6)), arrays(bool, (10, 6, 6)))
def test_lesions_are_those_that_evaluation_counts(segmentation, reference):
    grid = grid_along("LPS", segmentation.shape)
    lesions = compare_region(segmentation, reference, grid, Region.ET, threshold=20).lesions
    scores = score_lesions(segmentation, reference)
    of_truth = [x for x in lesions if x.status is not LesionStatus.FALSE]
    assert len(lesions) - len(of_truth) == scores.false_lesions
    assert len(of_truth) == len(scores.lesions) + scores.ignored
    counted = sorted(x.dice or 0.0 for x in of_truth if x.lesion.mm3 > 50)
    assert counted == pytest.approx(sorted(x.dice for x in scores.lesions))


def test_components_that_count_as_one_lesion_are_told():
    segmentation, near = mask((1, 1, 1, 3)), mask((1, 1, 1, 3), (7, 1, 1, 1))
    told = "1 lesion of the reference is 2 components: parts nearer than 6 mm count as one"
    assert joined_text(compared(segmentation, near)) == told
    assert joined_text(compared(segmentation, mask((1, 1, 1, 3), (20, 1, 1, 1)))) == ""
    assert joined_text(compared(segmentation, mask())) == ""
