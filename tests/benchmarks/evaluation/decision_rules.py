"""Other rules that make a mask of the network's probabilities, on patients it was not trained on.

    python tests/benchmarks/evaluation/decision_rules.py RUN ... --data FOLDER

Each RUN is the run of a fold, whose held-out cases are segmented. Printed is the mean Dice of the
most probable class, and what each rule adds to it, with the 95 % interval by bootstrap over cases.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from smalltumor import read_labels, segment
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.read_case import read_case_files
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import REGION_CLASSES, Region
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.training.cross_validation.validation_cases import find_validation_cases
from smalltumor.training.runs.current_weights import final_checkpoint

Floats = npt.NDArray[np.floating]
Masks = dict[Region, npt.NDArray[np.bool_]]
Rule = Callable[[Floats], Masks]

SAMPLES, SEED = 10_000, 0
MIN_PROBABILITY = 0.02
"""Voxels below it are never in the mask of the largest expected Dice."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    dice = [
        of_case(files, final_checkpoint(run))
        for run in options.runs
        for files in find_validation_cases(run, options.data).cases
    ]
    first = np.array([case[next(iter(RULES))] for case in dice])
    print(f"{len(dice)} cases, {next(iter(RULES))}: {texts(first.mean(axis=0), '.4f')}")
    for rule in list(RULES)[1:]:
        print(f"{rule:<28}{gains(np.array([case[rule] for case in dice]) - first)}")


def of_case(files: CaseFiles, weights: Checkpoint) -> dict[str, list[float]]:
    """Dice of ET, TC and WT by each rule."""
    case = read_case_files(files)
    cropped = segment(case, weights, device="cpu").cropped
    assert cropped is not None
    probabilities, truth = cropped.on_source(), read_labels(case)[0]
    return {
        name: [
            dice(mask, region_mask(truth, region)) for region, mask in rule(probabilities).items()
        ]
        for name, rule in RULES.items()
    }


def most_probable(probabilities: Floats) -> Masks:
    """The masks of the most probable class."""
    classes = probabilities.argmax(axis=0).astype(np.uint8)
    return {region: region_mask(classes, region) for region in Region}


def above(threshold: float) -> Rule:
    """Each region by itself where its probability is above a threshold."""
    return lambda probabilities: {
        region: of_region(probabilities, region) > threshold for region in Region
    }


def largest_expected_dice(probabilities: Floats) -> Masks:
    """Each region by itself above the threshold at which its expected Dice is largest."""
    masks = {}
    for region in Region:
        p = of_region(probabilities, region)
        inside = np.sort(p[p > MIN_PROBABILITY])[::-1].astype(np.float64)
        expected = 2 * np.cumsum(inside) / (np.arange(1, len(inside) + 1) + p.sum())
        masks[region] = p >= inside[expected.argmax()] if len(inside) else p > 1
    return masks


def filled(probabilities: Floats) -> Masks:
    """Cavities of the tumour core belong to it."""
    masks = most_probable(probabilities)
    masks[Region.TC] = ndimage.binary_fill_holes(masks[Region.TC])
    masks[Region.WT] |= masks[Region.TC]
    return masks


def without_small(of: Region, voxels: int) -> Rule:
    """Components of a region with fewer voxels are left out, with what is in them."""

    def rule(probabilities: Floats) -> Masks:
        masks = most_probable(probabilities)
        labels, _ = ndimage.label(masks[of], np.ones((3, 3, 3)))
        sizes = np.bincount(labels.ravel())
        kept = (sizes >= voxels)[labels] & masks[of]
        for region in Region:
            if set(REGION_CLASSES[region]) <= set(REGION_CLASSES[of]):
                masks[region] &= kept
        return masks

    return rule


RULES: dict[str, Rule] = {
    "most probable class": most_probable,
    **{f"probability above {t}": above(t) for t in (0.3, 0.4, 0.5, 0.6, 0.7)},
    "largest expected Dice": largest_expected_dice,
    "cavities of TC filled": filled,
    "WT from 50 voxels": without_small(Region.WT, 50),
    "WT from 200 voxels": without_small(Region.WT, 200),
    "ET from 10 voxels": without_small(Region.ET, 10),
    "ET from 20 voxels": without_small(Region.ET, 20),
}


def of_region(probabilities: Floats, region: Region) -> Floats:
    """The probability of a region, (i, j, k)."""
    return np.asarray(probabilities[[*REGION_CLASSES[region]]].sum(axis=0))


def dice(mask: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """Dice; 1 if both are empty."""
    total = int(mask.sum()) + int(truth.sum())
    return 2 * int((mask & truth).sum()) / total if total else 1.0


def gains(differences: Floats) -> str:
    """Mean differences with their intervals."""
    random = np.random.default_rng(SEED)
    drawn = random.integers(0, len(differences), (SAMPLES, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), (2.5, 97.5), axis=0)
    mean = differences.mean(axis=0)
    columns = zip(mean, low, high, strict=True)
    return "  ".join(f"{m:+.4f} ({a:+.4f} to {b:+.4f})" for m, a, b in columns)


def texts(values: Floats, form: str) -> str:
    return "  ".join(f"{r.name} {v:{form}}" for r, v in zip(Region, values, strict=True))


if __name__ == "__main__":
    main()
