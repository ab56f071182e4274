"""Malformed images, written by named functions that each damage a valid one.

A maker takes the path of a case's valid T1CE file and replaces the file. Files of `REFUSED` must
be refused; files of `READ` are unusual but valid.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

Maker = Callable[[Path], object]

REFUSED: dict[str, Maker] = {}
READ: dict[str, Maker] = {}

GZIP_FLAGS = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"


def refused(maker: Maker) -> Maker:
    """Register a maker of files that must be refused."""
    REFUSED[maker.__name__] = maker
    return maker


def read(maker: Maker) -> Maker:
    """Register a maker of files that must be read."""
    READ[maker.__name__] = maker
    return maker


def plain(path: Path) -> bytearray:
    """The valid file, unpacked."""
    return bytearray(gzip.decompress(path.read_bytes()))


def pack(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(bytes(content), 1))


def patch(offset: int, layout: str, *values: object) -> Maker:
    """A maker that overwrites bytes of the unpacked file."""

    def make(path: Path) -> None:
        content = plain(path)
        struct.pack_into(layout, content, offset, *values)
        pack(path, content)

    return make


def voxels(change: Callable[[np.ndarray], np.ndarray]) -> Maker:
    """A maker that saves changed voxels with the same affine."""

    def make(path: Path) -> None:
        image = nib.load(path)
        header = image.header.copy()
        data = change(np.asanyarray(image.dataobj).copy())
        header.set_data_dtype(data.dtype)
        nib.save(nib.Nifti1Image(data, image.affine, header, dtype=data.dtype), path)

    return make


def register(target: dict[str, Maker], makers: dict[str, Maker]) -> None:
    """Register several makers of one kind."""
    target.update(makers)


NAN, INF = float("nan"), float("inf")
DIM, PIXDIM, SCALE, UNITS, CODES = 40, 76, 112, 123, 252
DATATYPE, VOX_OFFSET, MAGIC, QUATERNION, SFORM = 70, 108, 344, 256, 280

# Affine --------------------------------------------------------------------------------------

register(
    REFUSED,
    {
        "nan_in_sform": patch(SFORM, "<f", NAN),
        "infinity_in_sform": patch(SFORM + 12, "<f", INF),
        "zero_sform": patch(SFORM, "<12f", *([0.0] * 12)),
        "singular_sform": patch(SFORM, "<12f", 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0),
        "sform_of_voxels_of_1_km": patch(SFORM, "<12f", 1e6, 0, 0, 0, 0, 1e6, 0, 0, 0, 0, 1e6, 0),
        "sform_of_1e38": patch(SFORM, "<f", 1e38),
        "nan_in_quaternion": lambda path: patch_qform(path, QUATERNION, "<f", NAN),
        "quaternion_longer_than_1": lambda path: patch_qform(path, QUATERNION, "<3f", 2, 2, 2),
        "nan_voxel_size": lambda path: patch_qform(path, PIXDIM + 4, "<f", NAN),
        "infinite_voxel_size": lambda path: patch_qform(path, PIXDIM + 4, "<f", INF),
        "zero_voxel_size": lambda path: patch_qform(path, PIXDIM + 4, "<3f", 0, 0, 0),
        "undefined_form_codes": patch(CODES, "<2h", 99, 99),
        "other_position_than_its_siblings": patch(SFORM + 12, "<f", 3.0),
        "mirrored_relative_to_its_siblings": patch(SFORM, "<f", 1.0),
        "millimetres_declared_as_metres": patch(UNITS, "<B", 1),
        "millimetres_declared_as_micrometres": patch(UNITS, "<B", 3),
    },
)


def patch_qform(path: Path, offset: int, layout: str, *values: object) -> None:
    content = plain(path)
    struct.pack_into("<2h", content, CODES, 1, 0)
    struct.pack_into(layout, content, offset, *values)
    pack(path, content)


register(
    READ,
    {
        "undefined_unit": patch(UNITS, "<B", 7),
        "no_unit": patch(UNITS, "<B", 0),
        "sform_only": patch(CODES, "<2h", 0, 1),
        "qform_only": patch(CODES, "<2h", 1, 0),
        "invalid_intent_and_slice_codes": patch(120, "<3b", -1, -1, -1),
        "unterminated_description": patch(148, "80s", b"\xff" * 80),
        "nan_display_range": patch(124, "<2f", NAN, NAN),
    },
)

# Intensity scale -----------------------------------------------------------------------------

register(
    REFUSED,
    {
        "overflowing_slope": patch(SCALE, "<2f", 3e38, 0),
        "nan_intercept": patch(SCALE, "<2f", 1, NAN),
        "infinite_intercept": patch(SCALE, "<2f", 1, INF),
    },
)
register(
    READ,
    {
        "nan_slope": patch(SCALE, "<2f", NAN, 0),
        "infinite_slope": patch(SCALE, "<2f", INF, 0),
        "zero_slope": patch(SCALE, "<2f", 0, 0),
        "fractional_slope": patch(SCALE, "<2f", 1e-3, 0),
        "slope_of_1e-30": patch(SCALE, "<2f", 1e-30, 0),
    },
)

# Shape and offset ----------------------------------------------------------------------------

register(
    REFUSED,
    {
        "zero_axes": patch(DIM, "<h", 0),
        "one_axis": patch(DIM, "<h", 1),
        "two_axes": patch(DIM, "<h", 2),
        "eight_axes": patch(DIM, "<h", 8),
        "negative_number_of_axes": patch(DIM, "<h", -1),
        "axis_of_length_zero": patch(DIM + 2, "<h", 0),
        "axis_of_negative_length": patch(DIM + 2, "<h", -20),
        "axes_of_32767": patch(DIM + 2, "<3h", 32767, 32767, 32767),
        "more_voxels_than_in_the_file": patch(DIM + 2, "<h", 400),
        "fewer_voxels_than_its_siblings": patch(DIM + 2, "<h", 10),
        "five_axes": voxels(lambda data: np.stack([np.stack([data, data], -1)] * 2, -1)),
        "two_volumes": voxels(lambda data: np.stack([data, data], axis=-1)),
        "nan_offset": patch(VOX_OFFSET, "<f", NAN),
        "infinite_offset": patch(VOX_OFFSET, "<f", INF),
        "negative_offset": patch(VOX_OFFSET, "<f", -352),
        "offset_after_the_end": patch(VOX_OFFSET, "<f", 1e6),
        "offset_of_1e30": patch(VOX_OFFSET, "<f", 1e30),
    },
)


def nifti2(path: Path, order: str = "<", **fields: object) -> None:
    image = nib.load(path)
    header = nib.Nifti2Header.from_header(image.header).as_byteswapped(order)
    data = np.asanyarray(image.dataobj).copy()
    content = bytearray(nib.Nifti2Image(data, image.affine, header).to_bytes())
    for name, value in fields.items():
        dtype, offset = nib.Nifti2Header.template_dtype.fields[name][:2]
        stored = np.array(value, dtype.base.newbyteorder(order)).tobytes()
        content[offset : offset + len(stored)] = stored
    pack(path, content)


@refused
def nifti2_axes_of_2_to_the_31(path: Path) -> None:
    nifti2(path, dim=[3, 2**31, 2**31, 2**31])


@refused
def nifti2_axis_of_2_to_the_62(path: Path) -> None:
    nifti2(path, dim=[3, 2**62, 4, 4])


@refused
def nifti2_axes_with_overflowing_product(path: Path) -> None:
    nifti2(path, dim=[3, 2**32, 2**32, 1])


@refused
def nifti2_offset_of_2_to_the_62(path: Path) -> None:
    nifti2(path, vox_offset=2**62)


@read
def nifti2_little_endian(path: Path) -> None:
    nifti2(path)


@read
def nifti2_big_endian(path: Path) -> None:
    nifti2(path, ">")


@read
def big_endian(path: Path) -> None:
    image = nib.load(path)
    header = image.header.as_byteswapped(">")
    nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj).copy(), None, header), path)


@read
def fourth_axis_of_length_one(path: Path) -> None:
    voxels(lambda data: data[..., None])(path)


# Voxel values and types ----------------------------------------------------------------------


def rgb(data: np.ndarray) -> np.ndarray:
    return np.zeros(data.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])


def single_bright_voxel(data: np.ndarray) -> np.ndarray:
    """1e300 in one voxel."""
    bright = np.zeros(data.shape)
    bright[9, 9, 9] = 1e300
    return bright


def with_voxel(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(data: np.ndarray) -> np.ndarray:
        changed = data.astype(np.float32)
        changed[9, 9, 9] = value
        return changed

    return change


register(
    REFUSED,
    {
        "rgb_voxels": voxels(rgb),
        "complex_voxels": voxels(lambda data: data.astype(np.complex64)),
        "unknown_voxel_type": patch(DATATYPE, "<2h", 999, 16),
        "voxel_type_zero": patch(DATATYPE, "<2h", 0, 0),
        "one_bit_voxels": patch(DATATYPE, "<2h", 1, 1),
        "nan_voxel": voxels(with_voxel(NAN)),
        "infinite_voxel": voxels(with_voxel(INF)),
        "negative_infinite_voxel": voxels(with_voxel(-INF)),
        "float64_beyond_the_range_of_float32": voxels(lambda data: data.astype(np.float64) * 1e300),
        "float32_near_its_largest_value": voxels(lambda data: data.astype(np.float32) / 900 * 3e38),
        "denormal_voxels": voxels(lambda data: data.astype(np.float32) * 1e-42),
        "all_voxels_nan": voxels(lambda data: np.full(data.shape, NAN, np.float32)),
        "all_voxels_zero": voxels(np.zeros_like),
        "all_voxels_equal": voxels(lambda data: np.full_like(data, 7)),
        "constant_brain": voxels(lambda data: (data > 0).astype(np.int16) * 7),
        "all_voxels_equal_and_negative": voxels(lambda data: np.full_like(data, -7)),
    },
)
register(
    READ,
    {
        "float64_voxels": voxels(lambda data: data.astype(np.float64)),
        "signed_bytes": voxels(lambda data: (data % 100).astype(np.int8)),
        "unsigned_64_bit_voxels": voxels(lambda data: data.astype(np.uint64) << 50),
        "negative_image": voxels(lambda data: (data - 1000).astype(np.int16)),
        "one_bright_voxel": voxels(with_voxel(1e9)),
        "one_voxel_beyond_the_range_of_float32": voxels(
            lambda data: with_voxel(0)(data).astype(np.float64) + single_bright_voxel(data)
        ),
    },
)

# File structure and compression --------------------------------------------------------------


@refused
def empty_file(path: Path) -> None:
    path.write_bytes(b"")


@refused
def text_file(path: Path) -> None:
    path.write_text("This is a letter, not an image.\n" * 40)


@refused
def header_only(path: Path) -> None:
    pack(path, plain(path)[:352])


@refused
def truncated_header(path: Path) -> None:
    pack(path, plain(path)[:200])


@refused
def truncated_last_voxel(path: Path) -> None:
    pack(path, plain(path)[:-2])


@refused
def gzip_without_trailer(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


@refused
def truncated_gzip(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@refused
def gzip_with_wrong_checksum(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)


@refused
def gzip_with_wrong_length(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-4] ^= 1
    path.write_bytes(content)


@refused
def gzip_within_gzip(path: Path) -> None:
    pack(path, path.read_bytes())


@refused
def gzip_with_reserved_flags(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[3] = 0xFF
    path.write_bytes(content)


@refused
def invalid_magic(path: Path) -> None:
    patch(MAGIC, "4s", b"abcd")(path)


@refused
def magic_of_a_header_image_pair(path: Path) -> None:
    patch(MAGIC, "4s", b"ni1\0")(path)


@refused
def invalid_header_size(path: Path) -> None:
    patch(0, "<i", 12345)(path)


@refused
def analyze_header_named_nifti(path: Path) -> None:
    data = np.asanyarray(nib.load(path).dataobj).copy()
    nib.save(nib.Spm99AnalyzeImage(data, None), path.with_name("pair.img"))
    pack(path, path.with_name("pair.hdr").read_bytes())


@refused
def analyze_pair(path: Path) -> None:
    data = np.asanyarray(nib.load(path).dataobj).copy()
    stem = path.name.removesuffix(".nii.gz")
    path.unlink()
    nib.save(nib.Spm99AnalyzeImage(data, None), path.with_name(f"{stem}.img"))


@refused
def gzip_bomb_of_four_gigabytes(path: Path) -> None:
    path.write_bytes(bomb(bytes(plain(path)), 4 * 2**30))


@refused
def gzip_bomb_behind_truncated_header(path: Path) -> None:
    path.write_bytes(bomb(bytes(plain(path)[:100]), 2**30))


@refused
def gzip_bomb_with_matching_header(path: Path) -> None:
    content = plain(path)
    struct.pack_into("<3h", content, DIM + 2, 2048, 2048, 2048)
    path.write_bytes(bomb(bytes(content), 2**34))


def bomb(start: bytes, size: int) -> bytes:
    """A gzip file of `start` and `size` zeros, built from repeated compressed pieces."""
    packer = zlib.compressobj(9, wbits=-15)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush() + bytes(8)
    return GZIP_FLAGS + first + piece * (size // 2**24) + end


@read
def uncompressed_file_named_gz(path: Path) -> None:
    path.write_bytes(plain(path))


@read
def gzip_of_many_members(path: Path) -> None:
    content = bytes(plain(path))
    parts = [content[n : n + 1000] for n in range(0, len(content), 1000)]
    path.write_bytes(b"".join(gzip.compress(part) for part in parts))


@read
def extra_bytes_after_the_voxels(path: Path) -> None:
    pack(path, plain(path) + b"garbage" * 100)


@read
def extension_with_patient_data(path: Path) -> None:
    image = nib.load(path)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Jane Doe" * 100))
    data = np.asanyarray(image.dataobj).copy()
    nib.save(nib.Nifti1Image(data, None, image.header), path)


# File system ---------------------------------------------------------------------------------


@refused
def symlink_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@refused
def circular_symlinks(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


@refused
def dangling_symlink(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("gone"))


@refused
def folder_with_the_files_name(path: Path) -> None:
    path.unlink()
    path.mkdir()


@refused
def endless_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@refused
def named_pipe_without_writer(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@read
def symlink_to_the_file(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))
