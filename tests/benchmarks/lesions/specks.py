"""How many components below 20 voxels are true, by their mean probability.

python tests/benchmarks/lesions/specks.py CASE... [--region wt]

A component of the shipped weights is true if it shares a voxel with the expert's mask.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from smalltumor import find_lesions, read_case, read_labels, segment
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.lesions import lesion_components

PROBABILITIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
VOXELS = 20


def components(folder: Path, region: Region) -> list[tuple[int, float, bool]]:
    """Size, mean probability and truth of each component that is found in a case."""
    case = read_case(folder)
    truth = region_mask(read_labels(case)[0], region)
    found = segment(case)
    voxels = lesion_components(region_mask(found.classes, region), case.grid).voxels
    lesions = find_lesions(found, region=region)
    return [
        (lesion.voxels, lesion.mean_probability or 0.0, bool(truth[tuple(each.T)].any()))
        for lesion, each in zip(lesions, voxels, strict=True)
    ]


def main() -> None:
    """Print a table with a line for each probability."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--region", type=Region, default=Region.ET)
    options = parser.parse_args()
    rows = [row for folder in options.cases for row in components(folder, options.region)]
    print(f"{len(rows)} components, {sum(not true for *_, true in rows)} of them false")
    for limit in PROBABILITIES:
        specks = [true for size, mean, true in rows if size < VOXELS and mean < limit]
        print(f"p < {limit:.2f}: {sum(specks)} true, {len(specks) - sum(specks)} false")


if __name__ == "__main__":
    main()
