"""What is wrong with the header of an image: left and right, voxel sizes, or the position.

sform and qform are two affines in one NIfTI header. nibabel and this package use the sform if its
code is not 0; ITK, and with it 3D Slicer and ITK-SNAP, takes voxel sizes from pixdim.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from smalltumor.data.volumes.nifti_header import millimetres_per_unit
from smalltumor.errors import GridMismatchError
from smalltumor.geometry.grid import Grid

if TYPE_CHECKING:
    import nibabel as nib

_MAX_RATIO = 0.01
"""Difference of voxel sizes, as a share, up to which they are equal; float32 has 1e-7."""

_MAX_SHIFT_MM = 1.0
"""Distance of a corner by sform and qform up to which both are equal; float32 has 0.001 mm."""

_SHEARED = 0.001
"""Cosine between two axes from which a qform cannot express an affine."""

_MAX_QUATERNION_LENGTH = 1.001
"""Length of a quaternion's vector, 1 at most, up to which it was rounded and is not damaged."""


class ImageFile(Protocol):
    """An image as its file describes it: a `Volume`, or what is kept of one without its voxels."""

    @property
    def path(self) -> Path: ...

    @property
    def header(self) -> nib.Nifti1Header: ...

    @property
    def grid(self) -> Grid: ...


def has_orientation(header: nib.Nifti1Header) -> bool:
    """Whether a header gives an orientation; otherwise nibabel's default is used."""
    return bool(header["sform_code"] > 0 or header["qform_code"] > 0)


def sides_disagree(header: nib.Nifti1Header) -> bool:
    """Whether sform and qform, both given, differ in where left is, or mirror the image."""
    of_qform = _qform(header)
    if header["sform_code"] <= 0 or of_qform is None:
        return False
    sform, qform = _directions(header.get_sform()), _directions(of_qform)
    left_right = int(np.abs(sform[0]).argmax())
    swapped = sform[0, left_right] * qform[0, left_right] < 0
    return bool(swapped or np.linalg.det(sform) * np.linalg.det(qform) < 0)


def header_problems(header: nib.Nifti1Header, grid: Grid) -> list[str]:
    """Reasons to doubt where an image lies, as parts of sentences that follow its name.

    Parameters
    ----------
    header : nibabel header
    grid : Grid
        The one on which the image is used; other formats have another default than NIfTI.
    """
    if not has_orientation(header):
        return [
            "the header does not give left and right (sform and qform codes are 0); the axes are "
            f"assumed to be {grid.axcodes}"
        ]
    if sides_disagree(header):
        return ["sform and qform disagree about left and right; the sform is used"]
    if header["sform_code"] > 0 and header["qform_code"] > 0 and _qform(header) is None:
        return ["the qform is damaged; the sform is used"]
    return _size_problems(header) or _position_problems(header)


def header_warnings(volumes: Iterable[ImageFile]) -> list[str]:
    """`header_problems` of images as sentences; files with the same problem share one."""
    files: dict[str, list[str]] = {}
    for path, volume in {volume.path: volume for volume in volumes}.items():
        for problem in header_problems(volume.header, volume.grid):
            shared = files.setdefault(problem, [])
            shared.append(path.name if shared else str(path))
    return [f"{_listed(names)}: {problem}" for problem, names in files.items()]


def check_sides(moving: ImageFile, fixed: ImageFile) -> None:
    """Check that an image can be resampled or registered to another without being mirrored.

    A head looks almost the same in a mirror, so that neither a registration nor its figures tell.

    Raises
    ------
    GridMismatchError
        If only one of them gives an orientation, or neither and their grids differ; or if sform
        and qform of only one disagree about left and right.
    """
    unknown = [v for v in (moving, fixed) if not has_orientation(v.header)]
    if len(unknown) == 1 or (unknown and not moving.grid.matches(fixed.grid)):
        raise _unknown_sides_error(unknown[0])
    disagreeing = [v for v in (moving, fixed) if sides_disagree(v.header)]
    if len(disagreeing) == 1:
        raise _unknown_sides_error(disagreeing[0])


def check_axes(labels: ImageFile, grid: Grid) -> None:
    """Check that labels can be placed on the grid of an image without being mirrored.

    Raises
    ------
    GridMismatchError
        If their axes have other directions, which their header does not give or contradicts.
    """
    doubtful = not has_orientation(labels.header) or sides_disagree(labels.header)
    if doubtful and labels.grid.axcodes != grid.axcodes:
        raise _unknown_sides_error(labels)


def _unknown_sides_error(image: ImageFile) -> GridMismatchError:
    problem = (
        "gives left and right twice: sform and qform disagree"
        if has_orientation(image.header)
        else "does not give left and right (sform and qform codes are 0)"
    )
    return GridMismatchError(
        f"{image.path}: the header {problem}; on the grid of another image it may be mirrored. "
        "Correct the header, or convert the DICOM files again"
    )


def _size_problems(header: nib.Nifti1Header) -> list[str]:
    """The sform against pixdim, which ITK uses also if the code of the qform is 0."""
    if header["sform_code"] <= 0 or _of_two_spaces(header):
        return []
    of_sform = np.linalg.norm(header.get_sform()[:3, :3], axis=0)
    pixdim = np.array(header.get_zooms()[:3], dtype=np.float64)
    if np.all(np.abs(of_sform - pixdim) <= _MAX_RATIO * np.minimum(of_sform, pixdim)):
        return []
    used, other = (_sizes_text(v * millimetres_per_unit(header)) for v in (of_sform, pixdim))
    return [
        f"sform and pixdim disagree about the voxel size, {used} and {other} mm; the sform is used"
    ]


def _position_problems(header: nib.Nifti1Header) -> list[str]:
    """The sform against the qform."""
    sform, qform = header.get_sform(), _qform(header)
    if header["sform_code"] <= 0 or qform is None or _of_two_spaces(header):
        return []
    cosines = np.triu(_directions(sform).T @ _directions(sform), k=1)
    if np.abs(cosines).max() > _SHEARED:
        return []
    difference = sform - qform
    sizes = header.get_data_shape()[:3]
    corners = np.array(list(product(*[(0, n - 1) for n in sizes], (1,))))
    distances = np.linalg.norm(corners @ difference[:3].T, axis=1) * millimetres_per_unit(header)
    if not distances.max() > _MAX_SHIFT_MM:
        return []
    return [
        f"sform and qform disagree about the position by up to {distances.max():.0f} mm; the sform "
        "is used"
    ]


def _of_two_spaces(header: nib.Nifti1Header) -> bool:
    """Whether sform and qform are of different spaces by intention: both given, with other codes.

    pixdim belongs to the qform then, and an sform to a standard space changes the voxel sizes.
    """
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    return sform_code > 0 and qform_code > 0 and sform_code != qform_code


def _sizes_text(sizes_mm: npt.NDArray[np.float64]) -> str:
    return " x ".join(f"{round(float(size), 2):g}" for size in sizes_mm)


def _qform(header: nib.Nifti1Header) -> npt.NDArray[np.float64] | None:
    """The qform, (4, 4); None if its code is 0, or it is no affine."""
    if header["qform_code"] <= 0:
        return None
    own = header.copy()
    names = ("quatern_b", "quatern_c", "quatern_d")
    length = float(np.linalg.norm([float(own[name]) for name in names]))
    if 1 < length < _MAX_QUATERNION_LENGTH:
        for name in names:
            own[name] = float(own[name]) / length
    try:
        with np.errstate(all="ignore"):
            qform = np.asarray(own.get_qform(), dtype=np.float64)
    except ValueError:
        return None
    return qform if np.all(np.isfinite(qform)) else None


def _directions(affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    axes = affine[:3, :3]
    return np.asarray(axes / np.maximum(np.linalg.norm(axes, axis=0), np.finfo(np.float64).tiny))


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
