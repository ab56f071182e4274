"""NaN or infinite voxels in the brain refuse a case only to weights that see the image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.case import Case
from smalltumor.data.input_checks import FindingKind, check_input
from smalltumor.data.midsagittal_plane import midsagittal_plane
from smalltumor.data.preprocessing import Preprocessing, preprocess
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError, SecondLookError
from smalltumor.geometry.grid import Grid
from smalltumor.inference import segment
from smalltumor.models.checkpoint import checkpoint_of
from smalltumor.models.config import NetworkConfig
from smalltumor.models.network import SegmentationNetwork
from smalltumor.second_look import second_look
from synthetic import NARROWEST, write_case

TWO = Preprocessing(channels=("t1ce", "flair"))
VALUES = (np.nan, np.inf, -np.inf)


def with_voxel(path: Path, value: float) -> None:
    """Store a value in the middle of the brain, which the image encloses."""
    image = nib.load(path)
    data = np.asarray(image.dataobj).astype(np.float32)
    data[9, 9, 9] = value
    nib.save(nib.Nifti1Image(data, image.affine), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_case(tmp_path / "case")


@pytest.fixture(scope="module")
def head(sample_folder: Path) -> Case:
    """The sample with voxels of 2 mm."""
    case = read_case(sample_folder)
    volumes = {m: np.asfortranarray(v[::2, ::2, ::2]) for m, v in case.volumes.items()}
    return replace(
        case,
        volumes=volumes,
        grid=Grid(volumes["t1"].shape, case.grid.affine @ np.diag([2, 2, 2, 1])),
    )


def spoilt(case: Case, modality: str) -> Case:
    volume = case.volumes[modality].astype(np.float32)
    volume[tuple(n // 2 for n in volume.shape)] = np.nan
    return replace(case, volumes={**case.volumes, modality: volume})


def two_channels():
    network = SegmentationNetwork(NetworkConfig(**{**NARROWEST.to_dict(), "in_channels": 2}))
    return checkpoint_of(network, TWO, {"name": "two"})


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("modality", ["t1", "t2"])
def test_an_image_that_the_weights_do_not_see_is_a_warning(folder, modality, value):
    with_voxel(folder / f"case_{modality}.nii.gz", value)
    case = read_case(folder)
    (warning,) = case.warnings
    assert f"case_{modality}.nii.gz has NaN or infinite voxels in the brain" in warning
    result = segment(case, two_channels(), device="cpu", backend="torch")
    assert result.run.modalities == ("t1ce", "flair")


@pytest.mark.parametrize("value", VALUES)
def test_an_image_that_the_weights_see_is_refused_by_its_file(folder, value):
    with_voxel(folder / "case_flair.nii.gz", value)
    case = read_case(folder)
    with pytest.raises(CaseError, match=r"case_flair\.nii\.gz has NaN or infinite voxels"):
        preprocess(case, TWO)


def test_t1ce_is_refused_when_it_is_read(folder):
    with_voxel(folder / "case_t1ce.nii.gz", np.nan)
    with pytest.raises(CaseError, match=r"case_t1ce\.nii\.gz has NaN or infinite voxels; replace"):
        read_case(folder)


def test_a_channel_of_a_4d_file_is_a_warning_too(tmp_path, folder):
    case = read_case(folder)
    stacked = np.stack([case.volumes[m] for m in ("flair", "t1", "t1ce", "t2")], axis=-1)
    stacked = stacked.astype(np.float32)
    stacked[9, 9, 9, 1] = np.nan
    path = tmp_path / "four.nii.gz"
    nib.save(nib.Nifti1Image(stacked, case.grid.affine), path)
    read = read_case(path)
    assert any(
        "has NaN or infinite voxels in the brain; weights that use T1 " in w for w in read.warnings
    )
    assert read.finite == ("flair", "t1ce", "t2") and not read.has_changed_images


def test_checks_and_the_plane_leave_the_image_out(head):
    case = spoilt(head, "t2")
    assert case.finite == tuple(m for m in head.volumes if m != "t2")
    assert check_input(case, expected=TWO.channels) == []
    found, expected = midsagittal_plane(case), midsagittal_plane(head)
    np.testing.assert_allclose(found.normal, expected.normal, atol=0.02)


def test_without_a_finite_image_the_case_is_refused(head):
    case = replace(spoilt(head, "t1ce"), volumes={"t1ce": spoilt(head, "t1ce").volumes["t1ce"]})
    with pytest.raises(CaseError, match="t1ce has NaN or infinite voxels"):
        check_input(case)


def test_a_second_look_without_t1_is_not_possible(folder):
    with_voxel(folder / "case_t1.nii.gz", np.nan)
    case = read_case(folder)
    result = segment(case, two_channels(), device="cpu", backend="torch")
    with pytest.raises(SecondLookError):
        second_look(case, result)


def test_files_with_such_an_image_are_not_said_to_have_changed(folder):
    with_voxel(folder / "case_t2.nii.gz", np.nan)
    case = read_case(folder)
    (folder / "case_t2.nii.gz").touch()
    assert not case.has_changed_images


@pytest.mark.parametrize("seen", [True, False])
def test_one_image_in_two_roles_is_refused_only_if_the_weights_see_both(head, seen):
    case = replace(head, volumes={**head.volumes, "t2": head.volumes["t1"]})
    if seen:
        with pytest.raises(CaseError, match="T1 and T2 are the same image"):
            check_input(case)
    else:
        found = {str(f) for f in check_input(case, expected=TWO.channels)}
        assert "T1 and T2 are the same image" in found
        assert FindingKind.MISSING not in {f.kind for f in check_input(case, TWO.channels)}
