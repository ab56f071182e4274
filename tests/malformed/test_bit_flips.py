"""Flipped bits: every file is either read or refused in one line with its name."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalltumor.data.volumes.nifti import MAX_BYTES, read_nifti
from smalltumor.errors import CaseError

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
ONE_FOLDER = [HealthCheck.function_scoped_fixture]
KINDS = {"nifti1": nib.Nifti1Header, "nifti2": nib.Nifti2Header}


def valid_file(kind: str, order: str) -> bytes:
    data = np.zeros((6, 7, 8), np.int16)
    data[2:4, 3:5, 4:6] = 4
    header = KINDS[kind]()
    header.set_data_dtype(np.int16)
    header.set_sform(AFFINE, code=1)
    header.set_qform(AFFINE, code=1)
    image_class = nib.Nifti2Image if kind == "nifti2" else nib.Nifti1Image
    return image_class(data, None, header.as_byteswapped(order)).to_bytes()


def flipped(content: bytes, flips: list[int]) -> bytes:
    damaged = bytearray(content)
    for flip in flips:
        damaged[flip // 8 % len(damaged)] ^= 1 << flip % 8
    return bytes(damaged)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None, suppress_health_check=ONE_FOLDER)
@given(flips=st.lists(st.integers(0, 540 * 8 - 1), min_size=1, max_size=8))
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_flipped_bits_of_a_header_give_a_valid_volume_or_an_error(kind, order, flips, tmp_path):
    path = tmp_path / "flipped.nii"
    path.write_bytes(flipped(valid_file(kind, order), flips))
    try:
        volume = read_nifti(path)
    except CaseError as error:
        assert "flipped.nii" in str(error)
        assert "\n" not in str(error)
    else:
        assert volume.data.nbytes <= MAX_BYTES
        assert np.isfinite(volume.grid.affine).all()
        assert np.isfinite(volume.data).all()


@settings(max_examples=250, deadline=None, suppress_health_check=ONE_FOLDER)
@given(flips=st.lists(st.integers(0, 2**20), min_size=1, max_size=4), cut=st.integers(0, 2**12))
def test_flipped_bits_of_a_gzip_are_detected(flips, cut, tmp_path):
    whole = gzip.compress(valid_file("nifti1", "<"), mtime=0)
    path = tmp_path / "flipped.nii.gz"
    path.write_bytes(flipped(whole, flips)[: max(1, len(whole) - cut % len(whole))])
    try:
        volume = read_nifti(path)
    except CaseError as error:
        assert "flipped.nii.gz" in str(error)
    else:
        # Only the gzip header (name, time, system) is not covered by the checksum.
        assert np.count_nonzero(volume.data == 4) == 8


@settings(max_examples=100, deadline=None, suppress_health_check=ONE_FOLDER)
@given(flips=st.lists(st.integers(0, 348 * 8 - 1), min_size=1, max_size=4))
def test_the_command_line_prints_a_table_or_one_line(flips, tmp_path, smalltumor):
    path = tmp_path / "flipped.nii"
    path.write_bytes(flipped(valid_file("nifti1", "<"), flips))
    code, out, err = smalltumor("lesions", path, "--labels", "mask")
    if code == 0:
        assert "component" in out or "no lesions" in out
    else:
        assert code == 1
        assert len(err.splitlines()) == 1
        assert "flipped.nii" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["flipped.nii"]
