"""Files of volumes as series, with the JSON files that dcm2niix writes beside NIfTI files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from smalltumor.data.loaded_images import read_image
from smalltumor.data.volumes.binary_volumes import is_binary
from smalltumor.data.volumes.nifti import Volume, is_image_name, stem
from smalltumor.data.volumes.volume_files import volume_shape, volume_spacing
from smalltumor.errors import CaseError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.file_stamp import Stamp, written_stamp_of
from smalltumor.files.listings import walk
from smalltumor.scanner.acquisition_time import normal_time
from smalltumor.scanner.deidentification.patient_names import known_id
from smalltumor.scanner.deidentification.scan_warning import Identifying, ScanWarning
from smalltumor.scanner.sequences.classification import classify
from smalltumor.scanner.series import Acquisition, Series, other_image_error
from smalltumor.scanner.volume_studies import entities_of, told_apart

_SECONDS = 1000.0
_FREESURFER = (".mgz", ".mgh")
_SAME_SIZE_MM = 1e-3
_REFORMATTED = "REFORMATTED"
"""The value of Image Type for images that were computed on other planes than they were acquired."""


def volume_series(folder: Path) -> tuple[list[Series], list[ScanWarning]]:
    """Find the files of volumes in a folder and its subfolders.

    Patient and study are those of BIDS names (``sub-01_ses-02``) or of the JSON files. Files that
    state the same are of one study, or of one for each folder if a folder holds several, see
    `smalltumor.scanner.volume_studies`.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Series
    list of ScanWarning
        One for each file that cannot be read.
    """
    found: list[Series] = []
    warnings: list[ScanWarning] = []
    for path in _volume_files(folder):
        try:
            found.append(series_of_file(path, folder))
        except CaseError as error:
            where = path.relative_to(folder).as_posix()
            problem = str(error).replace(str(path), where)
            told = Identifying(problem, "a file of a volume cannot be read")
            warnings.append(ScanWarning((told, "; it is left out")))
    return told_apart(found, folder), warnings


def series_of_file(path: Path, searched: Path | None = None) -> Series:
    """A file of a volume as a series.

    Parameters
    ----------
    path : Path
    searched : Path, optional
        As for `smalltumor.scanner.volume_studies.entities_of`.

    Raises
    ------
    CaseError
        If it cannot be read.
    MissingPackageError
        If SimpleITK is needed and not installed.
    """
    stamp = written_stamp_of(path)  # before it is read, so that no later change is missed
    shape = volume_shape(path)
    i, j, k, *_ = *shape, 1, 1
    spacing, sidecar = volume_spacing(path), _sidecar(path)
    acquisition = _acquisition(path, sidecar, conformed=_is_conformed(path, (i, j, k), spacing))
    stated = entities_of(path, searched)
    return Series(
        title=path.name,
        patient=stated.subject or known_id(_text(sidecar, "PatientID")),
        study=stated.session or _text(sidecar, "StudyInstanceUID"),
        date="",
        acquisition=acquisition,
        shape=(i, j, k),
        spacing=spacing,
        location=path,
        read=partial(_read, path, stamp),
        problem=_problem(path, shape, acquisition),
        uid=_text(sidecar, "SeriesInstanceUID"),
        study_uid=_text(sidecar, "StudyInstanceUID"),
        identity=(_text(sidecar, "PatientID"), _text(sidecar, "PatientName")),
        birth_date=_text(sidecar, "PatientBirthDate").replace("-", ""),
        sex=_text(sidecar, "PatientSex").upper(),
        files=(path,),
    )


def _problem(path: Path, shape: tuple[int, ...], acquisition: Acquisition) -> str:
    """Why a file is no image of a sequence; its voxels count if it may be one by its name."""
    if len(shape) != 3:
        return f"it has {len(shape)} dimensions, not 3"
    found = classify(acquisition)
    may_be_sequence = found.sequence is not None or found.undecided
    return "a mask: it has two values only" if may_be_sequence and is_binary(path) else ""


def _read(path: Path, stamp: Stamp | None) -> Volume:
    volume = read_image(path)
    if written_stamp_of(path) != stamp:
        raise other_image_error(path)
    if volume.data.ndim != 3:
        raise CaseError(f"{path} has the shape {volume.data.shape}; one sequence is 3D")
    if not np.any(volume.data):
        raise CaseError(f"{path} is empty: every voxel is zero")
    return volume


def _volume_files(folder: Path) -> Iterator[Path]:
    for root, folders, names in walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            if is_image_name(path) and not name.startswith("."):
                yield path


def _sidecar(path: Path) -> Mapping[str, Any]:
    file = path.with_name(f"{stem(path)}.json")
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig", errors="replace"))
    except (OSError, *DAMAGED):
        return {}
    return content if isinstance(content, dict) else {}


def _is_conformed(path: Path, shape: tuple[int, ...], spacing: tuple[float, float, float]) -> bool:
    """Whether FreeSurfer resampled the image: to a cube of cubic voxels, whatever was acquired."""
    cube = len(set(shape)) == 1 and max(spacing) - min(spacing) < _SAME_SIZE_MM
    return path.suffix.lower() in _FREESURFER and cube


def _acquisition(path: Path, sidecar: Mapping[str, Any], *, conformed: bool) -> Acquisition:
    names = (stem(path), _text(sidecar, "SeriesDescription"))
    kind = _text(sidecar, "MRAcquisitionType").upper()
    return Acquisition(
        text="; ".join(dict.fromkeys(name for name in names if name)),
        protocol=_text(sidecar, "ProtocolName"),
        contrast_agent=_text(sidecar, "ContrastBolusIngredient")
        or _text(sidecar, "ContrastBolusAgent"),
        repetition_time=_milliseconds(sidecar, "RepetitionTime"),
        echo_time=_milliseconds(sidecar, "EchoTime"),
        inversion_time=_milliseconds(sidecar, "InversionTime"),
        techniques=frozenset(re.findall(r"[A-Z]+", _text(sidecar, "ScanningSequence").upper())),
        image_type=frozenset(
            (*map(str, _values(sidecar.get("ImageType"))), *([_REFORMATTED] if conformed else []))
        ),
        is_3d={"3D": True, "2D": False}.get(kind),
        time=normal_time(_text(sidecar, "AcquisitionDateTime"))
        or normal_time(_text(sidecar, "AcquisitionTime")),
    )


def _values(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _text(sidecar: Mapping[str, Any], key: str) -> str:
    value = sidecar.get(key)
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def _milliseconds(sidecar: Mapping[str, Any], key: str) -> float | None:
    value = sidecar.get(key)
    if not isinstance(value, int | float):
        return None
    try:
        milliseconds = float(value) * _SECONDS
    except OverflowError:
        return None
    return milliseconds if isfinite(milliseconds) else None
