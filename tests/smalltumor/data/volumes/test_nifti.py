"""Reading and writing NIfTI files, valid and damaged."""

from __future__ import annotations

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smalltumor.data.volumes import nifti
from smalltumor.data.volumes.header_checks import has_orientation, header_warnings
from smalltumor.data.volumes.nifti import read_nifti, read_spacing, stem, write_volume
from smalltumor.errors import CaseError, OutputError
from smalltumor.geometry.grid import Grid

AFFINE = np.array([[-1, 0, 0, 10], [0, -1.5, 0, 20], [0, 0, 2, -5], [0, 0, 0, 1.0]])


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(-50, 900, (5, 6, 7)).astype(np.int16)


def save(path, data, kind=nib.Nifti1Image, **header):
    image = kind(data, AFFINE)
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".NII.GZ"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i2", "u2", "i4", "<f4", ">f4", "f8"])
def test_voxels_and_affine_equal_nibabels(tmp_path, volume, suffix, kind, dtype):
    plain = tmp_path / ("x" + suffix.lower())
    save(plain, np.abs(volume % 100).astype(dtype), kind)
    path = plain.rename(tmp_path / ("y" + suffix))
    read = read_nifti(path)
    np.testing.assert_array_equal(read.data, np.abs(volume % 100))
    np.testing.assert_allclose(read.grid.affine, AFFINE)
    assert read.data.dtype.isnative


def test_the_sample_case_is_read_as_by_nibabel(sample_folder):
    path = sample_folder / "BraTS2021_00019_t1ce.nii.gz"
    image = nib.load(path)
    read = read_nifti(path)
    np.testing.assert_array_equal(read.data, np.asanyarray(image.dataobj))
    np.testing.assert_array_equal(read.grid.affine, image.affine)


def test_the_intensity_scale_in_the_header_is_applied(tmp_path, volume):
    image = nib.Nifti1Image(volume, AFFINE)
    image.header.set_slope_inter(0.5, 3)
    nib.save(image, tmp_path / "x.nii")
    scaled = nib.load(tmp_path / "x.nii")
    raw = scaled.dataobj.get_unscaled()
    np.testing.assert_allclose(read_nifti(tmp_path / "x.nii").data, raw * 0.5 + 3)


@pytest.mark.parametrize(("unit", "millimetres"), [("meter", 1000), ("micron", 0.001), ("mm", 1)])
def test_other_units_are_converted_to_millimetres(tmp_path, volume, unit, millimetres):
    image = nib.Nifti1Image(volume, AFFINE)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "x.nii")
    read = read_nifti(tmp_path / "x.nii")
    np.testing.assert_allclose(read.grid.affine[:3], AFFINE[:3] * millimetres)
    np.testing.assert_allclose(read_spacing(tmp_path / "x.nii"), read.grid.spacing)


def test_voxel_sizes_are_those_of_the_sform_as_those_of_the_voxels(tmp_path, volume):
    image = nib.Nifti1Image(volume, None)
    image.set_qform(np.diag([1, 1, 2, 1]), code=1)
    image.header.set_sform(AFFINE, code=1)
    nib.save(image, tmp_path / "x.nii")
    spacing = read_nifti(tmp_path / "x.nii").grid.spacing
    np.testing.assert_allclose(read_spacing(tmp_path / "x.nii"), spacing)


def test_a_header_without_orientation_is_recognised(tmp_path, volume):
    image = nib.Nifti1Image(volume, None)
    nib.save(image, tmp_path / "x.nii")
    assert not has_orientation(read_nifti(tmp_path / "x.nii").header)


def test_trailing_axes_of_one_are_dropped_and_five_axes_refused(tmp_path, volume):
    assert read_nifti(save(tmp_path / "a.nii", volume[..., None, None])).data.ndim == 3
    with pytest.raises(CaseError, match=r"b\.nii has the shape .*3D or 4D"):
        read_nifti(save(tmp_path / "b.nii", np.zeros((3, 3, 3, 2, 2), np.int16)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinite_voxels_are_refused(tmp_path, volume, value):
    data = volume.astype(np.float32)
    data[1, 2, 3] = value
    with pytest.raises(CaseError, match=r"x\.nii has NaN or infinite voxels"):
        read_nifti(save(tmp_path / "x.nii", data))


def test_rgb_and_complex_voxels_are_refused(tmp_path):
    rgb = np.zeros((3, 3, 3), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    for data in (rgb, np.zeros((3, 3, 3), np.complex64)):
        with pytest.raises(
            CaseError, match=r"holds colours \(RGB\)|complex numbers; save their magnitude"
        ):
            read_nifti(save(tmp_path / "x.nii", data))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (gzip.compress(b"", mtime=0), r"is empty \(0 bytes\)"),
        (b"This is a letter, not an image." * 40, "not a NIfTI file"),
        (gzip.compress(b"text in a gzip" * 40, mtime=0), "not a NIfTI file"),
        (b"\x1f\x8b\x08\x00 not really gzip", "damaged"),
    ],
)
def test_a_file_that_is_not_nifti_is_refused(tmp_path, content, complaint):
    path = tmp_path / "letter.nii.gz"
    path.write_bytes(content)
    with pytest.raises(CaseError, match=rf"letter\.nii\.gz.*{complaint}"):
        read_nifti(path)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(CaseError, match="does not exist"):
        read_nifti(tmp_path / "x.nii")
    with pytest.raises(CaseError, match="is not a file"):
        read_nifti(tmp_path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_truncated_file_is_refused(tmp_path, volume, suffix):
    content = save(tmp_path / f"whole{suffix}", volume).read_bytes()
    for length in range(41, len(content) - 1, 41):
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(content[:length])
        with pytest.raises(CaseError, match="cut"):
            read_nifti(path)


def test_a_flipped_bit_in_a_gzip_is_detected(tmp_path, volume):
    content = bytearray(save(tmp_path / "x.nii.gz", volume).read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / "x.nii.gz").write_bytes(content)
    with pytest.raises(CaseError, match=r"x\.nii\.gz"):
        read_nifti(tmp_path / "x.nii.gz")


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(tmp_path, volume):
    plain = save(tmp_path / "x.nii", volume).read_bytes()
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(plain + bytes(200_000_000), 9))
    with pytest.raises(CaseError, match=r"bomb\.nii\.gz unpacks to far more"):
        read_nifti(tmp_path / "bomb.nii.gz")


def test_a_header_of_terabytes_is_refused(tmp_path, volume):
    content = bytearray(save(tmp_path / "x.nii", volume).read_bytes())
    content[40:48] = struct.pack("<4h", 3, 32767, 32767, 32767)
    (tmp_path / "x.nii").write_bytes(content)
    with pytest.raises(CaseError, match=r"GB unpacked is over the limit"):
        read_nifti(tmp_path / "x.nii")


def test_an_analyze_pair_is_refused(tmp_path, volume):
    nib.save(nib.Nifti1Pair(volume, AFFINE), tmp_path / "x.img")
    with pytest.raises(CaseError, match="convert"):
        read_nifti((tmp_path / "x.hdr").rename(tmp_path / "x.nii"))


@given(data=st.data())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_headers_give_a_volume_or_a_case_error(tmp_path, data):
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), AFFINE)
    content = bytearray(image.to_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, 351))] = data.draw(st.integers(0, 255))
    path = tmp_path / "random.nii"
    path.write_bytes(content)
    try:
        volume = read_nifti(path)
    except CaseError as error:
        assert "random.nii" in str(error)
        assert "\n" not in str(error)
    else:
        assert volume.data.nbytes <= nifti.MAX_BYTES
        assert np.isfinite(volume.grid.affine).all()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_a_mask_keeps_the_sources_header_without_its_texts(tmp_path, volume, suffix, order, kind):
    image = kind(volume, AFFINE)
    image.set_sform(AFFINE, code=4)
    image.set_qform(np.diag([1.0, 2.0, 3.0, 1.0]), code=2)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_slope_inter(2, 1)
    texts = {"descrip", "aux_file", "db_name", "data_type", "unused_str"} & set(image.header)
    for field in texts:
        image.header[field] = b"Doe^Jane"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"patient name"))
    swapped = kind(volume, None, image.header.as_byteswapped(order))
    nib.save(swapped, tmp_path / "source.nii")
    source = read_nifti(tmp_path / "source.nii")
    mask = (volume > 400).astype(np.uint8) * 4
    write_volume(tmp_path / f"mask{suffix}", mask, source.grid, source.header)
    back, content = nib.load(tmp_path / f"mask{suffix}"), (tmp_path / f"mask{suffix}").read_bytes()
    np.testing.assert_array_equal(np.asanyarray(back.dataobj), mask)
    assert back.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(back.affine, nib.load(tmp_path / "source.nii").affine)
    for form in ("sform", "qform"):
        theirs, ours = (getattr(i.header, f"get_{form}")(coded=True) for i in (image, back))
        assert theirs[1] == ours[1]
        np.testing.assert_allclose(theirs[0], ours[0], atol=1e-6)
    assert back.header.get_xyzt_units() == ("mm", "sec")
    assert b"Doe" not in gzip.decompress(content) if suffix == ".nii.gz" else b"Doe" not in content
    assert not back.header.extensions
    unlike = {k for k in back.header if not np.array_equal(back.header[k], image.header[k])}
    assert unlike <= texts | {"datatype", "bitpix", "scl_slope", "scl_inter", "vox_offset", "magic"}


def test_a_header_of_another_grid_gets_the_grid_of_the_voxels_in_its_unit(tmp_path):
    header = nib.Nifti1Header()
    header.set_xyzt_units("micron")
    grid = Grid((3, 4, 5), AFFINE)
    write_volume(tmp_path / "m.nii", np.ones(grid.shape, np.uint8), grid, header)
    back = read_nifti(tmp_path / "m.nii")
    assert back.grid.matches(grid)
    assert back.header.get_xyzt_units()[0] == "micron"
    assert header_warnings([back]) == []


def test_without_a_source_header_the_grid_is_written(tmp_path):
    grid = Grid((3, 4, 5), AFFINE)
    write_volume(tmp_path / "m.nii.gz", np.ones(grid.shape, np.uint8), grid)
    back = nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_allclose(back.affine, AFFINE)
    assert back.header["sform_code"] == back.header["qform_code"] == 1


def test_the_same_mask_gives_the_same_bytes(tmp_path):
    grid = Grid((3, 4, 5), AFFINE)
    for name in ("a.nii.gz", "b.nii.gz"):
        write_volume(tmp_path / name, np.ones(grid.shape, np.uint8), grid)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_another_file_name_suffix_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"\.nii\.gz"):
        write_volume(tmp_path / "m.png", np.ones((3, 4, 5), np.uint8), Grid((3, 4, 5), AFFINE))


def test_the_stem_has_no_suffix(tmp_path):
    assert stem(tmp_path / "case.1.nii.gz") == "case.1"
    assert stem(tmp_path / "case.NII") == "case"
