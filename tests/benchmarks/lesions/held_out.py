"""The cases that the networks of folds hold out, and the networks' output for them, kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from smalltumor import segment
from smalltumor.data.case import Case
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.geometry.network_grid import network_grid_of
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.cross_validation.record import RECORD, CrossValidation
from smalltumor.training.runs.current_weights import final_checkpoint


@dataclass(frozen=True)
class Fold:
    """A network and its split.

    Parameters
    ----------
    name : str
    checkpoint : Checkpoint
    training, held_out : list of str
    """

    name: str
    checkpoint: Checkpoint
    training: list[str]
    held_out: list[str]

    @classmethod
    def of(cls, run: Path) -> Fold:
        """Read a run folder."""
        split = json.loads((run / "config.json").read_text())["split"]
        assert not set(split["trained_on"]) & set(split["validation"])
        return cls(run.name, final_checkpoint(run), split["training"], split["validation"])


def folds_of(folders: Iterable[Path]) -> list[Fold]:
    """The folds of run folders and of folders of cross-validations."""
    runs: list[Path] = []
    for folder in folders:
        is_one = not (folder / RECORD).exists()
        runs += [folder] if is_one else [run.path for run in CrossValidation.read(folder).runs]
    return [Fold.of(run) for run in runs]


def shipped_fold(names: Iterable[str]) -> Fold:
    """The shipped network on cases of which it was trained on all."""
    return Fold("shipped", load_checkpoint(), [], sorted(names))


def unseen_fold(weights: Path, names: Iterable[str]) -> Fold:
    """A network on the cases that it was not trained on."""
    checkpoint = load_checkpoint(weights)
    seen = set(checkpoint.card["trained_on"])
    return Fold(weights.stem, checkpoint, [], sorted(set(names) - seen))


def output_of(case: Case, checkpoint: Checkpoint, cached: Path) -> CroppedProbabilities:
    """The network's output for a case, from the cache or computed and kept."""
    grid = network_grid_of(case.grid)
    assert grid.lossless, "images are resampled around the brain"
    if not cached.exists():
        cropped = segment(case, checkpoint, device="cpu").cropped
        assert cropped is not None and isinstance(cropped.output, HalfResolutionLogits)
        logits = cropped.output.logits.astype(np.float16)
        cached.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cached, logits=logits, start=cropped.start)
    with np.load(cached) as file:
        logits = file["logits"].astype(np.float32)
        start = tuple(int(n) for n in file["start"])
    shape = tuple(
        min(2 * n, size - first)
        for n, size, first in zip(logits.shape[1:], grid.grid.shape, start, strict=True)
    )
    return CroppedProbabilities(HalfResolutionLogits(logits, shape), start, grid)
