"""Bootstrap intervals agree with what can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from smalltumor.evaluation.bootstrap import MIN_PATIENTS, Bootstrap, Estimate, Ratio


def ratio(numerators, denominators=None) -> Ratio:
    ones = np.ones(len(numerators)) if denominators is None else np.array(denominators, float)
    return Ratio(np.array(numerators, float), ones)


def bootstrap_of(samples) -> Bootstrap:
    """A bootstrap with these samples: how often each of them holds each patient."""
    bootstrap = Bootstrap(len(samples[0]), resamples=1)
    bootstrap._counts = np.array(samples)
    return bootstrap


def test_the_interval_of_all_samples_of_two_patients():
    """Patients 1 and 2 with 1 of 3 and 0 of 1 components found."""
    every_sample = bootstrap_of([[2, 0], [1, 1], [1, 1], [0, 2]])  # shares 2/6, 1/4, 1/4, 0/2
    estimate = every_sample.estimate(ratio([1, 0], [3, 1]))
    assert (estimate.value, estimate.patients) == (1 / 4, 2)
    # Of 0, 1/4, 1/4, 1/3 the percentiles 2.5 and 97.5 lie at positions 0.075 and 2.925.
    assert estimate.low == pytest.approx(0.075 * 1 / 4)
    assert estimate.high == pytest.approx(1 / 4 + 0.925 * (1 / 3 - 1 / 4))


def test_both_sides_of_a_difference_use_the_same_samples():
    every_sample = bootstrap_of([[2, 0], [1, 1], [1, 1], [0, 2]])
    one, other = ratio([0.9, 0.5]), ratio([0.8, 0.4])  # 0.1 better in every sample
    difference = every_sample.difference(one, other)
    assert [difference.value, difference.low, difference.high] == pytest.approx([0.1] * 3)


def test_a_sample_without_a_patient_who_counts_is_left_out():
    """The second patient alone has a small tumour, of Dice 0.6."""
    estimate = bootstrap_of([[2, 0], [1, 1], [0, 2]]).estimate(ratio([0, 0.6], [0, 1]))
    assert [estimate.value, estimate.low, estimate.high] == pytest.approx([0.6] * 3)
    assert estimate.patients == 1


def test_a_measure_of_nobody_is_none():
    nobody = ratio([0, 0], [0, 0])
    assert Bootstrap(2).estimate(nobody) == Estimate(None, None, None, 0)
    assert Bootstrap(2).difference(nobody, ratio([1, 1])).value is None


def test_the_interval_of_many_patients_is_that_of_the_normal_distribution():
    values = np.random.default_rng(1).normal(0.7, 0.2, 400)
    estimate = Bootstrap(400).estimate(ratio(values))
    error = values.std() / 20
    assert estimate.low == pytest.approx(values.mean() - 1.96 * error, abs=0.05 * error)
    assert estimate.high == pytest.approx(values.mean() + 1.96 * error, abs=0.05 * error)


def test_the_same_seed_gives_the_same_interval():
    values = ratio(np.linspace(0, 1, 20))
    assert Bootstrap(20, seed=4).estimate(values) == Bootstrap(20, seed=4).estimate(values)
    assert Bootstrap(20, seed=4).estimate(values) != Bootstrap(20, seed=5).estimate(values)


@pytest.mark.parametrize(
    ("low", "high", "patients", "excludes"),
    [
        (0.1, 0.2, MIN_PATIENTS, True),
        (-0.2, -0.1, MIN_PATIENTS, True),
        (-0.1, 0.2, 50, False),
        (0.0, 0.2, 50, False),
        (0.1, 0.2, MIN_PATIENTS - 1, False),
        (None, None, 0, False),
    ],
)
def test_zero_is_excluded_only_by_an_interval_of_enough_patients(low, high, patients, excludes):
    assert Estimate(0.1, low, high, patients).excludes_zero is excludes
