"""Named strengths of augmentation, and those of the presets."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from smalltumor.cli.train_settings import AUGMENTATIONS
from smalltumor.errors import TrainingError
from smalltumor.training.augmentation.settings import INTENSITIES, Augmentation
from smalltumor.training.config import PRESETS


def test_paper_has_the_defaults_and_finetune_is_augmented_moderately():
    assert PRESETS["paper"].augmentation == Augmentation()
    assert PRESETS["finetune"].augmentation == Augmentation(
        affine_probability=0.2, intensity_shift=0.2, intensity_scale=0.2, gamma=0.3, noise=0.1
    )


@pytest.mark.parametrize("name", INTENSITIES)
def test_named_intensities_keep_rotations_and_replace_all_else(name):
    before = Augmentation(rotate=3, affine_probability=0.7, blur=5, blur_probability=0.9)
    after = before.with_intensities(name)
    assert (after.rotate, after.affine_probability) == (3, 0.7)
    assert after == Augmentation(rotate=3, affine_probability=0.7).with_intensities(name)
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
