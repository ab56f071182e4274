"""Checks that the images of a case are what the network was trained on.

They look at voxels about 4 mm apart. A finding is a reason to doubt the result; what makes a result
meaningless is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from smalltumor.data.brain.background import Image
from smalltumor.data.brain.brain_mask import BRAIN_SHARE
from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.input_checks.findings import Finding, FindingKind
from smalltumor.data.input_checks.modality_contrast import likeliest_exchange, swapped_modalities
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES
from smalltumor.data.naming.file_names import parse_name
from smalltumor.errors import CaseError

if TYPE_CHECKING:
    from smalltumor.data.brain.coarse_images import CoarseImages
    from smalltumor.geometry.grid import Grid
    from smalltumor.labels.masks import Mask

MAX_BRAIN_ML = 2200.0
"""Largest volume that can be a brain alone; the largest brains have 2 litres."""

MIN_BRAIN_ML = 600.0
"""Volume below which voxel sizes are doubted and tissues not compared. Brains of adults have more
than 900 ml, and only those of infants less than 600."""

MIN_OVERLAP = 0.96
"""Smallest Dice of a modality's brain with that of the others; shifts of 5 mm are below it."""

MIN_OVERLAP_IF_SWAPPED = 0.98
"""Below it, what looks like swapped modalities may be a shift; a shift of 2 mm is below it."""

MAX_CUT_CM2 = {"S": 10.0, "I": 50.0, "L": 10.0, "R": 10.0, "A": 10.0, "P": 10.0}
"""Largest area of the brain on a face of the volume. In 51 BraTS cases it is 0, and 39 inferior."""

SAME_IMAGE = 0.9999
"""Correlation of two images above which they are one; T1 and T1CE have at most .9."""

MAX_LABELS = 8
"""Distinct values up to which a volume holds labels; images have hundreds."""

_USUAL_SPACING_MM = (0.3, 7.0)

THICK_SLICES_MM = 2.5
"""Distance of slices above which small lesions are doubted. Of a tumour cut into slices, the Dice
of ET was 0.94 at 2 mm, 0.90 at 3 mm and 0.82 at 5 mm (docs/lab/raw-scans.md)."""

_MAX_VOXEL_MM3 = 8.0
"""Of a usual image. With so few voxels that these make no brain either, an image is a crop."""

_OPPOSITE = dict(zip("LRAPSI", "RLPAIS", strict=True))


def check_input(case: Case, expected: Sequence[str] = MODALITIES) -> list[Finding]:
    """Check the images of a case.

    Parameters
    ----------
    case : Case
    expected : sequence of str
        Modalities that the network sees; one that the case lacks is a finding.

    Returns
    -------
    list of Finding

    Raises
    ------
    CaseError
        If an image that the network sees is in two roles, or holds labels.
    """
    present = [m for m in MODALITIES if m in case.finite]
    coarse = case.coarse.of(present)
    _check_intensities(case, {m: coarse.images[m] for m in present if m in expected})
    masks = coarse.brain_masks
    brain = np.logical_or.reduce(list(masks.values()))
    volume_ml = np.count_nonzero(brain) * coarse.voxel_volume(case.grid) / 1000
    missing = tuple(m for m in expected if m not in present)
    findings = [Finding(FindingKind.MISSING, modalities=missing)] if missing else []
    for same in _same_images({m: image[brain] for m, image in coarse.images.items()}):
        if set(same.modalities) <= set(expected):
            raise CaseError(f"{case.name}: {same}")
        findings.append(same)
    findings += _check_names(case)
    findings += [*_check_spacing(case.grid), *_check_volume(volume_ml)]
    if volume_ml > MAX_BRAIN_ML:
        return findings  # the skull hides what the other checks compare
    misaligned = list(_check_overlap(masks))
    cuts = [*_check_faces(case, coarse)]
    findings += [*misaligned, *cuts]
    if not cuts:  # a part of the brain is said to be one
        findings += _check_small(volume_ml, case.grid)
    if not misaligned and volume_ml >= MIN_BRAIN_ML:
        for swapped in _check_roles(coarse.images, brain):
            shifted = _check_overlap(masks, MIN_OVERLAP_IF_SWAPPED)
            findings += [f for f in shifted if f.modalities[0] in swapped.modalities]
            findings.append(swapped)
    return findings


def _check_intensities(case: Case, images: Mapping[str, Image]) -> None:
    """Check that no image is a mask: its values would pass for intensities."""
    for modality, image in images.items():
        values = np.unique(image)
        if 2 <= values.size <= MAX_LABELS and np.array_equal(values, np.rint(values)):
            path = case.paths.get(modality)
            name = f"{MODALITY_TITLES[modality]} of {case.name}" if path is None else str(path)
            listed = ", ".join(f"{value:.0f}" for value in values)
            raise CaseError(f"{name} holds labels, not an image: its values are {listed}")


def _same_images(values: Mapping[str, Image]) -> Iterator[Finding]:
    """Pairs of equal intensities, but for scale and offset."""
    with np.errstate(all="ignore"):  # constant images and overflow: refused when normalising
        for first, second in combinations(values, 2):
            a, b = (values[m].astype(np.float64) for m in (first, second))
            if a.size > 1 and np.corrcoef(a, b)[0, 1] > SAME_IMAGE:
                yield Finding(FindingKind.SAME_IMAGE, modalities=(first, second))


def _check_names(case: Case) -> Iterator[Finding]:
    """Files whose names say another modality than the one that they are used as.

    A file that is named T1 may be the T1CE, unless another one is named T1CE. A T1 FLAIR is a T1,
    and a FLAIR may be named T2 as well.
    """
    paths = {m: path for m, path in case.paths.items() if m in case.volumes}
    names = {m: parse_name(path) for m, path in paths.items()}
    named = {m: name.role for m, name in names.items() if name and name.role in MODALITIES}
    for modality, role in named.items():
        is_possible = (role, modality) == ("t1", "t1ce") and "t1ce" not in named.values()
        words = re.split(r"[-_. ]", paths[modality].name.lower())
        both = (role, modality) in (("flair", "t1"), ("t2", "flair")) and modality in words
        if role != modality and not is_possible and not both:
            yield Finding(FindingKind.NAMED_OTHERWISE, modalities=(modality,), named=role)


def _check_spacing(grid: Grid) -> Iterator[Finding]:
    smallest, largest = _USUAL_SPACING_MM
    for size in (grid.spacing.min(), grid.spacing.max()):
        if not smallest <= size <= largest:
            yield Finding(FindingKind.SPACING, float(size))
    if THICK_SLICES_MM < grid.spacing.max() <= largest:
        yield Finding(FindingKind.THICK_SLICES, float(grid.spacing.max()))


def _check_volume(volume_ml: float) -> Iterator[Finding]:
    if volume_ml > MAX_BRAIN_ML:
        yield Finding(FindingKind.NOT_SKULL_STRIPPED, volume_ml)


def _check_small(volume_ml: float, grid: Grid) -> Iterator[Finding]:
    if volume_ml < MIN_BRAIN_ML <= volume_ml / grid.voxel_volume * _MAX_VOXEL_MM3:
        yield Finding(FindingKind.SMALL, volume_ml)


def _check_faces(case: Case, coarse: CoarseImages) -> Iterator[Finding]:
    """Areas of the brain on the six faces of the volume."""
    sizes = case.grid.spacing * np.array([step.step for step in coarse.steps])
    for axis, code in enumerate(case.grid.axcodes):
        within = tuple(coarse.steps[a] for a in range(3) if a != axis)
        voxel_cm2 = float(np.prod(np.delete(sizes, axis))) / 100
        for side, index in ((_OPPOSITE[code], 0), (code, -1)):
            faces = {m: np.moveaxis(case.volumes[m], axis, 0)[index][within] for m in coarse.images}
            brain = np.logical_or.reduce(
                [
                    coarse.backgrounds[m].exceeds(face, BRAIN_SHARE) & np.isfinite(face)
                    for m, face in faces.items()
                ]
            )
            area = np.count_nonzero(brain) * voxel_cm2
            if area > MAX_CUT_CM2[side]:
                yield Finding(FindingKind.CUT, area, side=side)


def _check_overlap(masks: Mapping[str, Mask], least: float = MIN_OVERLAP) -> Iterator[Finding]:
    """Dice of each brain with the voxels that at least two of the others have in common.

    Of two images, the one that is not T1CE is named: results lie on T1CE.
    """
    if len(masks) < 2:
        return
    in_common = min(2, len(masks) - 1)
    total = np.sum(list(masks.values()), axis=0, dtype=np.uint8)
    overlaps: dict[str, float] = {}
    for modality, mask in masks.items():
        others = np.asarray(total - mask >= in_common)
        both = int(np.count_nonzero(mask & others))
        sizes = int(np.count_nonzero(mask)) + int(np.count_nonzero(others))
        overlaps[modality] = 2 * both / max(sizes, 1)
    if len(masks) == 2:
        overlaps.pop(REFERENCE, None)
    worst = min(overlaps, key=lambda modality: overlaps[modality])
    if overlaps[worst] < least:
        yield Finding(FindingKind.MISALIGNED, overlaps[worst], (worst,))


def _check_roles(coarse: Mapping[str, Image], brain: Mask) -> Iterator[Finding]:
    from scipy import ndimage

    inner = ndimage.binary_erosion(brain)
    if inner.any():
        images = {m: image[inner] for m, image in coarse.items()}
        swapped = swapped_modalities(images)
        if swapped:
            two = likeliest_exchange(images) if len(swapped) > 2 else ()
            yield Finding(FindingKind.SWAPPED, modalities=swapped, exchanged=two)
