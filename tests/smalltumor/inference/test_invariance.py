"""Labels do not depend on how the intensities are stored and what is outside the brain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from intensity_transforms import (
    cropped_to_brain,
    half_size,
    nan_outside,
    padded,
    resampled,
    resampled_by_splines,
    scaled_to_1,
    transformed,
    with_noise_outside,
    without_padding,
    z_scored,
    z_scored_in_brain,
)
from smalltumor.data.case import Case
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.inference import segment
from smalltumor.labels.regions import Region

pytestmark = pytest.mark.slow

Volume = npt.NDArray[np.generic]
Transform = Callable[[Volume], Volume]

INTENSITIES: dict[str, Transform] = {
    "as stored": lambda v: v,
    "float64": lambda v: v.astype(np.float64),
    "halved": lambda v: v * np.float32(0.5),
    "from 0 to 1": scaled_to_1,
    "offset": lambda v: v + np.int16(100),
    "negative offset": lambda v: v - np.int16(500),
    "z-scored in the brain": z_scored_in_brain,
    "z-scored": z_scored,
}
EXACT = {"as stored", "float64", "halved", "offset", "negative offset"}
"""Transforms that lose no bit."""


@pytest.fixture(scope="module")
def sample(sample_folder: Path) -> Case:
    return read_case(sample_folder)


@pytest.fixture(scope="module")
def head(sample: Case) -> Case:
    return half_size(sample)


@pytest.fixture(scope="module")
def expected(head: Case) -> Segmentation:
    return labels_of(head)


def labels_of(case: Case) -> Segmentation:
    return segment(case, device="cpu", backend="torch")


def dice(a: Segmentation, b: Segmentation) -> list[float]:
    """Dice of ET, TC and WT."""
    masks = [(a.mask(region), b.mask(region)) for region in Region]
    return [2 * np.count_nonzero(m & n) / (m.sum() + n.sum()) for m, n in masks]


@settings(max_examples=8)
@example(name="z-scored in the brain", outside="padding of nan")
@example(name="as stored", outside="cropped to the brain")
@given(
    name=st.sampled_from(sorted(INTENSITIES)),
    outside=st.sampled_from(
        ["as stored", "noise", "nan", "padding", "padding of nan", "cropped to the brain"]
    ),
)
def test_labels_are_the_same_however_intensities_are_stored(
    head, expected, name: str, outside: str
) -> None:
    case, cut = head, expected.classes
    if outside.startswith("cropped"):
        case, box = cropped_to_brain(case)
        cut = cut[box]
    case = transformed(case, INTENSITIES[name])
    if outside.startswith("padding"):
        case = transformed(case, lambda v: v.astype(np.float32))
        case = padded(case, np.nan if outside.endswith("nan") else 0)
    elif outside in ("nan", "noise"):
        case = transformed(case, nan_outside if outside == "nan" else with_noise_outside)
    got = labels_of(case)
    if outside.startswith("padding"):
        got = replace(got, classes=without_padding(got.classes))
    assert min(dice(got, replace(expected, classes=cut))) >= 0.99
    if name in EXACT and outside != "noise":
        np.testing.assert_array_equal(got.classes, cut)


def test_ringing_changes_labels_no_more_than_the_splines_themselves(head) -> None:
    brain = np.logical_or.reduce([v > 0 for v in head.volumes.values()])
    ringing = transformed(head, resampled_by_splines)
    masked = transformed(ringing, lambda v: np.where(brain, np.maximum(v, 1e-3), 0))
    assert min(dice(labels_of(ringing), labels_of(masked))) >= 0.99


@pytest.mark.parametrize("spacing", [(0.9, 0.9, 1.2), (0.9, 0.9, 3)])
def test_a_crop_of_resampled_images_has_the_same_labels(head, spacing) -> None:
    """The first voxels of both are no whole number of millimetres apart."""
    whole = resampled(head, spacing)
    cropped, box = cropped_to_brain(whole)
    expected = labels_of(whole).classes
    assert expected.any()
    np.testing.assert_array_equal(labels_of(cropped).classes, expected[box])


@pytest.fixture(scope="module")
def expected_of_sample(sample: Case) -> Segmentation:
    return labels_of(sample)


def test_padding_after_a_z_score_keeps_the_labels_of_the_sample(sample, expected_of_sample) -> None:
    got = labels_of(padded(transformed(sample, z_scored)))
    cut = replace(got, classes=without_padding(got.classes))
    assert min(dice(cut, expected_of_sample)) >= 0.99


def test_the_sample_cropped_to_the_brain_has_the_same_labels(sample, expected_of_sample) -> None:
    cropped, box = cropped_to_brain(sample)
    np.testing.assert_array_equal(labels_of(cropped).classes, expected_of_sample.classes[box])


def test_ringing_keeps_the_labels_of_the_sample(sample, expected_of_sample) -> None:
    got = labels_of(transformed(sample, resampled_by_splines))
    assert min(dice(got, expected_of_sample)) >= 0.99
