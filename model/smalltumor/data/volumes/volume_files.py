"""Reading volumes of other formats than NIfTI: MetaImage, NRRD and FreeSurfer's MGZ."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes import nifti
from smalltumor.data.volumes.dicom_start import file_starts_as_dicom
from smalltumor.data.volumes.nifti import Volume, is_image_name, is_nifti_name
from smalltumor.data.volumes.slicer_segments import segments_of
from smalltumor.data.volumes.unpacking import check_is_file, unpack
from smalltumor.data.volumes.voxel_checks import (
    check_finite,
    check_numbers,
    check_size,
    check_unchanged,
)
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.extras import require
from smalltumor.files.content import FileContent, content_of_file
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import exists, is_folder, unreachable_as
from smalltumor.geometry.grid import LPS_TO_RAS, Affine, Grid
from smalltumor.labels.segments import Segment

if TYPE_CHECKING:
    import nibabel as nib

ARCHIVE_ENDINGS = (
    *(".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tar.zst"),
    *(".7z", ".rar"),
)
"""Endings of names of archives."""

_DICOM = "is a DICOM file"
_REFUSED = {
    (".dcm", ".ima", ".dicom"): _DICOM,
    ARCHIVE_ENDINGS: "is an archive; unpack it first",
    (".hdr", ".img"): "is one of two files of an Analyze image; convert them to one .nii.gz file",
    (".mhd", ".nhdr"): "has its voxels in another file; save the image as one .mha or .nrrd file",
    (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"): "is a picture, not a volume of a patient",
    (".npy", ".npz", ".mat", ".h5"): "is an array without a position in the patient",
}
_DAMAGED = "is damaged or of another format; copy it again"
_TOO_LARGE = "does not fit into memory; close other programs"
_ENDINGS = (*nifti.SUFFIXES, *nifti.OTHER_SUFFIXES)
_FREESURFER = (".mgz", ".mgh")
_FREESURFER_START = 4096
_GOOD_RAS = slice(28, 30)
"""Where FreeSurfer's header tells whether it gives an orientation (goodRASFlag)."""


def read_volume(path: Path, *, allow_nonfinite: bool = False, with_content: bool = False) -> Volume:
    """Read a 3D or 4D volume of any format that is read.

    Parameters
    ----------
    path : Path
        NIfTI, .mha or .nrrd (with SimpleITK of the extra ``raw``), .mgz or .mgh.
    allow_nonfinite, with_content : bool
        As for `smalltumor.data.volumes.nifti.read_nifti`.

    Returns
    -------
    Volume
        With a new NIfTI header, if the file is not NIfTI.

    Raises
    ------
    CaseError
        As `smalltumor.data.volumes.nifti.read_nifti`; of another format, saying what the file is.
    MissingPackageError
        If SimpleITK is needed and not installed.
    """
    if is_nifti_name(path):
        return nifti.read_nifti(path, allow_nonfinite=allow_nonfinite, with_content=with_content)
    if not is_image_name(path):
        raise not_a_volume_error(path) or _unreadable_path_error(path)
    check_is_file(path)
    before = _content_of(path) if with_content else None
    segments: tuple[Segment, ...] = ()
    if path.suffix.lower() in _FREESURFER:
        data, affine, placed = _read_freesurfer(path)
    else:
        data, affine, placed, segments = _read_itk(path)
    check_unchanged(before, _content_of(path) if with_content else None, path)
    check_numbers(data.dtype, path)
    if not allow_nonfinite:
        check_finite(data, path)
    data = _with_three_or_four_axes(data, path)
    try:
        grid = Grid((data.shape[0], data.shape[1], data.shape[2]), affine)
    except CaseError as error:
        raise error.prefixed(path) from error
    data = data.view()
    data.flags.writeable = False
    return Volume(data, grid, _header(data, grid, placed), path, content=before, segments=segments)


def _with_three_or_four_axes(data: npt.NDArray[np.generic], path: Path) -> npt.NDArray[np.generic]:
    """An array without trailing axes of length 1, (i, j, k) or (i, j, k, t)."""
    while data.ndim > 3 and data.shape[-1] == 1:
        data = data[..., 0]
    if data.ndim not in (3, 4):
        raise CaseError(f"{path} has the shape {data.shape}; a 3D or 4D volume is needed")
    return data


def _content_of(path: Path) -> FileContent:
    """The bytes of a file that another library reads, told before and after."""
    try:
        return content_of_file(path)
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror or error}") from error


def volume_shape(path: Path) -> tuple[int, ...]:
    """Read the shape of a volume of any format that is read; trailing axes of length 1 are dropped.

    Raises
    ------
    CaseError
        If the file is missing, damaged or of another format.
    MissingPackageError
        If SimpleITK is needed and not installed.
    """
    if is_nifti_name(path):
        shape = tuple(int(n) for n in nifti.read_header(path).get_data_shape())
    elif path.suffix.lower() in _FREESURFER:
        shape = tuple(int(n) for n in _open_freesurfer(path).shape)
    else:
        reader = _open_itk(path)
        channels = reader.GetNumberOfComponents()
        shape = (*reader.GetSize(), *([channels] if channels > 1 else []))
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def volume_spacing(path: Path) -> tuple[float, float, float]:
    """Read the voxel size along i, j and k, in mm, of a volume of any format that is read.

    Errors as for `volume_shape`.
    """
    if is_nifti_name(path):
        return nifti.read_spacing(path)
    if path.suffix.lower() in _FREESURFER:
        sizes = [float(size) for size in _open_freesurfer(path).header.get_zooms()]
    else:
        sizes = [float(size) for size in _open_itk(path).GetSpacing()]
    i, j, k, *_ = *sizes, 1.0, 1.0
    return i, j, k


def _unreadable_path_error(path: Path) -> CaseError:
    with unreachable_as(CaseError):
        if is_folder(path):
            return CaseError(f"{path} is a folder; name a file in it")
        if not exists(path):
            return CaseError(f"{path} does not exist")
    return CaseError(f"{path} is no volume: its name ends in none of {', '.join(_ENDINGS)}")


def not_a_volume_error(path: Path) -> CaseError | None:
    """The error for a file of a known kind that is not read as a volume; None if unknown."""
    name = path.name.lower()
    kind = next((kind for endings, kind in _REFUSED.items() if name.endswith(endings)), None)
    if kind is None and file_starts_as_dicom(path):
        kind = _DICOM
    if kind is None:
        return None
    return CaseError(f"{path} {kind}", Remedy(Action.CONVERT) if kind == _DICOM else None)


def _read_itk(path: Path) -> tuple[npt.NDArray[Any], Affine, bool, tuple[Segment, ...]]:
    """Voxels (i, j, k, ...), affine, whether the file gives an orientation, and its segments."""
    reader = _open_itk(path)
    dimensions, channels = reader.GetDimension(), reader.GetNumberOfComponents()
    if dimensions < 3:
        raise CaseError(f"{path} has the shape {reader.GetSize()}; a 3D or 4D volume is needed")
    sitk = require("SimpleITK", f"reading {path.name}")
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise CaseError(f"{path} {_DAMAGED}") from error
    except MemoryError:
        raise CaseError(f"{path} {_TOO_LARGE}") from None
    stored = sitk.GetArrayFromImage(image)  # (..., k, j, i), channels last
    axes = [*range(dimensions)][::-1] + ([dimensions] if channels > 1 else [])
    directions = np.reshape(image.GetDirection(), (dimensions, dimensions))[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    placed = path.suffix.lower() != ".nrrd" or reader.HasMetaDataKey("NRRD_space")
    segments = segments_of(reader.GetMetaDataKeys(), reader.GetMetaData)
    return stored.transpose(axes), LPS_TO_RAS @ affine, placed, segments


def _open_itk(path: Path) -> Any:
    """A reader that has read the header."""
    sitk = require("SimpleITK", f"reading {path.name}")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise CaseError(f"{path} {_DAMAGED}") from error
    check_size(_bytes_of([*reader.GetSize(), reader.GetNumberOfComponents()]), path)
    return reader


def _read_freesurfer(path: Path) -> tuple[npt.NDArray[Any], Affine, bool]:
    """Voxels (i, j, k, ...), affine, and whether the file gives an orientation."""
    image = _open_freesurfer(path)
    try:
        data = np.asarray(image.dataobj)
    except _freesurfer_errors() as error:
        raise CaseError(f"{path} {_DAMAGED}") from error
    except MemoryError:
        raise CaseError(f"{path} {_TOO_LARGE}") from None
    return data, np.asarray(image.affine, dtype=np.float64), _is_placed_by_freesurfer(path)


def _is_placed_by_freesurfer(path: Path) -> bool:
    """Whether the header gives an orientation; nibabel puts its default there if not."""
    flag = bytes(unpack(path, _FREESURFER_START)[_GOOD_RAS])
    return int.from_bytes(flag, "big", signed=True) > 0


def _open_freesurfer(path: Path) -> Any:
    import nibabel as nib

    try:
        image = nib.load(path)
    except _freesurfer_errors() as error:
        raise CaseError(f"{path} {_DAMAGED}") from error
    check_size(_bytes_of(image.shape), path)
    return image


def _freesurfer_errors() -> tuple[type[Exception], ...]:
    from nibabel.filebasedimages import ImageFileError
    from nibabel.freesurfer.mghformat import MGHError
    from nibabel.spatialimages import HeaderDataError

    of_nibabel = (ImageFileError, MGHError, HeaderDataError)
    return (OSError, EOFError, zlib.error, *of_nibabel, *DAMAGED)


def _bytes_of(sizes: Sequence[int]) -> int:
    """Bytes of a volume whose voxels take up to eight."""
    return int(np.prod([*sizes, 8], dtype=object))


def _header(data: npt.NDArray[Any], grid: Grid, placed: bool) -> nib.Nifti1Header:
    import nibabel as nib

    header = nib.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape(data.shape)
    header.set_xyzt_units("mm")
    header.set_sform(grid.affine, code=int(placed))
    header.set_qform(grid.affine, code=int(placed), strip_shears=True)
    return header
