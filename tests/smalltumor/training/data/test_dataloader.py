"""Batches are a function of seed and step alone, and each crop has random numbers of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from smalltumor.training.augmentation.settings import Augmentation
from smalltumor.training.config import steps_per_epoch
from smalltumor.training.data import dataloader
from smalltumor.training.data.dataloader import batches
from smalltumor.training.data.training_case import TrainingCase
from training_cases import QUICK

CONFIG = replace(QUICK, batch_size=4, crop=16, crops_per_case=4, foreground_probability=0.0)


@pytest.fixture(scope="module")
def cases() -> list[TrainingCase]:
    """Two cases in which every voxel has a value of its own, so that a crop tells its place."""
    volume = torch.arange(1.0, 4 * 32**3 + 1).view(4, 32, 32, 32)
    nothing = np.zeros((0, 6), np.int32)
    return [
        TrainingCase(name, volume, torch.zeros((32, 32, 32), dtype=torch.uint8), nothing)
        for name in "ab"
    ]


def drawn(cases, config=CONFIG, steps=range(6), share=slice(None), threads=1):
    return list(batches(cases, config, steps, share, threads))


def test_crops_of_a_step_lie_in_different_places(cases):
    plain = replace(
        CONFIG,
        augmentation=Augmentation(
            flip_probability=0, affine_probability=0, intensity_shift=0, intensity_scale=0
        ),
    )
    for batch in drawn(cases, plain):
        assert len({float(image[0, 0, 0, 0]) for image in batch.image}) == len(batch.image)


def test_crops_of_a_step_are_augmented_differently(cases):
    """At one place the contrast of each crop still differs."""
    whole = replace(
        CONFIG,
        crop=32,
        augmentation=Augmentation(
            flip_probability=0, affine_probability=0, intensity_shift=0, intensity_scale=0.3
        ),
    )
    for batch in drawn(cases, whole):
        contrasts = {
            round(float(image[0, 0, 0, 1] - image[0, 0, 0, 0]), 6) for image in batch.image
        }
        assert len(contrasts) == len(batch.image)


def test_steps_differ_and_a_seed_repeats(cases):
    first, again = drawn(cases), drawn(cases)
    for one, two in zip(first, again, strict=True):
        assert one.names == two.names
        np.testing.assert_array_equal(one.image, two.image)
    images = {batch.image.numpy().tobytes() for batch in first}
    assert len(images) == len(first)
    other = drawn(cases, replace(CONFIG, seed=1))
    assert all((a.image != b.image).any() for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("threads", [1, 3])
def test_neither_threads_nor_processes_nor_a_resume_change_the_crops(cases, threads):
    whole = drawn(cases)
    halves = [drawn(cases, share=s, threads=threads) for s in (slice(0, 2), slice(2, 4))]
    for batch, first, second in zip(whole, *halves, strict=True):
        np.testing.assert_array_equal(batch.image[:2], first.image)
        np.testing.assert_array_equal(batch.image[2:], second.image)
    resumed = drawn(cases, steps=range(4, 6), threads=threads)
    np.testing.assert_array_equal(resumed[-1].image, whole[-1].image)


def test_an_epoch_draws_the_same_number_of_crops_from_every_case(cases):
    steps = steps_per_epoch(CONFIG, len(cases))
    for epoch in range(3):
        names = [
            n
            for b in drawn(cases, steps=range(epoch * steps, (epoch + 1) * steps))
            for n in b.names
        ]
        assert sorted(names) == ["a"] * 4 + ["b"] * 4


def test_a_thread_prepares_all_batches_of_a_gpu_in_one_stream(monkeypatch):
    made = []

    class Stream:
        def __init__(self, device):
            made.append(device)

        def synchronize(self):
            pass

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    first, second = torch.device("cuda", 0), torch.device("cuda", 1)
    with ThreadPoolExecutor(1) as pool:
        for device in (first, first, second, first):
            pool.submit(_enter, device).result()
    assert made == [first, second]


def _enter(device: torch.device) -> None:
    with dataloader._own_stream(device):
        pass
