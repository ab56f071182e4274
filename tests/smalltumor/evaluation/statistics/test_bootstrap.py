"""Bootstrap intervals agree with what can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.evaluation.statistics.bootstrap import MIN_PATIENTS, Bootstrap, Estimate, Ratio


def ratio(numerators, denominators=None) -> Ratio:
    ones = np.ones(len(numerators)) if denominators is None else np.array(denominators, float)
    return Ratio(np.array(numerators, float), ones)


def bootstrap_of(samples) -> Bootstrap:
    """A bootstrap with these samples: how often each of them holds each patient."""
    bootstrap = Bootstrap(range(len(samples[0])), resamples=1)
    bootstrap._counts = np.array(samples)
    return bootstrap


def test_the_interval_of_two_patients_is_that_of_all_samples_of_them():
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


def test_a_patient_who_counts_on_one_side_only_is_no_part_of_a_difference():
    """Sides that are equal wherever both count do not differ, whatever else one of them has."""
    one, other = ratio([0.9, 0.5, 0.1], [1, 1, 1]), ratio([0.9, 0.5, 0.0], [1, 1, 0])
    difference = Bootstrap(range(3)).difference(one, other)
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert difference.patients == 2
    assert Bootstrap(range(3)).difference(other, one).patients == 2


VALUES = st.floats(0, 1, allow_subnormal=False)
SIDES = st.lists(
    st.tuples(VALUES, st.integers(0, 3), VALUES, st.integers(0, 3)), min_size=1, max_size=12
)


@given(SIDES)
def test_a_difference_is_that_of_the_patients_who_count_on_both_sides(patients):
    table = np.array(patients, float)
    sides = [(table[:, 0] * table[:, 1], table[:, 1]), (table[:, 2] * table[:, 3], table[:, 3])]
    both = (table[:, 1] > 0) & (table[:, 3] > 0)
    bootstrap = Bootstrap(range(len(table)), resamples=200)
    found = bootstrap.difference(*(Ratio(*side) for side in sides))
    paired = [Ratio(n[both], d[both]) for n, d in sides]
    assert found.patients == np.count_nonzero(both)
    if not both.any():
        assert found == Estimate(None, None, None, 0)
        return
    assert found.value == pytest.approx(paired[0].value - paired[1].value)
    assert found.low <= found.high
    swapped = bootstrap.difference(*(Ratio(*side) for side in reversed(sides)))
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=12))
def test_a_difference_of_means_is_the_mean_of_paired_differences(patients):
    one, other = np.array(patients).T
    bootstrap = Bootstrap(range(len(patients)), resamples=200)
    found = bootstrap.difference(ratio(one), ratio(other))
    expected = bootstrap.estimate(ratio(one - other))
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-12
    )


@given(st.lists(st.tuples(VALUES, st.integers(1, 3)), min_size=1, max_size=8))
def test_scans_of_one_patient_are_drawn_together(patients):
    """As one patient with the sums of the scans."""
    scans = [
        (value, number) for number, (value, count) in enumerate(patients) for _ in range(count)
    ]
    alone = ratio([v * n for v, n in patients], [n for _, n in patients])
    expected = Bootstrap(range(len(patients)), resamples=200).estimate(alone)
    values, names = zip(*scans, strict=True)
    found = Bootstrap(names, resamples=200).estimate(ratio(values))
    assert found.patients == len(patients)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_a_sample_without_a_patient_who_counts_is_left_out():
    """The second patient alone has a small tumour, of Dice 0.6."""
    estimate = bootstrap_of([[2, 0], [1, 1], [0, 2]]).estimate(ratio([0, 0.6], [0, 1]))
    assert [estimate.value, estimate.low, estimate.high] == pytest.approx([0.6] * 3)
    assert estimate.patients == 1


def test_a_measure_of_nobody_is_none():
    nobody = ratio([0, 0], [0, 0])
    assert Bootstrap(range(2)).estimate(nobody) == Estimate(None, None, None, 0)
    assert Bootstrap(range(2)).difference(nobody, ratio([1, 1])).value is None


def test_the_interval_of_many_patients_is_that_of_the_normal_distribution():
    values = np.random.default_rng(1).normal(0.7, 0.2, 400)
    estimate = Bootstrap(range(400)).estimate(ratio(values))
    error = values.std() / 20
    assert estimate.low == pytest.approx(values.mean() - 1.96 * error, abs=0.05 * error)
    assert estimate.high == pytest.approx(values.mean() + 1.96 * error, abs=0.05 * error)


def test_the_same_seed_gives_the_same_interval():
    values = ratio(np.linspace(0, 1, 20))
    assert Bootstrap(range(20), seed=4).estimate(values) == Bootstrap(range(20), seed=4).estimate(
        values
    )
    assert Bootstrap(range(20), seed=4).estimate(values) != Bootstrap(range(20), seed=5).estimate(
        values
    )


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
