"""Do scores say how often lesions are real? A table with intervals, and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = (0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.01)
RESAMPLES, PERCENTILES = 4000, (2.5, 97.5)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """Lesions with scores.

    Parameters
    ----------
    scores : (n,) float64 array
    real : (n,) bool array
    patients : sequence of str
    """

    scores: Floats
    real: npt.NDArray[np.bool_]
    patients: Sequence[str]


@dataclass(frozen=True)
class Bin:
    """Lesions with scores between two limits, and the share of them that is real.

    Parameters
    ----------
    low, high : float
    number : int
    score : float
        The mean.
    real, least, most : float
        The share, and its 95 % interval by bootstrap over patients.
    """

    low: float
    high: float
    number: int
    score: float
    real: float
    least: float
    most: float


def bins_of(scored: Scored) -> list[Bin]:
    """The bins that have lesions."""
    counts, result = drawn(scored.patients), []
    for low, high in pairwise(BINS):
        inside = (scored.scores >= low) & (scored.scores < high)
        if inside.any():
            numbers = counts[:, inside].sum(axis=1)
            real = counts[:, inside] @ scored.real[inside]
            shares = real[numbers > 0] / numbers[numbers > 0]
            result.append(
                Bin(
                    *(low, min(high, 1), int(inside.sum()), float(scored.scores[inside].mean())),
                    *(float(scored.real[inside].mean()), *np.percentile(shares, PERCENTILES)),
                )
            )
    return result


def print_reliability(title: str, scored: Scored) -> None:
    """Print the share of real ones by score, and how far scores are from it."""
    print(f"{title}: score, number, mean score, share real (95 % interval)")
    for each in bins_of(scored):
        print(
            f"  {each.low:.2f} to {each.high:.2f}  {each.number:4d}  {each.score:.3f}  "
            f"{each.real:.3f} ({each.least:.2f} to {each.most:.2f})"
        )
    counts = drawn(scored.patients)
    for name, value in (("log loss", log_loss(scored)), ("Brier score", brier(scored))):
        print(f"  {name} {value.mean():.3f} ({interval(means(value, counts))})")
    print(f"  {calibration_error_text(scored, counts)}")


def calibration_error_text(scored: Scored, counts: Floats) -> str:
    """The expected calibration error with its interval.

    That of a sample is larger than 0 also if scores are right."""
    value = calibration_error(scored, np.ones((1, len(scored.scores))))
    return f"calibration error {value[0]:.3f} ({interval(calibration_error(scored, counts))})"


def drawn(patients: Sequence[str]) -> Floats:
    """How often each sample of patients holds each lesion, (resample, lesion)."""
    names, number = np.unique(patients, return_inverse=True)
    shares = np.full(len(names), 1 / len(names))
    rng = np.random.default_rng(0)
    return rng.multinomial(len(names), shares, size=RESAMPLES)[:, number].astype(np.float64)


def means(values: Floats, counts: Floats) -> Floats:
    """The mean in each sample."""
    return np.asarray(counts @ values / counts.sum(axis=1))


def interval(samples: Floats) -> str:
    """The 95 % interval of samples, in words."""
    low, high = np.percentile(samples, PERCENTILES)
    return f"{low:.3f} to {high:.3f}"


def log_loss(scored: Scored) -> Floats:
    """Of each lesion."""
    right = np.where(scored.real, scored.scores, 1 - scored.scores)
    return -np.log(np.maximum(right, 1e-6))


def brier(scored: Scored) -> Floats:
    """Squared error of each lesion."""
    return np.asarray((scored.scores - scored.real) ** 2)


def calibration_error(scored: Scored, counts: Floats) -> Floats:
    """Mean distance of the mean score from the share of real ones, over `BINS`, in each sample."""
    excess = scored.scores - scored.real
    number = np.digitize(scored.scores, BINS)
    sums = [np.abs(counts[:, number == n] @ excess[number == n]) for n in np.unique(number)]
    return np.asarray(np.sum(sums, axis=0) / counts.sum(axis=1))


def plot(path: Path, panels: dict[str, dict[str, Sequence[Bin]]]) -> None:
    """Plot the share of real ones against the score; a panel for each kind, series by name."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True)
    for each, (title, series) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        _panel(each, title, series)
    np.atleast_1d(axes)[0].set_ylabel("share that is real")
    figure.savefig(path, dpi=150)


def _panel(axes: Axes, title: str, series: dict[str, Sequence[Bin]]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for number, (name, bins) in enumerate(series.items()):
        scores, real = [b.score for b in bins], [b.real for b in bins]
        ends = [[b.real - b.least for b in bins], [b.most - b.real for b in bins]]
        axes.errorbar(
            *(scores, real, np.maximum(ends, 0)),
            fmt="os"[number % 2],
            capsize=3,
            label=name,
        )
        for b in bins:
            axes.annotate(
                f"{b.number}",
                (b.score, b.real),
                xytext=(6, 4) if number else (-4, -13),
                textcoords="offset points",
                fontsize=7,
                color=f"C{number}",
            )
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("mean score")
    highest = max(b.score for bins in series.values() for b in bins)
    axes.set(xlim=(-0.02, 1.02 if highest > 0.5 else 0.51), ylim=(-0.05, 1.08))
    axes.legend(frameon=False, fontsize=8, loc="upper left")
