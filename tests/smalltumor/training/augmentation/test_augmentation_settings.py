"""Named strengths of augmentation, and those that earlier runs were trained with."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from smalltumor.cli.train_settings import AUGMENTATIONS
from smalltumor.errors import TrainingError
from smalltumor.training.augmentation.settings import INTENSITIES, Augmentation
from smalltumor.training.config import PRESETS, TrainingConfig

EARLIER_STARTER = {
    "flip": 0.5,
    "turn": 0.5,
    "rotate": 15.0,
    "zoom": 0.15,
    "warp": 0.4,
    "shift": 0.2,
    "scale": 0.2,
    "gamma": 0.3,
    "noise": 0.1,
}
"""As in the ``config.json`` of a run before there were more transforms."""


def test_the_earlier_recipe_is_starter_with_the_standard_augmentation():
    written = PRESETS["starter"].to_dict() | {"augmentation": EARLIER_STARTER}
    earlier = TrainingConfig.from_dict(json.loads(json.dumps(written)))
    assert earlier == PRESETS["starter"].with_changes({"augmentation": "standard"})
    assert earlier != PRESETS["starter"]


def test_paper_and_finetune_are_augmented_as_before():
    assert PRESETS["paper"].augmentation == Augmentation()
    assert PRESETS["finetune"].augmentation == replace(
        Augmentation(**EARLIER_STARTER), turn=0.0, warp=0.2, rotate=10.0, zoom=0.1
    )


@pytest.mark.parametrize("name", INTENSITIES)
def test_named_intensities_keep_rotations_and_replace_all_else(name):
    before = Augmentation(rotate=3, warp=0.7, blur=5, blur_probability=0.9)
    after = before.with_intensities(name)
    assert (after.rotate, after.warp) == (3, 0.7)
    assert after == Augmentation(rotate=3, warp=0.7).with_intensities(name)
    changed = {k: v for k, v in asdict(after).items() if INTENSITIES[name].get(k) == v}
    assert changed.keys() == INTENSITIES[name].keys()


def test_the_command_line_offers_every_augmentation():
    assert set(AUGMENTATIONS) == set(INTENSITIES)


def test_an_unknown_name_and_impossible_strengths_are_refused():
    with pytest.raises(TrainingError, match="weak"):
        PRESETS["paper"].with_changes({"augmentation": "weak"})
    for strength in (-0.1, float("nan"), float("inf")):
        with pytest.raises(TrainingError, match="blur"):
            Augmentation(blur=strength)
