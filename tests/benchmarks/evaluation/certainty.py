"""How well a network's certainty orders patients whom it was not trained on.

python tests/benchmarks/evaluation/certainty.py RUN ... --data FOLDER

Each RUN is the run of a fold with its scores in out_of_fold.csv (`smalltumor folds`). The cases
that it held out are segmented again, and the rank correlation (Spearman) of each measure with their
Dice is printed, with its 95 % interval by bootstrap over cases, and how many of the quarter of the
cases with the lowest mean Dice are in the first quarter by the measure.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr
from smalltumor import segment
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.probabilities.expected_dice import expected_dice
from smalltumor.data.probabilities.network_output import HalfResolutionLogits, softmax
from smalltumor.data.read_case import read_case_files
from smalltumor.evaluation.summaries.case_rows import read_rows
from smalltumor.labels.regions import Region
from smalltumor.models.checkpoint import load_checkpoint

Floats = npt.NDArray[np.float64]

SAMPLES, SEED = 2_000, 0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    files = {case.name: case for case in find_cases(options.data)}
    measured = [one for run in options.runs for one in of_run(run, files)]
    columns = {name: np.array([one[name] for one in measured]) for name in measured[0]}
    dice = {name: columns.pop(name) for name in ("ET", "TC", "WT")}
    dice["mean"] = np.mean(list(dice.values()), axis=0)
    print(f"{len(measured)} cases; rank correlation with Dice")
    for name, values in columns.items():
        texts = [f"{region} {correlation(values, truth)}" for region, truth in dice.items()]
        print(f"{name:<26}{'; '.join(texts)}; {worst_first(values, dice['mean'])}")


def of_run(run: Path, files: Mapping[str, CaseFiles]) -> Iterator[dict[str, float]]:
    """Measures and Dice of the cases that a run held out."""
    weights = load_checkpoint(run / "final.safetensors")
    for row in read_rows(run / "out_of_fold.csv"):
        segmentation = segment(read_case_files(files[row.case]), weights)
        assert segmentation.cropped is not None
        output = segmentation.cropped.output
        assert isinstance(output, HalfResolutionLogits)
        expected = [dice for dice in expected_dice(output).values() if dice is not None]
        volumes = segmentation.volumes_ml()
        yield {
            "expected Dice, mean": float(np.mean(expected)),
            "expected Dice, lowest": min(expected),
            **{f"expected Dice, {r.name}": d or 0.0 for r, d in expected_dice(output).items()},
            "entropy in the mask": -entropy(output),
            "volume of ET": volumes[Region.ET],
            "volume of WT": volumes[Region.WT],
            "ET": row.et_dice,
            "TC": row.tc_dice,
            "WT": row.wt_dice,
        }


def entropy(output: HalfResolutionLogits) -> float:
    """Mean entropy of the classes, in nats, of the voxels of the tumour."""
    tumour = output.logits.argmax(axis=0) > 0
    p = softmax(output.logits[:, tumour]).astype(np.float64)
    return float(-(p * np.log(np.maximum(p, 1e-12))).sum(axis=0).mean())


def correlation(values: Floats, truth: Floats) -> str:
    """Spearman's coefficient with its interval."""
    random = np.random.default_rng(SEED)
    drawn = [random.integers(0, len(values), len(values)) for _ in range(SAMPLES)]
    low, high = np.nanpercentile([spearman(values[n], truth[n]) for n in drawn], (2.5, 97.5))
    return f"{spearman(values, truth):.2f} ({low:.2f} to {high:.2f})"


def spearman(values: Floats, truth: Floats) -> float:
    """Spearman's rank correlation."""
    return float(spearmanr(values, truth).statistic)


def worst_first(values: Floats, truth: Sequence[float] | Floats) -> str:
    """How many of the worst quarter are in the first quarter."""
    quarter = max(1, len(values) // 4)
    first, worst = (set(np.argsort(each)[:quarter].tolist()) for each in (values, truth))
    return f"{len(first & worst)} of {quarter}"


if __name__ == "__main__":
    main()
