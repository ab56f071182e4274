"""A reference that lies outside the head is recognised without a segmentation."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels
from napari_cases import SHAPE_LPS, case_along, displayed
from smalltumor.labels.regions import Region

from napari_smalltumor.compare.region_scorer import ComparedLayers


@pytest.mark.parametrize(
    ("voxel", "outside"), [((0, 0, 0), True), ((4, 4, 4), False), (None, False)]
)
def test_a_reference_outside_the_head_is_recognised(voxel, outside):
    mask = np.zeros(SHAPE_LPS, np.uint8)  # the images have a margin of zeros
    if voxel is not None:
        mask[voxel] = 1
    layer = Labels(displayed(mask))
    compared = ComparedLayers(case_along("PSR"), {}, {Region.WT: layer})
    assert compared.reference_is_outside is outside


def test_images_without_a_voxel_say_nothing_about_a_reference():
    case = case_along("LPS")
    case.volumes = {m: np.zeros_like(volume) for m, volume in case.volumes.items()}
    layer = Labels(np.ones(displayed(case.volumes["t1ce"]).shape, np.uint8))
    assert not ComparedLayers(case, {}, {Region.WT: layer}).reference_is_outside
