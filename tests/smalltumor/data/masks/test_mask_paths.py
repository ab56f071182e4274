"""A mask replaces masks only: no image, whatever its file is called, and none of another case."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.identity.image_digests import comment_of
from smalltumor.data.masks.mask_paths import check_mask_path
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import OutputError
from synthetic import LPS, grid_along

RNG = np.random.default_rng(3)
SHAPE = (12, 13, 14)
IMAGES = {
    "Bob_0001": RNG.integers(0, 900, SHAPE).astype(np.int16),  # nnU-Net
    "BRATS_002": RNG.integers(0, 900, (*SHAPE, 4)).astype(np.int16),  # the Decathlon
    "4_T1_mprage": RNG.random(SHAPE).astype(np.float32),
    "normalised": RNG.normal(size=SHAPE).astype(np.float32),
    "4D_from_0_to_1": RNG.random((*SHAPE, 4)).astype(np.float32),
    "5D": np.zeros((*SHAPE, 1, 3), np.float32),
    "colours": np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]),
    "nan": np.full(SHAPE, np.nan, np.float32),
}
MASKS = {
    "labels": RNG.integers(0, 5, SHAPE).astype(np.uint8),
    "float_labels": RNG.integers(0, 5, SHAPE).astype(np.float64),
    "atlas": RNG.choice([0, 2, 4, 1001, 2035], SHAPE).astype(np.int32),
    "probabilities": RNG.dirichlet(np.ones(4), SHAPE).astype(np.float32),
    "empty": np.zeros(SHAPE, np.int16),
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_of_any_name_is_not_replaced(tmp_path, name):
    path = tmp_path / f"{name}.nii.gz"
    nib.save(nib.Nifti1Image(IMAGES[name], LPS), path)
    with pytest.raises(OutputError, match="holds an image, which no mask replaces"):
        check_mask_path(path, "P1")


@pytest.mark.parametrize("name", MASKS)
def test_masks_of_any_program_may_be_replaced(tmp_path, name):
    path = tmp_path / f"{name}.nii"
    nib.save(nib.Nifti1Image(MASKS[name], LPS), path)
    check_mask_path(path, "P1")


def test_a_truncated_image_is_not_replaced(tmp_path):
    path = tmp_path / "image.nii.gz"
    nib.save(nib.Nifti1Image(IMAGES["Bob_0001"], LPS), path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(OutputError, match="holds an image"):
        check_mask_path(path, "P1")


def test_masks_of_this_program_and_new_and_damaged_files_may_be_written(tmp_path):
    segmentation = Segmentation("P1", MASKS["labels"] % 4, grid_along("LPS", SHAPE))
    check_mask_path(write_segmentation(segmentation, tmp_path / "m.nii.gz"), "P1")
    many = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int16)
    images = [comment_of({"t1ce": "aa"})]
    write_volume(tmp_path / "candidates.nii", many, segmentation.grid, comments=images)
    check_mask_path(tmp_path / "candidates.nii", "P1")
    (tmp_path / "damaged.nii.gz").write_bytes(b"damaged")
    for name in ("damaged.nii.gz", "new.nii", "table.csv"):
        check_mask_path(tmp_path / name, "P1")
