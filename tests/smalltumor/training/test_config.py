"""Configuration of a run: written, read, checked; and its learning rate."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from smalltumor.cli.commands.train import PRESETS as OFFERED
from smalltumor.errors import SmalltumorError
from smalltumor.training.config import PRESETS, TrainingConfig
from smalltumor.training.optimisation.optimiser import learning_rate


@pytest.mark.parametrize("name", PRESETS)
def test_settings_survive_json(name):
    config = PRESETS[name]
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_command_line_offers_every_preset():
    assert set(OFFERED) == set(PRESETS)


def test_paper_preset_is_the_paper_s_recipe():
    paper = PRESETS["paper"]
    assert (paper.crop, paper.batch_size, paper.epochs, paper.learning_rate) == (128, 8, 500, 1e-3)
    assert (paper.loss, paper.optimiser) == ("generalised_dice", "adam")
    assert paper.reconstruction
    assert paper.reconstruction_weight is None  # two phases
    assert (paper.augmentation.rotate, paper.augmentation.zoom) == (10, 0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"crop": 100},
        {"epochs": 0},
        {"batch_size": 0},
        {"folds": 5, "fold": 5},
        {"folds": 5, "fold": -1},
    ],
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(SmalltumorError):
        replace(PRESETS["paper"], **change)


def test_unknown_settings_are_named():
    with pytest.raises(SmalltumorError, match="dropout"):
        TrainingConfig.from_dict(PRESETS["paper"].to_dict() | {"dropout": 0.5})


def test_polynomial_rate_falls_with_power_nine_tenths():
    config = PRESETS["paper"]
    assert learning_rate(config, 0, 0) == pytest.approx(1e-3)
    assert learning_rate(config, 500, 0.5) == pytest.approx(1e-3 * 0.5**0.9)


def test_held_rate_warms_up_holds_and_falls():
    config = PRESETS["starter"]
    assert learning_rate(config, 0, 0) == pytest.approx(1e-3 / 50)
    assert learning_rate(config, 600, 0.6) == pytest.approx(1e-3)
    assert learning_rate(config, 850, 0.85) == pytest.approx(1e-3 / 2)
    assert 0 < learning_rate(config, 999, 0.999) < 5e-5
