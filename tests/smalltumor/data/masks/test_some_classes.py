"""Label files whose header names a scheme of some of the classes only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from smalltumor.data.masks.label_contents import mask_of_region
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.masks.label_scheme import find_scheme
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.evaluation.evaluate import evaluate
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import READ_SCHEMES, SCHEMES, with_classes

KNOWN = (TissueClass.ED, TissueClass.ET)
WHOLE = SCHEMES["brats2018"]
PARTIAL = with_classes(WHOLE, KNOWN)
SHAPE = (8, 8, 8)


def classes(*, with_ncr: bool) -> np.ndarray:
    found = np.zeros(SHAPE, np.uint8)
    found[2:6, 2:6, 2:6] = TissueClass.ED
    found[3:5, 3:5, 3:5] = TissueClass.ET
    if with_ncr:
        found[3, 3, 3] = TissueClass.NCR
    return found


def write(path: Path, stored: np.ndarray, scheme: str = PARTIAL.name) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, stored, Grid(SHAPE, np.eye(4)), label_scheme=scheme)
    return path


@pytest.mark.parametrize("hint", [None, "brats2023", "hd-glio"])
@pytest.mark.parametrize("with_ncr", [False, True])
def test_a_class_that_was_added_later_leaves_the_others_what_they_are(tmp_path, hint, with_ncr):
    expected = classes(with_ncr=with_ncr)
    volume = read_label_volume(write(tmp_path / "P_seg.nii.gz", WHOLE.encode(expected)))
    found = find_scheme(volume, hint=hint)
    assert np.array_equal(found.scheme.decode(volume.data), expected)
    assert found.scheme == (WHOLE if with_ncr else PARTIAL) and not found.overruled


def test_a_label_file_that_is_named_after_a_region_holds_that_region(tmp_path):
    expected = classes(with_ncr=False)
    volume = read_label_volume(write(tmp_path / "P_et.nii.gz", WHOLE.encode(expected)))
    assert np.array_equal(mask_of_region(volume, Region.ET), expected == TissueClass.ET)


def test_predictions_without_a_header_are_read_in_the_scheme_of_the_truth(tmp_path):
    write(tmp_path / "truth" / "P.nii.gz", WHOLE.encode(classes(with_ncr=False)))
    predicted = WHOLE.encode(classes(with_ncr=True))
    write(tmp_path / "predictions" / "P.nii.gz", predicted, scheme="")
    evaluation = evaluate(tmp_path / "predictions", tmp_path / "truth")
    assert list(evaluation.cases[0].regions) == [Region.ET]


def test_a_case_that_is_named_as_a_region_is_found_by_its_header(tmp_path):
    for side in ("predictions", "truth"):
        write(tmp_path / side / "M1_WT.nii.gz", PARTIAL.encode(classes(with_ncr=False)))
    evaluation = evaluate(tmp_path / "predictions", tmp_path / "truth")
    assert [case.name for case in evaluation.cases] == ["M1_WT"]


def test_no_scheme_that_files_are_read_in_has_the_name_of_one_for_some_classes():
    names = {with_classes(scheme, KNOWN).name for scheme in SCHEMES.values()}
    assert names.isdisjoint(READ_SCHEMES)
