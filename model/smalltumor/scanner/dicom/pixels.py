"""Pixels of DICOM files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from smalltumor.errors import CaseError
from smalltumor.extras import require
from smalltumor.scanner.dicom.frames import frames_of
from smalltumor.scanner.dicom.headers import instance_of, invalid_values_allowed
from smalltumor.scanner.dicom.philips_scale import display_factors
from smalltumor.scanner.series import Instance, StoredFrame, other_image_error

Pixels = npt.NDArray[np.generic]

_WITHIN_STEP = 0.25
"""How far, by rounding, a scaled pixel may be from its exact value, as a share of the slope."""

_SAME_FACTOR = 1e-3
"""Largest relative difference, by rounding, of the factors of slices."""


def read_pixels(frames: Sequence[StoredFrame]) -> list[Pixels]:
    """Read slices.

    Parameters
    ----------
    frames : sequence of StoredFrame

    Returns
    -------
    list of (row, column) arrays
        Of one type: as stored, or float32 if a file has an intensity scale, or if Philips displays
        them differently (see `smalltumor.scanner.dicom.philips_scale`). Of MONOCHROME1, where
        large values are dark, float32 and inverted: the darkest pixel of all is 0. Padding
        (*Pixel Padding Value*) is 0, or the lowest value if that is negative.

    Raises
    ------
    CaseError
        If a file is damaged, its compression unknown, or its image another one by now, or some are
        MONOCHROME1 and others not.
    """
    files: dict[Path, _FilePixels] = {}
    slices = []
    for path, index, instance in frames:
        if path not in files:
            files[path] = _read_file(path)
        if files[path].instance != instance:
            raise other_image_error(path)
        if index >= len(files[path].frames):
            raise CaseError(f"{path} has fewer frames than its header says")
        slices.append(files[path].frames[index])
    slices = _comparable(slices, [files[path].factors[index] for path, index, _ in frames])
    inverted = {path for path, file in files.items() if file.inverted}
    if inverted and len(inverted) < len(files):
        raise CaseError(
            f"{min(inverted)}: large values are dark in it (MONOCHROME1), unlike others"
        )
    lowest = _lowest(slices)
    if inverted:
        slices = [np.asarray(pixels - lowest, dtype=np.float32) for pixels in slices]
        lowest = 0.0
    if any(pixels.dtype.kind == "f" and np.isnan(pixels).any() for pixels in slices):
        background = min(0.0, lowest)
        return [np.nan_to_num(s.astype(np.float32), nan=background) for s in slices]
    if len({pixels.dtype for pixels in slices}) > 1:
        return [pixels.astype(np.float32) for pixels in slices]
    return slices


def _comparable(
    slices: list[npt.NDArray[Any]], factors: Sequence[float | None]
) -> list[npt.NDArray[Any]]:
    """The slices as displayed with the factor of the first one, if they have different ones."""
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(slices) or np.allclose(known, known[0], rtol=_SAME_FACTOR):
        return slices
    return [
        np.asarray(pixels * (known[0] / factor), dtype=np.float32)
        for pixels, factor in zip(slices, known, strict=True)
    ]


def _lowest(slices: Sequence[Pixels]) -> float:
    """The lowest value of all pixels that are no padding, which is NaN; 0 if there are none."""
    kept = (pixels[~np.isnan(pixels)] for pixels in slices)
    return min((float(values.min()) for values in kept if values.size), default=0.0)


class _FilePixels(NamedTuple):
    """All frames of a file, (frame, row, column), and whether they were MONOCHROME1.

    Padding is NaN. `factors` are those of `display_factors`, `instance` is that of `instance_of`.
    """

    frames: Pixels
    inverted: bool = False
    factors: Sequence[float | None] = ()
    instance: Instance | None = None


@invalid_values_allowed()
def _read_file(path: Path) -> _FilePixels:
    pydicom = require("pydicom", "reading DICOM files")
    try:
        dataset = pydicom.dcmread(path, force=True)
        read = _read_compressed_file if _is_compressed(dataset) else _read_plain_file
        pixels = read(path, dataset)
        slopes = [slope for slope, _ in _scales(dataset, len(pixels.frames))]
        return pixels._replace(
            factors=display_factors(dataset, slopes),
            instance=instance_of(next(frames_of(dataset))),
        )
    except CaseError:
        raise
    except Exception as error:  # pydicom and its decoders raise many kinds
        raise CaseError(f"{path}: the pixels cannot be read ({error})") from error


def _read_plain_file(_: Path, dataset: Any) -> _FilePixels:
    from pydicom.uid import ImplicitVRLittleEndian

    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    pixels = np.asarray(dataset.pixel_array)
    if pixels.ndim == 2:
        pixels = pixels[np.newaxis]
    inverted = _is_inverted(dataset)
    scales = np.array(_scales(dataset, len(pixels)))
    padding = _padding(pixels, _padding_range(dataset))
    if inverted:
        scales *= -1
    elif (scales == (1, 0)).all() and not pixels[padding].any():  # 0 is the background already
        return _FilePixels(pixels)
    slopes, intercepts = scales.T[..., np.newaxis, np.newaxis]
    scaled = np.asarray(pixels * slopes + intercepts, dtype=np.float32)
    scaled[padding] = np.nan
    return _FilePixels(scaled, inverted)


def _read_compressed_file(path: Path, dataset: Any) -> _FilePixels:
    """As ITK gives them: it has scaled the pixels, and inverted those of MONOCHROME1."""
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    scales = _scales(dataset, max(1, len(frames)))
    if len(set(scales)) > 1:
        raise CaseError(
            f"{path}: compressed frames with different intensity scales are not read; "
            "convert the series to uncompressed DICOM or NIfTI"
        )
    pixels = _decompress(path, dataset.file_meta.TransferSyntaxUID)
    inverted = _is_inverted(dataset)
    limits = _padding_range(dataset)
    if limits is not None:
        slope, intercept = scales[0]
        stored = [_inverted(dataset, value) if inverted else value for value in limits]
        low, high = sorted(value * slope + intercept for value in stored)
        limits = low - _WITHIN_STEP * abs(slope), high + _WITHIN_STEP * abs(slope)
    padding = _padding(pixels, limits)
    if not padding.any() or not (inverted or pixels[padding].any()):
        return _FilePixels(pixels, inverted)
    kept = pixels.astype(np.float32)
    kept[padding] = np.nan
    return _FilePixels(kept, inverted)


def _is_inverted(dataset: Any) -> bool:
    return str(dataset.get("PhotometricInterpretation", "")).strip() == "MONOCHROME1"


def _inverted(dataset: Any, stored: float) -> float:
    """The stored value for which ITK takes one of MONOCHROME1."""
    signed = bool(dataset.get("PixelRepresentation"))
    return (-1 if signed else 2 ** int(dataset.BitsStored) - 1) - stored


def _padding_range(dataset: Any) -> tuple[float, float] | None:
    """Stored values of padding, from *Pixel Padding Value* to its range limit."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((int(value), int(value if limit is None else limit)))
    return low, high


def _padding(pixels: npt.NDArray[Any], limits: tuple[float, float] | None) -> npt.NDArray[np.bool_]:
    if limits is None:
        return np.zeros(pixels.shape, np.bool_)
    low, high = limits
    return np.asarray((pixels >= low) & (pixels <= high), dtype=np.bool_)


def _scales(dataset: Any, count: int) -> list[tuple[float, float]]:
    """Slope and intercept of each frame: its own, those that all frames share, or the file's."""
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    shared = dataset.get("SharedFunctionalGroupsSequence") or ()
    return [_scale(dataset, (*frames[index : index + 1], *shared)) for index in range(count)]


def _scale(dataset: Any, groups: Sequence[Any]) -> tuple[float, float]:
    macros = [m for group in groups for m in group.get("PixelValueTransformationSequence") or ()]
    found = macros[0] if macros else dataset
    return float(found.get("RescaleSlope") or 1), float(found.get("RescaleIntercept") or 0)


def _is_compressed(dataset: object) -> bool:
    meta = getattr(dataset, "file_meta", {})
    syntax = getattr(meta, "TransferSyntaxUID", None)
    return bool(syntax is not None and syntax.is_compressed and not syntax.is_deflated)


def _decompress(path: Path, syntax: Any) -> Pixels:
    uids = require("pydicom.uid", "reading DICOM files")
    known = (
        *uids.RLETransferSyntaxes,
        *uids.JPEGTransferSyntaxes,
        *uids.JPEGLSTransferSyntaxes,
        uids.JPEG2000Lossless,
        uids.JPEG2000,
    )
    if syntax not in known:
        raise CaseError(
            f"{path}: pixels compressed as {syntax.name} are not read; convert the series to "
            "uncompressed DICOM or NIfTI"
        )
    sitk = require("SimpleITK", "reading compressed DICOM files")
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")  # files without a preamble are not recognised
    reader.SetFileName(str(path))
    try:
        pixels = np.asarray(sitk.GetArrayFromImage(reader.Execute()))
    except RuntimeError as error:
        raise CaseError(f"{path}: the pixels, compressed as {syntax.name}, are damaged") from error
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels
