"""Labels of a crop of the brain compared with those of the whole volume, by margin.

    python tests/benchmarks/inference/margin.py CASES [--weights FILE] [--limit N]

CASES is a folder of cases with expert labels. A crop starts a multiple of 16 voxels from where the
whole volume starts ("aligned") or at the end of the margin ("not aligned"). The fused network in
float32 on the crop is compared with the unfused network on the whole volume, and both with the
expert.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from agreement import dice, labels_on_grid, reference, whole_input
from smalltumor.data.case import Case
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.preprocessing import NetworkInput, preprocess
from smalltumor.data.read_case import read_case_files
from smalltumor.inference.backends.torch_backend import TorchBackend
from smalltumor.labels.masks import Classes
from smalltumor.labels.regions import Region
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.progress import ProgressReporter

MARGINS = (0, 4, 8, 16)
UNALIGNED_MARGINS = (0,)


@dataclass(frozen=True)
class Row:
    """One crop of one case: its fraction of the volume, and the agreement of its labels."""

    share: float
    differ: float
    same: npt.NDArray[np.float64]
    truth: npt.NDArray[np.float64]


def unaligned_crop(whole: NetworkInput, margin: int) -> NetworkInput:
    """A crop that starts at the end of the margin; its size is a multiple of 16."""
    box = []
    for axis in range(3):
        others = tuple(a for a in range(4) if a != axis + 1)
        filled = np.flatnonzero((whole.array != 0).any(axis=others))
        size = -(-(int(filled[-1] - filled[0]) + 1 + 2 * margin) // 16) * 16
        start = min(max(int(filled[0]) - margin, 0), max(whole.array.shape[axis + 1] - size, 0))
        box.append(slice(start, start + size))
    array = np.ascontiguousarray(whole.array[(slice(None), *box)])
    i, j, k = (first + span.start for first, span in zip(whole.start, box, strict=True))
    return NetworkInput(array, (i, j, k), whole.network_grid)


def main() -> None:
    """Print one row per kind of crop, with the minimum and mean over all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    checkpoint = load_checkpoint(options.weights)
    backend = TorchBackend(checkpoint, "cpu", torch.float32)
    rows: dict[str, list[Row]] = defaultdict(list)
    for files in find_cases(options.cases)[: options.limit]:
        case = read_case_files(files)
        whole = whole_input(case, checkpoint)
        expert = whole.network_grid.labels_to_network(read_labels(case)[0])
        expected = reference(checkpoint, whole)
        rows["whole volume"].append(
            Row(1.0, 0.0, scores(expected, expected), scores(expected, expert))
        )
        for name, prepared in crops(case, whole, checkpoint):
            labels = labels_on_grid(backend(prepared.array, ProgressReporter()), prepared)
            rows[name].append(
                Row(
                    prepared.array[0].size / whole.array[0].size,
                    100 * np.count_nonzero(labels != expected) / labels.size,
                    scores(labels, expected),
                    scores(labels, expert),
                )
            )
        print(case.name, {n: rows[n][-1].same.round(5).tolist() for n in rows}, flush=True)
    print(f"\n{checkpoint.name}, {len(rows['whole volume'])} cases\n")
    print("| crop | share of the volume | voxels that differ %, worst (mean) |", end="")
    print(" Dice to the whole ET TC WT, worst | mean | Dice to the expert ET TC WT, mean |")
    print("|---|---|---|---|---|---|")
    for name, results in rows.items():
        differ = [row.differ for row in results]
        same = np.array([row.same for row in results])
        cells = (
            name,
            f"{np.mean([row.share for row in results]):.3f}",
            f"{max(differ):.4f} ({np.mean(differ):.4f})",
            _joined(same.min(axis=0)),
            _joined(same.mean(axis=0)),
            _joined(np.mean([row.truth for row in results], axis=0)),
        )
        print("| " + " | ".join(cells) + " |")


def crops(
    case: Case, whole: NetworkInput, checkpoint: Checkpoint
) -> Iterator[tuple[str, NetworkInput]]:
    """Name and network input of each crop of a case."""
    for margin in MARGINS:
        settings = replace(checkpoint.preprocessing, margin=margin)
        yield f"margin {margin}, aligned", preprocess(case, settings)
    for margin in UNALIGNED_MARGINS:
        yield f"margin {margin}, not aligned", unaligned_crop(whole, margin)


def scores(one: Classes, other: Classes) -> npt.NDArray[np.float64]:
    """Dice of ET, TC, WT."""
    return np.array([dice(one, other, region) for region in Region])


def _joined(values: npt.NDArray[np.float64]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


if __name__ == "__main__":
    main()
