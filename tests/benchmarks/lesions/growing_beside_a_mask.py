"""Growth at stored candidates with the network's probabilities, and beside the mask without them.

    python tests/benchmarks/lesions/growing_beside_a_mask.py MASKS

MASKS is a folder of results of `smalltumor cohort --candidates`. Its cases are segmented again with
the shipped weights. A seed is the centre of a stored candidate.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import smalltumor
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.cohort.reviews.stored_candidates import stored_candidates
from smalltumor.cohort.reviews.worklist import read_worklist
from smalltumor.data.read_case import read_case_files
from smalltumor.labels.regions import Region
from smalltumor.second_look import LesionGrower, SecondLook


def main() -> None:
    """Print a row for each candidate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("masks", type=Path)
    folder = parser.parse_args().masks
    print("| case | voxels with probabilities | without | Dice | seconds of the maps | without |")
    print("|---|---|---|---|---|---|")
    for entry in read_worklist(folder).entries:
        if entry.files is not None and not entry.result.failed:
            compare(folder, read_case_files(entry.files))


def compare(folder: Path, case: Any) -> None:
    """Print the rows of a case."""
    begun = Reviews(folder).begin(case.name)
    path = ResultsFolder(folder).mask(case.name)
    mask = read_stored_mask(path, case.name, begun.scheme)
    stored = stored_candidates(ResultsFolder(folder), begun, mask)
    assert not stored.problem, stored.problem
    cropped = smalltumor.segment(case).cropped
    assert cropped is not None
    began = time.perf_counter()
    look = SecondLook.of(case, cropped)
    between = time.perf_counter()
    grower = LesionGrower.beside(case, mask.classes)
    seconds = f"{between - began:.2f} | {time.perf_counter() - between:.2f}"
    assert look is not None and grower is not None
    et = mask.mask(Region.ET)
    for candidate in stored.candidates:
        seed = np.rint(candidate.voxels.mean(axis=0))
        one, other = (set(map(tuple, each.grow(seed, et).tolist())) for each in (look, grower))
        dice = 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0
        print(f"| {case.name} | {len(one)} | {len(other)} | {dice:.2f} | {seconds} |")


if __name__ == "__main__":
    main()
