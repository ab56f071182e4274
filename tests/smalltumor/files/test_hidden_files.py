"""Checks of outputs and searches for inputs find files that a killed command was replacing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from killed_writer import hide
from smalltumor.data.bids.checks import check_bids
from smalltumor.data.bids.write import write_bids
from smalltumor.data.masks.case_mask import mask_beside, read_mask
from smalltumor.data.naming.find_cases import find_case_files, find_cases
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.errors import OutputError
from smalltumor.evaluation.evaluate import evaluate
from smalltumor.evaluation.report.report_files import FILES, check_report
from smalltumor.scanner.prepared.output_checks import check_prepared
from smalltumor.scanner.prepared.prepared_files import prepared_paths
from synthetic import write_case

MODALITIES = ["flair", "t1", "t1ce", "t2"]

pytestmark = pytest.mark.filterwarnings("ignore::smalltumor.errors.SmalltumorWarning")


@pytest.fixture
def segmentation(tmp_path) -> Segmentation:
    case = read_case(write_case(tmp_path / "Pat", name="Pat"))
    classes = np.zeros(case.grid.shape, np.uint8)
    classes[8:11, 8:11, 8:11] = 3
    return Segmentation("Pat", classes, case.grid)


def test_an_earlier_preparation_is_not_overlooked(tmp_path):
    paths = prepared_paths(tmp_path / "case", "Pat")
    (tmp_path / "case").mkdir()
    for path in paths.values():
        path.write_text("before")
    hide(*paths.values())
    with pytest.raises(OutputError, match="exists"):
        check_prepared(tmp_path / "case", "Pat", ["t1ce"], [])


def test_an_earlier_report_is_not_overlooked(tmp_path):
    for name in FILES:
        (tmp_path / name).write_text("before")
    hide(*(tmp_path / name for name in FILES))
    with pytest.raises(OutputError, match="exists"):
        check_report(tmp_path)


def test_an_earlier_mask_of_a_dataset_is_not_overlooked(segmentation, tmp_path):
    hide(*write_bids(segmentation, tmp_path / "bids"))
    with pytest.raises(OutputError, match="exists"):
        check_bids("Pat", tmp_path / "bids")


def test_earlier_regions_are_not_overlooked(segmentation, tmp_path):
    hide(*write_regions(segmentation, tmp_path / "mask.nii.gz"))
    with pytest.raises(OutputError, match="exists"):
        write_regions(segmentation, tmp_path / "mask.nii.gz")


def mask_of(segmentation: Segmentation, folder: Path) -> Path:
    mask = write_segmentation(segmentation, folder / "Pat_smalltumor.nii.gz")
    hide(mask)
    return mask


def test_the_mask_of_a_case_is_found(segmentation, tmp_path):
    mask = mask_of(segmentation, tmp_path / "Pat")
    assert mask_beside(read_case(tmp_path / "Pat")).paths == (mask,)
    hide(mask)
    assert read_mask(mask, read_case(tmp_path / "Pat")).paths == (mask,)


def test_masks_are_found_for_an_evaluation(segmentation, tmp_path):
    (tmp_path / "masks").mkdir()
    mask = write_segmentation(segmentation, tmp_path / "masks" / "Pat.nii.gz")
    hide(mask)
    assert [case.name for case in evaluate(mask.parent, mask.parent).cases] == ["Pat"]


@pytest.mark.parametrize("find", [find_cases, lambda folder: [find_case_files(folder)]])
def test_the_images_of_a_prepared_case_are_found(tmp_path, find):
    folder = write_case(tmp_path / "Pat", name="Pat")
    hide(*folder.iterdir())
    (found,) = find(folder)
    assert sorted(found.modalities) == MODALITIES and found.name == "Pat"


def test_a_case_is_found_by_the_name_of_an_image(tmp_path):
    image = write_case(tmp_path / "Pat", name="Pat") / "Pat_t1ce.nii.gz"
    hide(*image.parent.iterdir())
    assert sorted(find_case_files(image).modalities) == MODALITIES
