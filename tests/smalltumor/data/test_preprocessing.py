"""Preprocessing of the network's input."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalltumor.data import preprocessing
from smalltumor.data.case import Case
from smalltumor.data.preprocessing import (
    PREPROCESSING_VERSION,
    NetworkInput,
    Preprocessing,
    preprocess,
)
from smalltumor.data.read_case import read_case
from smalltumor.errors import Action, CaseError, CheckpointError, Remedy
from smalltumor.geometry.grid import Grid
from synthetic import grid_along

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SETTINGS = Preprocessing()
CHANNELS = SETTINGS.channels
GRIDS = [
    grid_along(axcodes, (50, 60, 40), spacing, degrees)
    for axcodes, spacing, degrees in [
        ("LPS", (1, 1, 1), 0),
        ("LPS", (0.9, 0.9, 0.9), 0),
        ("PIR", (0.9, 1.2, 0.5), 7),
        ("RAS", (1, 1, 3), 0),
        ("LPS", (1, 1, 1), 20),
    ]
]


def synthetic_case(
    *, dtype: npt.DTypeLike = np.int16, shape: tuple[int, int, int] = (50, 60, 40)
) -> Case:
    """Four noisy blocks inside an empty volume, as a skull-stripped head.

    The blocks have an even number of voxels along each axis, so that their centre is not half-way
    between two roundings.
    """
    rng = np.random.default_rng(0)
    volumes = {}
    for modality in CHANNELS:
        volume = np.zeros(shape, dtype=dtype, order="F")
        volume[10:30, 20:40, 5:35] = rng.integers(1, 3000, size=(20, 20, 30))
        volumes[modality] = volume
    return Case("case", volumes, Grid(shape, LPS))


@pytest.fixture(scope="module")
def sample(sample_folder: Path) -> Case:
    return read_case(sample_folder)


@pytest.fixture(scope="module")
def ready(sample: Case) -> NetworkInput:
    return preprocess(sample, Preprocessing())


def test_sample_has_mean_0_and_std_1_after_clipping(sample: Case, ready: NetworkInput) -> None:
    brain = np.logical_or.reduce([v > 0 for v in sample.volumes.values()])
    for channel, modality in enumerate(CHANNELS):
        inside = sample.volumes[modality][brain].astype(np.float64)
        clipped = np.clip(inside, *np.percentile(inside, [0.2, 99.8]))
        expected = np.zeros(brain.shape)
        expected[brain] = (clipped - clipped.mean()) / clipped.std()
        np.testing.assert_allclose(ready.array[channel], ready.crop(expected), atol=2e-6)


def test_the_crop_contains_the_brain_in_whole_blocks(sample: Case, ready: NetworkInput) -> None:
    brain = np.logical_or.reduce([v > 0 for v in sample.volumes.values()])
    assert np.count_nonzero(ready.crop(brain)) == np.count_nonzero(brain)
    assert all(n % 16 == 0 for n in ready.array.shape[1:])
    assert np.prod(ready.array.shape[1:]) < 0.7 * brain.size
    for axis in range(3):
        centre = np.nonzero(brain)[axis].mean() + 0.5
        assert (round(centre) - ready.start[axis]) % 16 == 8


@settings(max_examples=20)
@given(
    before=st.tuples(*[st.integers(0, 20)] * 3),
    after=st.tuples(*[st.integers(0, 20)] * 3),
    cropped=st.booleans(),
    number=st.sampled_from(range(len(GRIDS))),
)
def test_the_crop_is_the_same_if_the_image_is_cropped_or_padded(
    before: tuple[int, int, int], after: tuple[int, int, int], cropped: bool, number: int
) -> None:
    case, grid = synthetic_case(), GRIDS[number]
    expected = prepared_once(number)
    first = (10, 20, 5) if cropped else (0, 0, 0)
    volumes = {}
    for modality, volume in case.volumes.items():
        kept = volume[10:30, 20:40, 5:35] if cropped else volume
        volumes[modality] = np.asfortranarray(np.pad(kept, list(zip(before, after, strict=True))))
    moved = np.subtract(first, before)
    affine = grid.affine.copy()
    affine[:3, 3] = (affine[:3, :3] @ moved + affine[:3, 3]).astype(np.float32)
    got = preprocess(
        replace(case, volumes=volumes, grid=Grid(volumes["t1"].shape, affine)), SETTINGS
    )
    np.testing.assert_array_equal(got.array, expected.array)
    place = got.network_grid.grid.to_patient(got.start)
    np.testing.assert_allclose(
        place, expected.network_grid.grid.to_patient(expected.start), atol=1e-4
    )


@cache
def prepared_once(number: int) -> NetworkInput:
    return preprocess(replace(synthetic_case(), grid=GRIDS[number]), SETTINGS)


def test_the_version_is_raised_when_values_change() -> None:
    """If this fails because other values are right now, raise `PREPROCESSING_VERSION`."""
    ready = preprocess(synthetic_case(), Preprocessing())
    assert (ready.start, ready.array.shape) == ((-4, 6, -4), (4, 48, 48, 48))
    expected = [-1.2864228, 0.16090477, 1.2209284, -1.65323]
    np.testing.assert_allclose(ready.array[:, 15, 15, 10], expected, atol=1e-5)


def test_the_version_is_raised_when_values_of_resampled_images_change() -> None:
    """If this fails because other values are right now, raise `PREPROCESSING_VERSION`."""
    ready = prepared_once(1)
    assert PREPROCESSING_VERSION == 5
    assert (ready.start, ready.array.shape) == ((-6, 3, -5), (4, 48, 48, 48))
    expected = [-2.0515668, -0.3290543, 0.41729, -0.8070675]
    np.testing.assert_allclose(ready.array[:, 20, 20, 20], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("shift", "dtype"),
    [
        *((shift, np.int16) for shift in (-3000, -1, 0, 1, 29_000)),
        *((shift, np.uint64) for shift in (0, 2**40)),
    ],
)
def test_integers_are_counted_wherever_they_start(shift, dtype) -> None:
    rng = np.random.default_rng(0)
    values = (rng.integers(0, 2000, 5000) + shift).astype(dtype)
    levels, counts = preprocessing._levels(values)
    assert counts is not None
    assert levels[0] == values.min()
    np.testing.assert_array_equal(np.repeat(levels, counts), np.sort(values))


def test_floats_and_integers_give_the_same_input() -> None:
    whole = preprocess(synthetic_case(), Preprocessing())
    floats = preprocess(synthetic_case(dtype=np.float32), Preprocessing())
    np.testing.assert_allclose(floats.array, whole.array, atol=1e-5)


def test_channel_order_is_that_of_the_settings() -> None:
    case = synthetic_case()
    turned = Preprocessing(channels=CHANNELS[::-1])
    np.testing.assert_array_equal(
        preprocess(case, turned).array, preprocess(case, Preprocessing()).array[::-1]
    )


@pytest.mark.parametrize("margin", [0, 7])
def test_the_crop_has_the_margin_also_where_the_volume_ends(margin: int) -> None:
    ready = preprocess(synthetic_case(), Preprocessing(multiple=1, margin=margin))
    assert ready.start == (10 - margin, 20 - margin, 5 - margin)
    assert ready.array.shape == (4, *(n + 2 * margin for n in (20, 20, 30)))


def test_a_crop_that_extends_beyond_the_volume_is_0_there() -> None:
    case = synthetic_case()
    volumes = {m: np.asfortranarray(v[10:30, 20:40, 5:35]) for m, v in case.volumes.items()}
    ready = preprocess(
        replace(case, volumes=volumes, grid=Grid((20, 20, 30), LPS)), Preprocessing()
    )
    in_array, in_volume = ready.overlap
    assert in_volume == (slice(0, 20), slice(0, 20), slice(0, 30))
    assert all(start < 0 for start in ready.start)
    outside = np.ones(ready.array.shape[1:], dtype=bool)
    outside[in_array] = False
    assert ready.array[:, ~outside].all()
    assert not ready.array[:, outside].any()


def test_a_noisy_background_does_not_change_the_crop() -> None:
    case = synthetic_case()
    noise = np.random.default_rng(1).integers(1, 9, size=case.grid.shape, dtype=np.int16)
    noisy = replace(case, volumes={m: v + noise for m, v in case.volumes.items()})
    expected, got = preprocess(case, Preprocessing()), preprocess(noisy, Preprocessing())
    assert (got.start, got.array.shape) == (expected.start, expected.array.shape)
    differ = np.abs(got.array - expected.array) > 0.03
    assert np.count_nonzero(differ) < 1e-3 * np.count_nonzero(expected.array)


def test_negative_intensities_belong_to_the_brain() -> None:
    case = synthetic_case(dtype=np.float32)
    shifted = {m: np.where(v > 0, v - 1500, 0) for m, v in case.volumes.items()}
    expected = preprocess(case, Preprocessing())
    got = preprocess(replace(case, volumes=shifted), Preprocessing())
    assert got.start == expected.start
    np.testing.assert_allclose(got.array, expected.array, atol=1e-3)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v * 0, "case t1ce is empty"),
        (lambda v: v * 0 + 7, "case t1ce is the same in every voxel"),
        (lambda v: np.where(v > 0, 7, 0), "case t1ce is the same in .almost. every voxel of the"),
        (lambda v: np.where(v > 2990, np.nan, v), "case t1ce has NaN or infinite"),
        (lambda v: np.where(v > 2990, -np.inf, v), "case t1ce has NaN or infinite"),
    ],
)
def test_invalid_modality_is_refused(spoil: object, message: str) -> None:
    case = synthetic_case(dtype=np.float32)
    spoilt = dict(case.volumes)
    spoilt["t1ce"] = spoil(spoilt["t1ce"])  # type: ignore[operator]
    with pytest.raises(CaseError, match=message):
        preprocess(replace(case, volumes=spoilt), Preprocessing())


def without(case: Case, *modalities: str) -> Case:
    return replace(case, volumes={m: v for m, v in case.volumes.items() if m not in modalities})


def test_a_missing_modality_needs_weights_that_can_miss_it() -> None:
    with pytest.raises(CaseError, match="case has no T1 and T2, which these weights") as caught:
        preprocess(without(synthetic_case(), "t1", "t2"), Preprocessing())
    assert caught.value.remedy == Remedy(Action.CHOOSE_WEIGHTS, ("t1", "t2"))


@pytest.mark.parametrize("missing", [("flair",), ("t1",), ("t2", "t1"), ("flair", "t1", "t2")])
def test_a_missing_modality_is_0_everywhere_as_in_training(
    ready: NetworkInput, sample: Case, missing: tuple[str, ...]
) -> None:
    torch = pytest.importorskip("torch")
    kept = torch.tensor([float(m not in missing) for m in CHANNELS])
    dropped = torch.from_numpy(ready.array) * kept[:, None, None, None]
    incomplete = preprocess(without(sample, *missing), Preprocessing(), allow_missing=True)
    assert incomplete.start == ready.start
    np.testing.assert_array_equal(incomplete.array[kept == 0], 0)
    # The brain is found in fewer images, and may lack voxels at its border.
    assert np.mean(np.abs(incomplete.array - dropped.numpy()) > 0.01) < 1e-3


@pytest.mark.parametrize("missing", [("t1ce",), ("t1ce", "t2")])
def test_no_case_lacks_t1ce(missing: tuple[str, ...]) -> None:
    with pytest.raises(CaseError, match=r"case has no T1CE$"):
        preprocess(without(synthetic_case(), *missing), Preprocessing(), allow_missing=True)


def test_a_case_needs_an_image_that_the_weights_see() -> None:
    only_t2 = Preprocessing(channels=("t2",))
    with pytest.raises(CaseError, match=r"case has no T2$"):
        preprocess(without(synthetic_case(), "t2"), only_t2, allow_missing=True)


@pytest.mark.parametrize("missing", [("flair",), ("t2", "t1")])
@pytest.mark.parametrize("background", [0, 37, -250])
def test_the_brain_of_fewer_images_is_found_on_any_background(
    missing: tuple[str, ...], background: int
) -> None:
    case = without(synthetic_case(), *missing)
    expected = preprocess(case, Preprocessing(), allow_missing=True)
    moved = replace(case, volumes={m: v + np.int16(background) for m, v in case.volumes.items()})
    got = preprocess(moved, Preprocessing(), allow_missing=True)
    assert got.start == expected.start
    np.testing.assert_allclose(got.array, expected.array, atol=1e-5)


@pytest.mark.parametrize("name", ["multiple", "margin"])
def test_the_limit_of_a_crop_is_named_where_it_is_exceeded(name: str) -> None:
    values = Preprocessing().to_dict()
    assert Preprocessing.from_dict(values | {name: 128})
    with pytest.raises(CheckpointError, match=f"{name} 129 .*at most 128"):
        Preprocessing.from_dict(values | {name: 129})


def test_settings_round_trip_and_invalid_ones_are_refused() -> None:
    settings = Preprocessing(channels=("t1", "t1ce", "t2", "flair"), lower=5, upper=95, margin=8)
    assert Preprocessing.from_dict(settings.to_dict()) == settings
    with pytest.raises(CheckpointError):
        Preprocessing.from_dict(settings.to_dict() | {"lower": 99, "upper": 1})
    with pytest.raises(CheckpointError):
        Preprocessing.from_dict({"lower": 1})
