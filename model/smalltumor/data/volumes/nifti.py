"""Reading and writing NIfTI volumes; `smalltumor.data.volumes.nifti_header` parses the headers.

Files are parsed by hand rather than loaded by nibabel: sizes in a damaged or malicious header
must not decide how much memory is used, gzip checksums are verified, and reading is faster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.comments import add_comment, comments_of
from smalltumor.data.volumes.header_checks import has_orientation
from smalltumor.data.volumes.nifti_header import (
    HEADER_BYTES,
    grid_of,
    parse_header,
    spatial_shape,
    voxel_offset,
)
from smalltumor.data.volumes.nifti_header import MAX_BYTES as MAX_BYTES
from smalltumor.data.volumes.nifti_header import millimetres_per_unit as millimetres_per_unit
from smalltumor.data.volumes.nifti_header import read_header as read_header
from smalltumor.data.volumes.nifti_header import read_spacing as read_spacing
from smalltumor.data.volumes.unpacking import unpack, unpack_whole
from smalltumor.data.volumes.voxel_checks import (
    check_finite,
    check_numbers,
    check_size,
    check_unchanged,
)
from smalltumor.errors import CaseError, OutputError
from smalltumor.files.atomic import write_bytes
from smalltumor.files.content import FileContent
from smalltumor.files.gzip_codec import pack
from smalltumor.geometry.grid import Grid
from smalltumor.labels.segments import Segment

if TYPE_CHECKING:
    import nibabel as nib

SUFFIXES = (".nii", ".nii.gz")
"""Endings of the names of files that are read and written."""

OTHER_SUFFIXES = (".mha", ".nrrd", ".mgz", ".mgh")
"""Endings of further files that `smalltumor.data.volumes.volume_files` reads."""

COMPRESSION_LEVEL = 1
"""Level of gzip for written masks."""

_COMMENT_BYTES = 2**20
"""Comments are looked for in the first bytes of a file, be the voxels far behind them."""

_LABEL_INTENT = 1002
"""NIfTI's code of volumes whose values are labels; their intent name tells the label scheme."""

_TEXTS = ("descrip", "aux_file", "db_name", "data_type", "unused_str")
"""Fields in which converters write names and numbers of patients; the last three are of one version
of the format."""

_SCANNER, _ALIGNED = 1, 2
"""NIfTI's codes of the scanner's coordinates and of those of another image."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume in memory, as it was read from a file.

    Parameters
    ----------
    data : (i, j, k) or (i, j, k, t) array
        Stored values, or float32 if the header has an intensity scale. Read-only.
    grid : Grid
        In mm, whatever the unit of the file.
    header : nibabel.Nifti1Header or Nifti2Header
    path : Path
    stamp : tuple of int, optional
        `smalltumor.files.file_stamp.stamp_of` the file before it was read.
    content : FileContent, optional
        The bytes that were read, if they were asked for.
    comments : tuple of str
        Comments in the header of a NIfTI file.
    segments : tuple of Segment
        Segments that the header of an NRRD file names.
    """

    data: npt.NDArray[np.generic]
    grid: Grid
    header: nib.Nifti1Header
    path: Path
    stamp: tuple[int, ...] | None = None
    content: FileContent | None = None
    comments: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def label_scheme(self) -> str:
        """As `label_scheme_of` its header; empty of an image of no file, which has none."""
        return "" if self.header is None else label_scheme_of(self.header)


def label_scheme_of(header: nib.Nifti1Header) -> str:
    """Name of the label scheme that `write_volume` has put into a header; else empty."""
    if int(header["intent_code"]) != _LABEL_INTENT:
        return ""
    return bytes(header["intent_name"]).rstrip(b"\0").decode("ascii", "replace")


def is_nifti_name(path: Path) -> bool:
    """Whether the name ends in .nii or .nii.gz, in lower or upper case."""
    return path.name.lower().endswith(SUFFIXES)


def is_image_name(path: Path) -> bool:
    """Whether the name is that of a volume that is read, NIfTI or another format."""
    return path.name.lower().endswith((*SUFFIXES, *OTHER_SUFFIXES))


def stem(path: Path) -> str:
    """Name of the file without the ending of a volume, such as .nii.gz."""
    name = path.name
    for suffix in (*reversed(SUFFIXES), *OTHER_SUFFIXES):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def read_nifti(path: Path, *, allow_nonfinite: bool = False, with_content: bool = False) -> Volume:
    """Read a 3D or 4D NIfTI file.

    Parameters
    ----------
    path : Path
    allow_nonfinite : bool
        Return voxels that are NaN or infinite instead of raising an error.
    with_content : bool
        Tell which bytes were read.

    Raises
    ------
    CaseError
        If the file is missing, damaged, truncated, or larger than `MAX_BYTES`; if its voxels are
        not plain numbers, NaN or infinite; if it is neither 3D nor 4D; if memory runs out; or if
        it is replaced meanwhile.
    """
    start = bytes(unpack(path, HEADER_BYTES))
    header = parse_header(start, path)
    shape = spatial_shape(header, path)
    dtype = header.get_data_dtype()
    check_numbers(dtype, path)
    offset = voxel_offset(header, path)
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    check_size(offset + size, path)
    grid = grid_of(header, shape, path)
    try:
        unpacked, content = unpack_whole(path, offset + size, with_content=with_content)
        _check_length(len(unpacked), offset + size, path)
        common = min(len(start), len(unpacked))
        check_unchanged(start[:common], bytes(unpacked[:common]), path)
        data = np.frombuffer(unpacked, dtype, size // dtype.itemsize, offset)
        data = _scaled(data.reshape(shape, order="F"), header, path)
        if not allow_nonfinite:
            check_finite(data, path)
        comments = comments_of(bytes(unpacked[: min(offset, _COMMENT_BYTES)]), header)
        return Volume(data, grid, header, path, content=content, comments=comments)
    except MemoryError:
        raise CaseError(
            f"{path}: {size / 2**30:.1f} GB unpacked do not fit into memory; close other programs"
        ) from None


def read_comments(path: Path) -> tuple[str, ...]:
    """Read the comments in the header of a NIfTI file, without its voxels.

    Raises
    ------
    CaseError
        If the file is missing, or the start of it is damaged.
    """
    header = parse_header(bytes(unpack(path, HEADER_BYTES)), path)
    start = unpack(path, min(voxel_offset(header, path), _COMMENT_BYTES))
    return comments_of(bytes(start), header)


def _check_length(length: int, expected: int, path: Path) -> None:
    if length < expected:
        raise CaseError(f"{path} is truncated: {length} of {expected} bytes; copy it again")


def write_volume(
    path: Path,
    data: npt.NDArray[np.generic],
    grid: Grid,
    header: nib.Nifti1Header | None = None,
    *,
    label_scheme: str = "",
    comments: Iterable[str] = (),
    overwrite: bool = False,
) -> None:
    """Write a volume with the header of its source, whole or not at all.

    Parameters
    ----------
    path : Path
        Ending in .nii or .nii.gz.
    data : (i, j, k) or (i, j, k, t) array
    grid : Grid
        Its affine is written if there is no header, or if the header would be read as another
        grid, as that of an NRRD file without a space, whose mask is aligned with the image and not
        with the scanner.
    header : nibabel header, optional
        Header of the source. Written except for data type, intensity scale, display range, intent,
        and texts and extensions, which may hold patient data; sform, qform and their codes are kept
        if they give the grid, and the unit.
    label_scheme : str
        Name of the scheme of a label volume, for the header.
    comments : iterable of str
        For the header, too; empty ones are left out.
    overwrite : bool

    Raises
    ------
    OutputError
        If the name has another ending, or the file cannot be written.
    """
    if not is_nifti_name(path):
        raise OutputError(f"{path}: the name of a mask ends in .nii.gz or .nii")
    image = _image(data, grid, header)
    if label_scheme:
        image.header.set_intent(_LABEL_INTENT, name=label_scheme)
    for comment in filter(None, comments):
        add_comment(image.header, comment)
    content = image.to_bytes()
    if path.name.lower().endswith(".gz"):
        content = pack(content, COMPRESSION_LEVEL)
    write_bytes(path, content, overwrite=overwrite)


def _image(
    data: npt.NDArray[np.generic], grid: Grid, header: nib.Nifti1Header | None
) -> nib.Nifti1Image:
    import nibabel as nib

    if header is None:
        image = nib.Nifti1Image(data, grid.affine)
        image.header.set_xyzt_units("mm")
        image.set_sform(grid.affine, code=_SCANNER)
        image.set_qform(grid.affine, code=_SCANNER)
        return image
    own = header.copy()
    own.extensions.clear()
    own.set_data_dtype(data.dtype)
    if own.get_data_shape() != data.shape:
        own.set_data_shape(data.shape)
    own.set_slope_inter(None, None)
    own["cal_min"] = own["cal_max"] = 0
    for field in _TEXTS:
        if field in own.keys():  # noqa: SIM118 - a header is no mapping
            own[field] = b""
    own.set_intent("none")
    _place(own, grid)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    return kind(data, None, own.as_byteswapped("<"))


def _place(header: nib.Nifti1Header, grid: Grid) -> None:
    """Write the grid into a header that would be read as another one."""
    unit = np.diag([*[millimetres_per_unit(header)] * 3, 1.0])
    if Grid(grid.shape, unit @ header.get_best_affine()).matches(grid):
        return
    affine = np.linalg.inv(unit) @ grid.affine
    code = _SCANNER if has_orientation(header) else _ALIGNED
    header.set_sform(affine, code=code)
    header.set_qform(affine, code=code, strip_shears=True)


def _scaled(
    data: npt.NDArray[np.generic], header: nib.Nifti1Header, path: Path
) -> npt.NDArray[np.generic]:
    from nibabel.spatialimages import HeaderDataError

    try:
        slope, inter = header.get_slope_inter()
    except HeaderDataError as error:
        raise CaseError(f"{path}: the intensity scale in the header is invalid") from error
    if slope is not None and (slope, inter) != (1, 0):
        with np.errstate(over="ignore"):  # infinite values are refused by the caller
            data = (data.astype(np.float64) * slope + (inter or 0)).astype(np.float32)
    elif not data.dtype.isnative:
        data = data.astype(data.dtype.newbyteorder("="))
    return data
