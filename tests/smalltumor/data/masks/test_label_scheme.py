"""What tells the label scheme of a file, and in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from smalltumor.data.masks.label_scheme import SchemeSource, find_scheme
from smalltumor.data.volumes.nifti import Volume, read_nifti, write_volume
from smalltumor.errors import LabelError
from smalltumor.geometry.grid import Grid
from smalltumor.labels.segments import Segment
from synthetic import LPS

_SEGMENTS = (Segment("ET", 1), Segment("NCR", 2), Segment("edema", 3))


def volume_of(path: Path, *values: int, header: str = "", segments=()) -> Volume:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels.flat[: len(values)] = values
    write_volume(path, labels, Grid(labels.shape, LPS), label_scheme=header)
    return replace(read_nifti(path), segments=tuple(segments))


@pytest.mark.parametrize(
    ("name", "header", "segments", "named", "hint", "scheme", "source"),
    [
        ("a", "msd", _SEGMENTS, "brats2023", "brats2024-ped", "brats2023", SchemeSource.NAMED),
        ("a", "msd", _SEGMENTS, None, "brats2024-ped", "msd", SchemeSource.HEADER),
        ("a", "", _SEGMENTS, None, "brats2023", "segment names", SchemeSource.SEGMENTS),
        ("a", "", (), None, "brats2023", "brats2023", SchemeSource.NEIGHBOURS),
    ],
)
def test_what_is_nearer_to_the_file_decides(
    tmp_path, name, header, segments, named, hint, scheme, source
):
    volume = volume_of(tmp_path / f"{name}.nii.gz", 1, 2, 3, header=header, segments=segments)
    found = find_scheme(volume, named, hint)
    assert (found.scheme.name, found.source) == (scheme, source)


def test_a_name_tells_a_mask_of_et_and_values_what_only_one_scheme_has(tmp_path):
    found = find_scheme(volume_of(tmp_path / "a_et.nii.gz", 1))
    assert (found.scheme.et, found.source) == (1, SchemeSource.FILE_NAME)
    found = find_scheme(volume_of(tmp_path / "a.nii.gz", 0))
    assert found.source is SchemeSource.VALUES
    with pytest.raises(LabelError, match="fit"):
        find_scheme(volume_of(tmp_path / "b.nii.gz", 1, 2, 3))


def test_a_header_is_contradicted_only_by_another_meaning(tmp_path):
    volume = volume_of(tmp_path / "a.nii.gz", 1, 2, 3, header="brats2023")
    assert find_scheme(volume, "brats2024").contradiction == ""
    text = "the header of a.nii.gz names brats2023, but it was read as msd"
    assert find_scheme(volume, "msd").contradiction == text
