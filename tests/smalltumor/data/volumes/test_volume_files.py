"""Volumes of MetaImage, NRRD and FreeSurfer, and files that are refused."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor import extras
from smalltumor.data.masks.label_files import on_grid, read_labels
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.read_case import read_case
from smalltumor.data.volumes.header_checks import has_orientation, header_warnings
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.data.volumes.volume_files import read_volume, volume_spacing
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.extras import MissingPackageError
from smalltumor.geometry.grid import Grid
from synthetic import LPS, SHAPE, grid_along, write_case

GRID = grid_along("PIL", (5, 6, 7), (0.9, 1.0, 5.5), degrees=9.0)
DATA = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
ITK = [".mha", ".nrrd", ".NRRD"]
FREESURFER = [".mgz", ".mgh"]


def write(path: Path, data: np.ndarray, grid: Grid) -> Path:
    """Write with the library of the format, independent of the code under test."""
    if path.suffix in FREESURFER:
        nib.save(nib.MGHImage(data, grid.affine), path)
        return path
    sitk = pytest.importorskip("SimpleITK", reason="the extra raw is not installed")
    image = sitk.GetImageFromArray(data.transpose(2, 1, 0))
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.affine
    image.SetOrigin(lps[:3, 3])
    image.SetSpacing(grid.spacing)
    image.SetDirection((lps[:3, :3] / grid.spacing).ravel())
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


@pytest.mark.parametrize("suffix", ITK + FREESURFER)
def test_voxels_are_where_the_file_puts_them(tmp_path, suffix):
    volume = read_volume(write(tmp_path / f"a_t1{suffix}", DATA, GRID))
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.grid.matches(GRID)
    assert has_orientation(volume.header)
    assert nib.affines.voxel_sizes(volume.header.get_sform()) == pytest.approx(GRID.spacing)
    np.testing.assert_allclose(volume.header.get_best_affine(), GRID.affine, atol=1e-4)


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".mgz"])
def test_a_case_of_other_formats_is_the_case_in_nifti(tmp_path, suffix):
    case = read_case(write_case(tmp_path / "nifti"))
    (tmp_path / "other").mkdir()
    for modality, data in case.volumes.items():
        write(tmp_path / "other" / f"case_{modality}{suffix}", np.asarray(data), case.grid)
    other = read_case(tmp_path / "other")
    assert other.name == "case"
    assert other.warnings == []
    for modality, data in case.volumes.items():
        np.testing.assert_array_equal(other.volumes[modality], data)


def test_a_segmentation_of_slicer_is_placed_in_its_extent(tmp_path):
    write_case(tmp_path)
    labels = np.zeros(SHAPE, np.uint8)
    labels[5:9, 6:8, 7:12] = 4
    labels[9:12, 6:8, 7:12] = 2
    affine = LPS.copy()
    affine[:3, 3] = LPS[:3, :3] @ [5, 6, 7]
    part = labels[5:12, 6:8, 7:12]
    write(tmp_path / "case.seg.nrrd", part, Grid(part.shape, affine))
    classes, _ = read_labels(read_case(tmp_path))
    np.testing.assert_array_equal(classes == 3, labels == 4)
    np.testing.assert_array_equal(classes == 2, labels == 2)


def write_unplaced(path: Path) -> Path:
    """Write a file that does not tell where left and right are."""
    if path.suffix == ".nrrd":
        pytest.importorskip("SimpleITK", reason="the extra raw is not installed")
        header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 5 6 7\nencoding: raw\n\n"
        path.write_bytes(header.encode() + DATA.astype(np.uint8).tobytes("F"))
        return path
    content = bytearray(nib.MGHImage(DATA.astype(np.uint8), GRID.affine).to_bytes())
    content[28:30] = bytes(2)  # goodRASFlag, which nibabel cannot write as 0
    path.write_bytes(gzip.compress(content) if path.suffix == ".mgz" else content)
    return path


UNPLACED = pytest.mark.parametrize("suffix", [".nrrd", ".mgz", ".mgh"])


@UNPLACED
def test_a_file_without_a_space_gets_a_warning_with_the_axes_that_are_used(tmp_path, suffix):
    volume = read_volume(write_unplaced(tmp_path / f"a{suffix}"))
    assert not has_orientation(volume.header)
    np.testing.assert_array_equal(volume.data, DATA.astype(np.uint8))
    (warning,) = header_warnings([volume])
    assert warning.endswith(f"assumed to be {volume.grid.axcodes}")


@UNPLACED
def test_a_mask_of_a_file_without_a_space_lies_on_its_image(tmp_path, suffix):
    image = read_volume(write_unplaced(tmp_path / f"a{suffix}"))
    write_volume(tmp_path / "mask.nii.gz", image.data, image.grid, image.header)
    mask = read_volume(tmp_path / "mask.nii.gz")
    assert mask.grid.matches(image.grid)
    assert header_warnings([mask]) == []
    aligned = 2  # with another image; 1 would be with the scanner, which nobody knows
    assert (mask.header["sform_code"], mask.header["qform_code"]) == (aligned, aligned)
    np.testing.assert_array_equal(on_grid(mask, image.grid, "mask").data, image.data)


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".mgz"])
def test_a_damaged_file_is_refused_by_name(tmp_path, suffix):
    whole = write(tmp_path / f"a{suffix}", DATA, GRID).read_bytes()
    for content in (b"", b"no image", whole[: len(whole) // 2]):
        path = tmp_path / f"b{suffix}"
        path.write_bytes(content)
        with pytest.raises(CaseError, match=rf"b{suffix} "):
            read_volume(path)


@pytest.mark.parametrize("format_of", [nib.MGHImage, nib.Nifti1Image, nib.Nifti2Image])
def test_a_header_with_any_number_is_read_or_refused(tmp_path, format_of):
    image = format_of(DATA.astype(np.int16), GRID.affine)
    whole, path = image.to_bytes(), tmp_path / f"a{format_of.files_types[0][1]}"
    for start, kind in numbers_of(image.header):
        for value in (-np.inf, np.inf, np.nan) if kind.kind == "f" else (0, 7, np.iinfo(kind).max):
            content = bytearray(whole)
            content[start : start + kind.itemsize] = np.array(value, kind).tobytes()
            path.write_bytes(content)
            for read in (read_volume, volume_spacing):
                with suppress(CaseError):
                    read(path)


def numbers_of(header) -> Iterator[tuple[int, np.dtype]]:
    """Where the numbers of a header are, as far as files hold them before their voxels."""
    fields = header.structarr.dtype.fields
    for kind, start in ((kind, start) for kind, start, *_ in fields.values()):
        if kind.base.kind in "fiu" and kind.base.names is None:
            for number in range(kind.itemsize // kind.base.itemsize):
                yield start + number * kind.base.itemsize, kind.base


def test_a_header_that_promises_too_much_is_not_read(tmp_path):
    pytest.importorskip("SimpleITK", reason="the extra raw is not installed")
    header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 5000 5000 5000\nencoding: gzip\n\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode() + b"0000")
    with pytest.raises(CaseError, match="over the limit of 4 GB"):
        read_volume(tmp_path / "a.nrrd")


def test_without_simpleitk_the_file_is_refused_with_how_to_go_on(tmp_path, monkeypatch):
    def absent(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr(extras, "import_module", absent)
    (tmp_path / "a.mha").touch()
    with pytest.raises(MissingPackageError, match=r"reading a\.mha needs .* SimpleITK") as error:
        read_volume(tmp_path / "a.mha")
    assert error.value.remedy == Remedy(Action.INSTALL_RAW)


REFUSED = {
    "scan.dcm": "is a DICOM file",
    "IM0001": "is a DICOM file",
    "study.zip": "is an archive; unpack it",
    "t1.hdr": "is one of two files of an Analyze image; convert",
    "t1.mhd": "has its voxels in another file; save",
    "slice.png": "is a picture",
    "t1.npy": "is an array",
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_files_are_refused_with_how_to_go_on(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0" * 128 + b"DICM" if name == "IM0001" else b"\0")
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(CaseError, match=REFUSED[name]) as error:
            read_case(path)
        is_dicom = "DICOM" in REFUSED[name]
        assert error.value.remedy == (Remedy(Action.CONVERT) if is_dicom else None)
        assert name in str(error.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "is a folder; name a file in it"),
        ("absent.txt", "does not exist"),
        ("letter.txt", r"its name ends in none of \.nii, \.nii\.gz, \.mha"),
    ],
)
def test_what_is_no_volume_is_said(tmp_path, name, sentence):
    (tmp_path / "letter.txt").write_text("text")
    with pytest.raises(CaseError, match=sentence):
        read_volume(tmp_path / name)


def test_a_folder_of_other_things_is_no_case(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CaseError, match="holds no case: no files named like"):
        find_case_files(tmp_path)
