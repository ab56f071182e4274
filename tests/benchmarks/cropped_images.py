"""Masks of images that are cropped to the brain, beside masks of the whole images.

    python tests/benchmarks/cropped_images.py CASE...

CASE is the folder of a case. A crop moves the first voxel, and so what the network halves together.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import nibabel
import numpy as np
from agreement import dice
from smalltumor import read_case, segment
from smalltumor.data.case import Case
from smalltumor.labels.components import bounding_box
from smalltumor.labels.regions import Region


def main() -> None:
    """Print the Dice of ET, TC and WT of each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path, nargs="+")
    for folder in parser.parse_args().cases:
        case = read_case(folder)
        box = bounding_box(np.any([volume != 0 for volume in case.volumes.values()], axis=0))
        with tempfile.TemporaryDirectory() as out:
            cropped = segment(read_cropped(case, box, Path(out))).classes
        whole = segment(case).classes[box]
        scores = " ".join(f"{dice(cropped, whole, region):.4f}" for region in Region)
        print(case.name, cropped.shape, scores, flush=True)


def read_cropped(case: Case, box: tuple[slice, slice, slice], folder: Path) -> Case:
    """The case, from files that hold the box only."""
    for path in case.paths.values():
        nibabel.load(path).slicer[box].to_filename(folder / path.name)
    return read_case(folder)


if __name__ == "__main__":
    main()
