"""Masks of tissue classes and of regions."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.labels.masks import class_mask, region_mask
from smalltumor.labels.regions import REGION_CLASSES, Region, TissueClass

CLASSES = np.arange(4).repeat(6).reshape(4, 3, 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_a_class_mask_has_the_voxels_of_its_class_in_integers_of_any_size(dtype):
    for tissue in TissueClass:
        mask = class_mask(CLASSES.astype(dtype), tissue)
        assert mask.dtype == bool
        assert np.array_equal(np.unique(CLASSES[mask]), [tissue])
        assert np.count_nonzero(mask) == 6


@pytest.mark.parametrize("region", Region)
def test_a_region_is_the_union_of_its_classes(region):
    united = sum(class_mask(CLASSES, tissue) for tissue in REGION_CLASSES[region])
    assert np.array_equal(region_mask(CLASSES, region), united)


def test_a_region_may_be_given_by_its_name():
    classes = np.array([[list(TissueClass)]], dtype=np.uint8)
    for region in Region:
        np.testing.assert_array_equal(
            region_mask(classes, str(region)), region_mask(classes, region)
        )
    assert [int(region_mask(classes, name).sum()) for name in ("et", "tc", "wt")] == [1, 2, 3]
    with pytest.raises(ValueError, match="'core' is not a valid Region"):
        region_mask(classes, "core")
