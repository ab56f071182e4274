"""Of several exports beside the images of a case, the newest is read, and the others are named."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from napari_cases import write_case_along
from smalltumor.data.case import Case
from smalltumor.data.masks.case_mask import mask_beside
from smalltumor.data.masks.exported_masks import exported_masks_of
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.labels.regions import Region, TissueClass

NAMES = (
    "P7_smalltumor.nii",
    "P7_smalltumor.nii.gz",
    "P7_visit1_smalltumor.nii.gz",
    "regions:P7_smalltumor.nii.gz",
    "regions:P7_smalltumor.nii",
)


@pytest.fixture
def case(tmp_path) -> Case:
    folder = write_case_along(tmp_path / "P7" / "visit1", name="P7")
    return read_case(folder)


def export(case: Case, name: str, value: int, written: int) -> list[Path]:
    """Write a mask of one class at a time, in s."""
    folder, classes = case.paths["t1ce"].parent, np.full(case.grid.shape, value, np.uint8)
    segmentation = Segmentation(case.name, classes, case.grid, case.header)
    path = folder / name.removeprefix("regions:")
    is_of_regions = name.startswith("regions:")
    paths = write_regions(segmentation, path) if is_of_regions else [path]
    if not is_of_regions:
        write_segmentation(segmentation, path)
    for each in paths:
        os.utime(each, (written, written))
    return paths


@pytest.mark.parametrize(("first", "second"), permutations(NAMES, 2))
def test_the_one_that_was_written_last_is_read_whatever_its_name(case, first, second):
    older = export(case, first, 2, 1_000_000)
    newer = export(case, second, 3, 1_000_060)
    mask = mask_beside(case)
    assert set(mask.paths) == set(newer)
    assert np.all(mask.classes == 3)
    (warning,) = (text for text in mask.warnings if "not read" in text)
    assert warning.startswith("the newest mask of P7 beside its images is ")
    assert all(path.name in warning.partition("not read")[2] for path in older)


def test_regions_of_which_one_is_missing_hide_no_complete_mask(case):
    export(case, NAMES[1], 2, 1_000_000)
    et, tc, _ = export(case, NAMES[3], 3, 1_000_060)
    for path in (et, tc):
        path.unlink()
    assert np.all(mask_beside(case).classes == 2)
    (case.paths["t1ce"].parent / NAMES[1]).unlink()
    assert [file.region for file in exported_masks_of(case)] == [Region.WT]


def test_a_label_file_of_some_regions_hides_no_complete_mask(case):
    regions = export(case, NAMES[3], 2, 1_000_000)
    folder, classes = case.paths["t1ce"].parent, np.full(case.grid.shape, 3, np.uint8)
    known = (TissueClass.BACKGROUND, TissueClass.ET)
    mask = Segmentation(case.name, classes, case.grid, case.header, known=known, stored=known)
    path = write_segmentation(mask, folder / NAMES[1])
    assert set(mask_beside(case).paths) == set(regions)
    for each in regions:
        each.unlink()
    assert mask_beside(case).paths == (path,)


@pytest.mark.parametrize(("apart", "read"), [(0, 1), (-1, 1), (1, 3)])
def test_nothing_is_said_of_masks_that_one_command_or_copy_has_written(case, apart, read):
    export(case, NAMES[1], 3, 1_000_000)
    export(case, NAMES[3], 3, 1_000_000 + apart)
    mask = mask_beside(case)
    assert len(mask.paths) == read and not any("not read" in text for text in mask.warnings)


def test_one_export_alone_is_read_without_a_word(case):
    export(case, NAMES[1], 2, 1_000_000)
    assert not any("not read" in text for text in mask_beside(case).warnings)
