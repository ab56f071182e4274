"""How often the checks of the input find what is wrong, and what is not.

    python tests/benchmarks/scans/input_checks.py CASES [CASES ...] [--fit]

CASES are folders of skull-stripped, co-registered cases. Each case is checked as it is, with thick
voxels, with its images in the 23 wrong orders, with FLAIR shifted, rotated, or cut to a slab, and
without T1, T2 or FLAIR, with the others in the 5 wrong orders. Modalities and rotations use voxels
2 mm apart to save time. ``--fit`` prints the weights of
`smalltumor.data.input_checks.contrast_features`, and tests weights that were fitted without the
case.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.optimize import minimize
from smalltumor.data.case import Case
from smalltumor.data.input_checks import FindingKind, check_input
from smalltumor.data.input_checks.contrast_features import FEATURES
from smalltumor.data.input_checks.modality_contrast import MARGIN, ROLES, features
from smalltumor.data.naming.case_files import MODALITY_TITLES, OPTIONAL_MODALITIES
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case_files
from smalltumor.geometry.grid import Grid

Floats = npt.NDArray[np.float64]

ASSIGNMENTS = tuple(permutations(ROLES))
"""The image in the roles of T1, T1CE, T2 and FLAIR; the first is the right one."""

REGULARISATION = 0.5

THICK_VOXELS = ((2, 2, 2), (1, 1, 5))
"""Voxel sizes in mm to which whole cases are averaged."""


def halved(case: Case) -> Case:
    """Every second voxel, on a grid of 2 mm."""
    volumes = {m: np.asfortranarray(v[::2, ::2, ::2]) for m, v in case.volumes.items()}
    affine = case.grid.affine @ np.diag([2, 2, 2, 1])
    return replace(case, volumes=volumes, grid=Grid(volumes["t1"].shape, affine))


def averaged(case: Case, factors: tuple[int, int, int]) -> Case:
    """Means of blocks of voxels, as thicker slices have them."""
    shape = tuple(n // f * f for n, f in zip(case.grid.shape, factors, strict=True))
    blocks = [n for size, f in zip(shape, factors, strict=True) for n in (size // f, f)]
    inner = tuple(slice(0, n) for n in shape)
    volumes = {
        m: np.asfortranarray(v[inner].astype(np.float32).reshape(blocks).mean((1, 3, 5)))
        for m, v in case.volumes.items()
    }
    affine = case.grid.affine @ np.diag([*factors, 1])
    return replace(case, volumes=volumes, grid=Grid(volumes["t1"].shape, affine))


def variants(case: Case) -> Iterator[tuple[str, FindingKind | None, Case]]:
    """The case as it is and spoilt, with what is to be found."""
    yield "as it is", None, case
    for order in ASSIGNMENTS[1:]:
        volumes = {m: case.volumes[image] for m, image in zip(ROLES, order, strict=True)}
        name = "T1, T1CE, T2, FLAIR given " + ", ".join(order)
        yield name, FindingKind.SWAPPED, replace(case, volumes=volumes)
    flair = case.volumes["flair"]

    def moved(change: npt.NDArray[np.generic]) -> Case:
        return replace(case, volumes=dict(case.volumes) | {"flair": change})

    for millimetres in (2, 4, 6, 8, 12):
        for axis, way in enumerate(("left to right", "front to back", "up and down")):
            shifted = np.roll(flair, millimetres // 2, axis)
            yield f"FLAIR shifted {millimetres} mm {way}", FindingKind.MISALIGNED, moved(shifted)
    for degrees in (5, 10, 20):
        for axes in ((0, 1), (0, 2), (1, 2)):
            rotated = ndimage.rotate(flair, degrees, axes, reshape=False, order=0)
            name = f"FLAIR rotated {degrees} degrees about axis {3 - sum(axes)}"
            yield name, FindingKind.MISALIGNED, moved(rotated)
    slab = np.where(np.abs(np.arange(flair.shape[2]) - 38) < 15, flair, 0)
    yield "FLAIR a slab of 60 mm", FindingKind.MISALIGNED, moved(slab)
    yield from incomplete_variants(case)


def incomplete_variants(case: Case) -> Iterator[tuple[str, FindingKind | None, Case]]:
    """The case without T1, T2 or FLAIR, and with the other images in wrong orders or shifted."""
    for missing in OPTIONAL_MODALITIES:
        left = [role for role in ROLES if role != missing]
        without = f"no {MODALITY_TITLES[missing]}"
        for order in permutations(left):
            volumes = {m: case.volumes[image] for m, image in zip(left, order, strict=True)}
            changed = replace(case, volumes=volumes)
            right = order == tuple(left)
            name = without if right else f"{without}, {', '.join(left)} given {', '.join(order)}"
            yield name, FindingKind.MISSING if right else FindingKind.SWAPPED, changed
        for millimetres in (4, 6, 8):
            shifted = {m: case.volumes[m] for m in left}
            shifted[left[-1]] = np.roll(shifted[left[-1]], millimetres // 2, 1)
            name = f"{without}, {MODALITY_TITLES[left[-1]]} shifted {millimetres} mm front to back"
            yield name, FindingKind.MISALIGNED, replace(case, volumes=shifted)


def features_of(case: Case) -> Floats:
    """Features of the 24 assignments of a case with voxels of 2 mm."""
    coarse = {m: v[::2, ::2, ::2] for m, v in case.volumes.items()}
    brain = ndimage.binary_erosion(np.logical_or.reduce([v > 0 for v in coarse.values()]))
    return features({m: v[brain] for m, v in coarse.items()})


def fitted(cases: Floats) -> Floats:
    """Weights by which the first of the assignments (case, 24, feature) is the most likely."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = cases @ weights
        normaliser = np.logaddexp.reduce(scores, axis=1)
        p = np.exp(scores - normaliser[:, None])
        gradient = np.einsum("np,npd->d", p, cases) - cases[:, 0].sum(axis=0)
        value = (normaliser - scores[:, 0]).sum() + REGULARISATION * weights @ weights
        return float(value), gradient + 2 * REGULARISATION * weights

    return np.asarray(minimize(loss, np.zeros(cases.shape[2]), jac=True).x)


def print_fit(cases: Floats) -> None:
    """Weights, and the result of leaving each case out."""
    for feature, weight in zip(FEATURES, fitted(cases), strict=True):
        print(f"{weight:6.2f}  {feature.name}")
    scores = np.array([c @ fitted(np.delete(cases, n, 0)) for n, c in enumerate(cases)])
    excess = scores.max(axis=1, keepdims=True) - scores
    print(f"left out: right order, largest excess of another {excess[:, 0].max():.2f}")
    for order, found in zip(ASSIGNMENTS, (excess > MARGIN).mean(axis=0), strict=True):
        print(f"  {', '.join(order):<24} found {found:.2f}")


def main() -> None:
    """Print a row for each variant: cases, and those in which something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", metavar="CASES", nargs="+", type=Path)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    total, expected, others = Counter[str](), Counter[str](), Counter[str]()
    table = []
    for folder in options.folders:
        for files in find_cases(folder):
            whole = read_case_files(files)
            for finding in check_input(whole):
                print(f"{whole.name}: {finding}")
            case = halved(whole)
            table.append(features_of(whole))
            thick = [
                (f"voxels of {' x '.join(map(str, f))} mm", None, averaged(whole, f))
                for f in THICK_VOXELS
            ]
            for name, kind, spoilt in (*thick, *variants(case)):
                kinds = {finding.kind for finding in check_input(spoilt)}
                total[name] += 1
                expected[name] += kind in kinds
                others[name] += bool(kinds - {kind, FindingKind.MISSING})
    for name, count in total.items():
        print(f"{name:<48} {count:3d} cases, found {expected[name]:3d}, other {others[name]:3d}")
    if options.fit:
        print_fit(np.array(table))


if __name__ == "__main__":
    main()
