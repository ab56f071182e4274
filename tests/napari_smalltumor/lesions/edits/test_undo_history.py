"""Deletions, strokes and both kinds of undo in any order lose nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_layers import show_regions, synthetic_case
from napari.components import ViewerModel
from smalltumor.labels.regions import Region

from napari_smalltumor.lesions.review.review import LesionReview

STEPS = st.one_of(
    st.tuples(st.just("delete"), st.integers(0, 2)),
    st.tuples(st.just("paint"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.sampled_from(["undo", "layer undo", "layer redo"])),
)


def search(review) -> None:
    review.set_lesions(review.source.snapshot(review.region).lesions(100))


def stroke(layer, place: int, label: int) -> None:
    """Paint or erase a part of a lesion of 2, 12 or 216 voxels and of what is around it."""
    layer.brush_size = 3
    layer.paint([(22, 20, 2), (21, 17, 14), (9, 6, 9)][place], label)


def masks(review) -> list[np.ndarray]:
    return [review.source.layers[region].data.copy() for region in Region]


@settings(max_examples=20)
@given(steps=st.lists(STEPS, max_size=12))
def test_all_steps_and_strokes_undone_give_the_masks_of_the_beginning(steps):
    viewer = ViewerModel()
    show_regions(viewer, synthetic_case("LPS"))
    review = LesionReview(viewer)
    search(review)
    layer = review.source.layers[Region.ET]
    before = masks(review)
    for step, *arguments in steps:
        voxels = np.count_nonzero(layer.data)
        if step == "delete":
            review.delete(review.lesions[arguments[0] : arguments[0] + 1])
        elif step == "paint":
            stroke(layer, *arguments)
        elif step == "undo":
            could = review.can_undo
            assert (review.undo() is not None) == could
            assert np.count_nonzero(layer.data) >= voxels  # it only ever restores
        elif step == "layer undo":
            layer.undo()
        else:
            layer.redo()
        search(review)
    while review.can_undo:
        assert review.undo() is not None
    for _ in range(100):
        layer.undo()
    assert not review.can_undo
    assert all(map(np.array_equal, masks(review), before))
