"""The background of an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from smalltumor.data.brain.background import (
    Background,
    estimate_background,
    fill_holes,
    replace_nonfinite,
    surroundings,
)
from smalltumor.errors import CaseError

Image = npt.NDArray[np.float32]


@pytest.fixture
def brain() -> npt.NDArray[np.bool_]:
    return np.linalg.norm(np.indices((40, 44, 36)).T - (20, 22, 18), axis=-1).T < 12


def image(brain: npt.NDArray[np.bool_], background: float = 0) -> Image:
    values = np.random.default_rng(0).uniform(200, 800, brain.shape)
    return np.where(brain, values, background).astype(np.float32)


def background_of(volume: Image) -> Background:
    return estimate_background(volume, surroundings(volume).levels, volume[::2, ::2, ::2])


@pytest.mark.parametrize("level", [0, 90, -0.35])
def test_a_constant_background_is_found_exactly(brain, level: float) -> None:
    found = background_of(image(brain, level))
    assert (found.levels, found.noise, found.one_sided) == ((np.float32(level),), 0, True)
    np.testing.assert_array_equal(found.differs(image(brain, level)), brain)


@pytest.mark.parametrize("width", [(5, 5), (0, 9)])
def test_padding_around_another_constant_is_found(brain, width: tuple[int, int]) -> None:
    found = background_of(np.pad(image(brain, -0.35), width))
    assert found.levels == (np.float32(-0.35), 0)
    assert found.one_sided
    np.testing.assert_array_equal(found.differs(image(brain, -0.35)), brain)


def test_a_brain_on_both_sides_of_its_background_is_told_from_ringing(brain) -> None:
    z_scored = np.where(brain, image(brain) - 500, 0)
    ringing = image(brain) - np.float32(20) * (~brain & (np.indices(brain.shape)[0] % 2 == 0))
    ringing[[0, -1]] = 0
    assert not background_of(z_scored).one_sided
    assert background_of(ringing).one_sided


def test_noise_is_bounded(brain) -> None:
    noise = np.random.default_rng(1).normal(3, 5, brain.shape).astype(np.float32)
    found = background_of(np.where(brain, image(brain), noise))
    assert found.levels[0] == pytest.approx(3, abs=0.5)
    assert found.noise == pytest.approx(30, rel=0.1)
    np.testing.assert_array_equal(found.differs(np.where(brain, image(brain), noise)), brain)


def test_a_brain_that_fills_the_volume_has_no_background(brain) -> None:
    found = background_of(image(np.ones_like(brain)))
    assert found.levels == ()
    assert found.differs(image(brain)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("level", [0, -0.35])
def test_values_that_are_not_finite_become_the_background(brain, value: float, level) -> None:
    expected = image(brain, level)
    masked = expected.copy()
    masked[(np.indices(brain.shape)[0] < 15) & ~brain] = value
    np.testing.assert_array_equal(replace_nonfinite(masked, "case"), expected)
    assert replace_nonfinite(expected, "case") is expected


def test_a_background_of_nan_alone_becomes_the_lowest_value(brain) -> None:
    replaced = replace_nonfinite(np.where(brain, image(brain), np.nan), "case")
    assert replaced[~brain].max() == image(brain)[brain].min()


@pytest.mark.parametrize("where", ["in the brain", "everywhere"])
def test_values_that_are_not_finite_in_the_brain_are_refused(brain, where: str) -> None:
    spoilt = image(brain)
    spoilt[(slice(None),) * 3 if where == "everywhere" else (20, 22, 18)] = np.nan
    with pytest.raises(CaseError, match="case has NaN or infinite voxels"):
        replace_nonfinite(spoilt, "case")


def test_holes_are_filled_and_pits_are_not(brain) -> None:
    hollow = brain.copy()
    hollow[18:22, 20:24, 16:20] = False
    np.testing.assert_array_equal(fill_holes(hollow), brain)
    hollow[20:, 22, 18] = False
    np.testing.assert_array_equal(fill_holes(hollow), hollow)


def test_nothing_has_no_holes():
    nothing = np.zeros((4, 5, 6), dtype=bool)
    assert not fill_holes(nothing).any()
