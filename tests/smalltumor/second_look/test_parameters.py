"""The file of the fitted scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from smalltumor.errors import CheckpointError
from smalltumor.second_look.parameters import as_json, load_parameters


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
