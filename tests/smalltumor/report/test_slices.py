"""Slices of images as reports show them."""

from __future__ import annotations

import warnings

import numpy as np
from smalltumor.report.slices import Slice


def test_intensities_larger_than_single_precision_are_shown_as_others_are():
    image = np.zeros((40, 40))
    image[10:20, 12:22] = 1e300
    whole = Slice("axial", 0, image, {}, (1.0, 1.0), ("R", "L", "A", "P"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = whole.without_background(0.0, 1e300)
    assert shown.image.max() == 1e300 and shown.image.shape < image.shape
