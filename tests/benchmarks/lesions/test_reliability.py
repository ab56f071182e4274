"""Reliability of scores: bins, calibration error, monotone shares, and the plot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reliability import Scored, bins_of, brier, calibration_error, drawn, log_loss, plot
from score_forms import HINGES, Component, fitted_hinge, hinge, left_out, monotone


def lesions(shares: dict[float, float], each: int = 200) -> Scored:
    """`each` lesions of a score, of which a share is real, each of its own patient."""
    scores = np.repeat(list(shares), each)
    real = np.concatenate([np.arange(each) < share * each for share in shares.values()])
    return Scored(scores, real, [str(n) for n in range(len(scores))])


def component(mm3: float, real: bool, patient: int) -> Component:
    return Component(str(patient), mm3, 0.7, 0.9, 3.0, 5.0, real)


def test_scores_that_are_shares_have_no_calibration_error():
    right, wrong = lesions({0.3: 0.3, 0.7: 0.7}), lesions({0.3: 0.5, 0.7: 0.6})
    once = np.ones((1, 400))
    assert calibration_error(right, once) == pytest.approx([0])
    assert calibration_error(wrong, once) == pytest.approx([0.15])
    assert log_loss(right).mean() < log_loss(wrong).mean()
    assert brier(right).mean() == pytest.approx(0.21)


def test_a_bin_has_the_share_of_real_ones_and_an_interval_around_it():
    first, second = bins_of(lesions({0.3: 0.25, 0.95: 1.0}))
    assert (first.number, first.real, first.score) == (200, 0.25, pytest.approx(0.3))
    assert 0.18 < first.least < 0.23 < 0.27 < first.most < 0.32
    assert (second.least, second.real, second.most) == (1, 1, 1)


def test_lesions_of_a_patient_are_drawn_together():
    counts = drawn(["a", "b", "a", "c"])
    np.testing.assert_array_equal(counts[:, 0], counts[:, 2])
    assert np.all(counts[:, [0, 1, 3]].sum(axis=1) == 3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_monotone_shares_do_not_fall_and_keep_their_mean(values):
    weights = np.arange(1.0, len(values) + 1)
    result = monotone(np.array(values), weights)
    assert np.all(np.diff(result) >= -1e-12)
    assert np.average(result, weights=weights) == pytest.approx(np.average(values, weights=weights))
    if sorted(values) == values:
        np.testing.assert_allclose(result, values, atol=1e-12)


def test_a_hinge_is_flat_below_its_volume_and_the_one_that_fits_is_found():
    rng = np.random.default_rng(2)
    volumes = np.exp(rng.uniform(0, 9, 600))
    real = rng.random(600) < np.where(volumes < 100, 0.4, 0.95)
    components = [
        component(*each, n) for n, each in enumerate(zip(volumes, real.tolist(), strict=True))
    ]
    small, less_small, large = (component(mm3, True, 0) for mm3 in (2, 40, 5000))
    scores = hinge(components, [small, less_small, large], 50)
    assert scores[0] == scores[1] < scores[2]
    best = fitted_hinge(components, [small, less_small, large])
    assert any(
        np.array_equal(best, hinge(components, [small, less_small, large], mm3))
        for mm3 in HINGES
        if mm3 >= 20
    )


def test_a_patient_is_scored_by_a_fit_on_the_others():
    components = [component(10, real=n == 0, patient=n) for n in range(5)]
    fits: list[set[str]] = []

    def form(fitted, judged):
        fits.append({x.patient for x in fitted} & {x.patient for x in judged})
        return np.array([np.mean([x.real for x in fitted])] * len(judged))

    scored = left_out(components, form)
    np.testing.assert_allclose(scored.scores, [0, 0.25, 0.25, 0.25, 0.25])
    assert fits == [set()] * 5


def test_the_plot_is_written(tmp_path):
    bins = bins_of(lesions({0.3: 0.25, 0.95: 1.0}, each=8))
    plot(tmp_path / "plot.png", {"mask": {"now": bins}, "candidates": {"now": bins[:1]}})
    assert (tmp_path / "plot.png").read_bytes()[:4] == b"\x89PNG"
