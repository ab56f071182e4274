"""Two voxels that touch at a corner are one lesion in the table, the rings and the deletion."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_regions, synthetic_case
from smalltumor.labels.regions import Region

from napari_smalltumor.lesions.canvas.rings import NAME
from napari_smalltumor.lesions.edits.deletion import delete_lesions
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.search.viewer_segmentation import lesion_sources


@pytest.fixture
def corner(viewer):
    """A review of a mask of two voxels that share only a corner."""
    data = np.zeros((9, 9, 9), np.uint8)
    data[3, 3, 3] = data[4, 4, 4] = 1
    viewer.add_labels(data, name="mask")
    review = LesionReview(viewer)
    review.set_lesions(review.source.snapshot(Region.ET).lesions(100))
    return review


def test_the_table_lists_one_lesion(corner):
    assert [lesion.voxels for lesion in corner.lesions] == [2]


def test_one_ring_is_drawn(viewer, corner):
    viewer.dims.ndisplay = 3
    points = viewer.layers[NAME].data
    assert np.unique(points, axis=0).tolist() == [[3.5, 3.5, 3.5]]


def test_deleting_it_erases_both_voxels(corner):
    corner.go_to(corner.lesions[0])
    assert corner.delete(corner.lesions[:1])
    assert not corner.source.any_layer.data.any()


def test_a_lesion_that_touches_other_core_at_a_corner_stays_in_the_core(viewer):
    show_regions(viewer, synthetic_case())
    (source,) = lesion_sources(viewer.layers)
    alone = next(x for x in source.snapshot(Region.ET).lesions(99) if x.voxels == 2)
    low = [span.start for span in source.box_in_data(alone)]
    source.layers[Region.TC].data[low[0] - 1, low[1] - 1, low[2] - 1] = 1
    source.layers[Region.WT].data[low[0] - 1, low[1] - 1, low[2] - 1] = 1
    before = int(np.count_nonzero(source.layers[Region.TC].data))
    _, changes = delete_lesions(source, Region.ET, [alone])
    assert [change.layer for change in changes] == [source.layers[Region.ET]]
    assert int(np.count_nonzero(source.layers[Region.TC].data)) == before
