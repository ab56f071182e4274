"""Pairs of masks, real and made, that were also scored by ``brats-evaluation``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from smalltumor.data.sample import sample_case_folder

Labels = NDArray[np.uint8]
Spacing = tuple[float, float, float]


def challenge_pairs() -> dict[str, tuple[Labels, Labels, Spacing]]:
    """Prediction, truth and voxel edges of each pair, by name; labels as in BraTS 2024."""
    return {**_real(), **_made(), **_empty()}


def _real() -> dict[str, tuple[Labels, Labels, Spacing]]:
    """The sample case's expert mask, cropped, against altered copies of it."""
    truth = _sample()
    altered = {
        "moved": np.roll(truth, 1, 0),
        "moved-far": np.roll(truth, 5, 1),
        "mirrored": truth[::-1].copy(),
        "without-enhancing": np.where(truth == 3, 1, truth).astype(np.uint8),
        "eroded": np.where(ndimage.binary_erosion(truth > 0), truth, 0).astype(np.uint8),
        "dilated": np.asarray(ndimage.grey_dilation(truth, size=3)),
        "smoothed": np.asarray(ndimage.median_filter(truth, size=3)),
        "same": truth,
    }
    pairs = {f"real-{name}": (labels, truth, (1.0, 1.0, 1.0)) for name, labels in altered.items()}
    thick: Spacing = (1.0, 1.0, 3.0)
    for name in ("moved", "smoothed"):
        pairs[f"real-{name}-thick"] = altered[name][:, :, ::3].copy(), truth[:, :, ::3], thick
    return pairs


def _sample() -> Labels:
    import nibabel as nib

    path = next(sample_case_folder().glob("*seg.nii*"))
    labels = np.asarray(nib.load(path).dataobj).astype(np.uint8)
    labels[labels == 4] = 3
    box = ndimage.find_objects((labels > 0).astype(int))[0]
    return np.pad(labels[box], 6)


def _made() -> dict[str, tuple[Labels, Labels, Spacing]]:
    """Blobs of all four labels, on grids of three voxel sizes."""
    edges: list[Spacing] = [(1.0, 1.0, 1.0), (0.9, 0.9, 2.5), (2.0, 1.0, 1.5)]
    pairs = {}
    for seed in range(18):
        rng = np.random.default_rng(seed)
        truth = _blobs(rng, 0.12 + 0.01 * (seed % 6))
        prediction = np.roll(truth, seed % 3, seed % 2)
        other = _blobs(rng, 0.16)
        part = ndimage.gaussian_filter(rng.standard_normal(truth.shape), 4) > 0.02
        prediction = np.where(part, other, prediction).astype(np.uint8)
        pairs[f"made-{seed:02}"] = prediction, truth, edges[seed % 3]
    return pairs


def _blobs(rng: np.random.Generator, level: float) -> Labels:
    field = ndimage.gaussian_filter(rng.standard_normal((40, 36, 30)), 1.5)
    kind = ndimage.gaussian_filter(rng.standard_normal((40, 36, 30)), 2)
    labels = 1 + np.digitize(kind, (-0.03, 0.0, 0.03))
    return np.where(field > level, labels, 0).astype(np.uint8)


def _empty() -> dict[str, tuple[Labels, Labels, Spacing]]:
    empty = np.zeros((24, 20, 18), np.uint8)
    tumour, speck = empty.copy(), empty.copy()
    tumour[4:12, 5:12, 3:9] = 2
    tumour[6:9, 7:10, 4:7] = 3
    speck[20, 17, 15] = 3
    one: Spacing = (1.0, 1.0, 1.0)
    return {
        "empty-both": (empty, empty, one),
        "empty-truth": (tumour, empty, one),
        "empty-prediction": (empty, tumour, one),
        "no-overlap": (speck, tumour, one),
        "speck-alone": (speck, speck, one),
    }
