"""The mask of a case, read from a file."""

from __future__ import annotations

import numpy as np
import pytest
from napari_cases import write_case_along
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.masks.case_mask import read_mask
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation


@pytest.mark.parametrize("name", ["P7_seg", "P7_visit1_seg", "P7_visit1_reader2_seg"])
def test_a_mask_of_other_images_is_a_warning_also_by_the_visit_that_the_folder_states(
    tmp_path, name
):
    case = read_case(write_case_along(tmp_path / "visit1" / "P7"))
    other = read_case(write_case_along(tmp_path / "other", seed=7))
    classes = np.arange(np.prod(case.grid.shape)).reshape(case.grid.shape) % 4
    made_of = digests_of_images(other)
    mask = Segmentation("P7", classes.astype(np.uint8), case.grid, made_of=made_of)
    path = write_segmentation(mask, tmp_path / f"{name}.nii.gz")
    assert "made of other images than those of P7" in read_mask(path, case).other_images


@pytest.mark.parametrize("scheme", [None, "brats2023", "msd"])
def test_a_label_scheme_that_contradicts_the_header_is_said(tmp_path, scheme):
    case = read_case(write_case_along(tmp_path / "Pat"))
    classes = np.arange(np.prod(case.grid.shape)).reshape(case.grid.shape) % 4
    mask = Segmentation("Pat", classes.astype(np.uint8), case.grid)
    path = write_segmentation(mask, tmp_path / "Pat_seg.nii.gz", scheme="brats2023")
    mask_read = read_mask(path, case, scheme)
    source = "from its header" if scheme is None else "as named for it"
    assert mask_read.origin.endswith(f"label scheme {scheme or 'brats2023'} ({source})")
    text = "the header of Pat_seg.nii.gz names brats2023, but it was read as msd"
    assert [*mask_read.header_warnings] == ([text] if scheme == "msd" else [])
