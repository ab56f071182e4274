"""Swapped modalities are told by contrast, which some images do not have."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
from smalltumor.data.input_checks.modality_contrast import (
    ROLES,
    likeliest_exchange,
    swapped_modalities,
)

RANDOM = np.random.default_rng(5)
WITHOUT_CONTRAST = {
    "one intensity": np.full(500, 7.0),
    "zeros": np.zeros(500, np.int16),
    "a single bright voxel": np.where(np.arange(500) == 3, 100.0, 1.0),
    "mostly one intensity": np.where(np.arange(500) < 400, 1.0, 2.0),
    "no voxel": np.zeros(0),
    "not a number": np.full(500, np.nan),
}


@pytest.mark.parametrize(("kind", "role"), [*product(WITHOUT_CONTRAST, ROLES)])
def test_an_image_without_contrast_is_not_taken_for_another_one(kind, role):
    images = {name: RANDOM.normal(100, 20, 500) for name in ROLES}
    images[role] = WITHOUT_CONTRAST[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = swapped_modalities(images)
        if len(found) > 2:
            likeliest_exchange(images)
    assert role not in found


def test_without_any_contrast_nothing_is_found():
    for kind in WITHOUT_CONTRAST.values():
        assert swapped_modalities(dict.fromkeys(ROLES, kind)) == ()
