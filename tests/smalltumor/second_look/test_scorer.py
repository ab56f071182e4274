"""The score of a lesion, its fit, and the file that holds it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from smalltumor.errors import CheckpointError
from smalltumor.second_look.fitting import fit_scorer
from smalltumor.second_look.parameters import as_json, load_parameters


def drawn(n=4000, seed=1):
    """Features and labels of which the probability is known."""
    rng = np.random.default_rng(seed)
    values = rng.normal((3, -2), (2, 5), (n, 2))
    probability = 1 / (1 + np.exp(-(values[:, 0] - 0.3 * values[:, 1] - 4)))
    return values, rng.random(n) < probability, probability


def test_a_fitted_score_is_the_probability_that_a_lesion_is_real():
    values, real, probability = drawn()
    scores = fit_scorer(values, real, ("a", "b"), penalty=0.1)(values, ("a", "b"))
    assert np.abs(scores - probability).mean() < 0.02
    assert scores.mean() == pytest.approx(real.mean(), abs=1e-3)


def test_a_feature_is_found_by_its_name():
    values, real, _ = drawn()
    scorer = fit_scorer(values, real, ("a", "b"))
    expected = scorer(values, ("a", "b"))
    swapped = np.column_stack([values[:, 1], np.zeros(len(values)), values[:, 0]])
    np.testing.assert_allclose(scorer(swapped, ("b", "other", "a")), expected)


def test_a_penalty_makes_scores_more_alike():
    values, real, _ = drawn(60)
    spread = [
        np.ptp(fit_scorer(values, real, ("a", "b"), penalty)(values, ("a", "b")))
        for penalty in (0.1, 10, 1000)
    ]
    assert spread[0] > spread[1] > spread[2]


def test_parameters_are_read_as_they_were_written(tmp_path):
    parameters = load_parameters()
    path = tmp_path / "second_look.json"
    path.write_text(as_json(parameters))
    again = load_parameters(path)
    assert (again.weights, again.digest) == (parameters.weights, parameters.digest)
    assert again.most == parameters.most
    np.testing.assert_array_equal(again.candidates.weights, parameters.candidates.weights)
    assert again.found.features == parameters.found.features


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "a shopping list"}, "is not a smalltumor second look"),
        ({"format_version": 99}, "later version"),
        ({"candidates": {"intercept": 0}}, "damaged"),
        ({"least_log_odds": "high"}, "damaged"),
    ],
)
def test_a_file_that_is_not_understood_is_refused(tmp_path, change, message):
    path = tmp_path / "second_look.json"
    path.write_text(json.dumps(json.loads(as_json(load_parameters())) | change))
    with pytest.raises(CheckpointError, match=message):
        load_parameters(path)


def test_a_number_that_is_not_finite_is_refused(tmp_path):
    values = json.loads(as_json(load_parameters()))
    values["candidates"]["intercept"] = float("nan")
    path = tmp_path / "second_look.json"
    path.write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="damaged"):
        load_parameters(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nothing\.json cannot be read"):
        load_parameters(tmp_path / "nothing.json")
