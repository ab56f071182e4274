"""Prepared cases that were written to a folder: found again, and brought back into memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.volumes.nifti import Volume, read_nifti, stem
from smalltumor.errors import CaseError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.file_stamp import Stamp, stamp_of
from smalltumor.geometry.grid import Affine, Grid
from smalltumor.scanner.deidentification.scan_warning import ScanWarning
from smalltumor.scanner.prepared.applied_steps import AppliedStep, StepKind
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning, WarningKind
from smalltumor.scanner.prepared.prepared_case import PreparedCase, PreparedSequence
from smalltumor.scanner.prepared.prepared_files import RECORD_VERSION, prepared_paths
from smalltumor.scanner.registration.registration import Registration


def stored_paths(case: Case) -> Mapping[str, Path] | None:
    """The files that were written with a case, as of `prepared_paths`; None for another case."""
    name = _stored_name(case)
    if name is None:
        return None
    paths = prepared_paths(case.paths[REFERENCE].parent, name)
    return paths if paths["record"].is_file() and paths["brain"].is_file() else None


def _stored_name(case: Case) -> str | None:
    """The name by which the files of a case go, even if they were renamed."""
    path = case.paths.get(REFERENCE)
    ending = f"_{REFERENCE}"
    if path is None or not stem(path).endswith(ending):
        return None
    return stem(path).removesuffix(ending)


def stored_case(case: Case) -> PreparedCase | None:
    """A case that was read from the folder of a prepared case, with the record of the steps.

    Parameters
    ----------
    case : Case
        Its volumes are used as they are; only the brain mask and the record are read.

    Returns
    -------
    PreparedCase or None
        None if the case was not prepared.

    Raises
    ------
    CaseError
        If the record or the brain mask cannot be read, or belongs to other images.
    """
    name, paths = _stored_name(case), stored_paths(case)
    if name is None or paths is None:
        return None
    content = _read_record(paths["record"])
    try:
        found = content["sequences"]
        sequences = {m: _sequence(found[m], volume) for m, volume in case.volumes.items()}
        warnings = tuple(map(_warning, content["warnings"]))
        of_scan = tuple(ScanWarning((str(text),)) for text in content.get("scan_warnings", ()))
    except DAMAGED as error:
        raise CaseError(f"{paths['record']} is damaged: {error!r}") from error
    brain = read_brain(paths["brain"])
    if not brain.grid.matches(case.grid):
        raise CaseError(f"{paths['brain']} is on another grid than {case.paths[REFERENCE].name}")
    assert case.header is not None, "a case that was read from files has a header"
    mask = brain.data.astype(bool)
    return PreparedCase(
        name=name,
        grid=case.grid,
        header=case.header,
        sequences=sequences,
        brain=mask,
        warnings=warnings,
        scan_warnings=of_scan,
    )


def stored_series_uid(case: Case) -> str:
    """Series Instance UID of T1CE in the record of a prepared case; empty if there is none.

    Raises
    ------
    CaseError
        If the record cannot be read.
    """
    paths = stored_paths(case)
    return "" if paths is None else recorded_series_uid(paths["record"])


def recorded_series_uid(record: Path) -> str:
    """Series Instance UID of T1CE in a record; empty if it had none.

    Raises
    ------
    CaseError
        If the record cannot be read.
    """
    content = _read_record(record)
    try:
        return str(content["sequences"][REFERENCE]["series_uid"])
    except DAMAGED as error:
        raise CaseError(f"{record} is damaged: {error!r}") from error


def read_brain(path: Path) -> Volume:
    """The brain mask of a prepared case, 3D bool. Masks that were read last are kept in memory.

    Raises
    ------
    CaseError
        If it cannot be read, or is not 3D.
    """
    return _read_mask(path, stamp_of(path))


@lru_cache(maxsize=4)
def _read_mask(path: Path, stamp: Stamp | None) -> Volume:
    volume = read_nifti(path)
    if volume.data.ndim != 3:
        raise CaseError(f"{path} has the shape {volume.data.shape}; a brain mask is 3D")
    mask = volume.data != 0
    mask.flags.writeable = False
    return replace(volume, data=mask)


def _read_record(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, *DAMAGED) as error:
        raise CaseError(f"{path} cannot be read: {error}") from error
    version = content.get("version") if isinstance(content, dict) else None
    if version != RECORD_VERSION:
        raise CaseError(f"{path} has the version {version}; this program reads {RECORD_VERSION}")
    return dict(content)


def _sequence(content: Mapping[str, Any], volume: npt.NDArray[np.generic]) -> PreparedSequence:
    grid, overlap = content["native_grid"], content["brain_overlap"]
    return PreparedSequence(
        image=volume,
        native_grid=_grid(grid),
        series=str(content["series"]),
        uid=str(content["series_uid"]),
        reason=str(content["reason"]),
        steps=tuple(map(_step, content["steps"])),
        registration=_registration(content["registration"]),
        overlap=_number(overlap),
        automatic=_matrix(content.get("automatic_matrix_t1ce_to_series_ras_mm")),
        automatic_overlap=_number(content.get("automatic_brain_overlap")),
    )


def _step(content: Mapping[str, Any]) -> AppliedStep:
    return AppliedStep(StepKind(content["kind"]), str(content["text"]))


def _warning(content: Mapping[str, Any]) -> PreparationWarning:
    kind, modality = WarningKind(content["kind"]), str(content.get("modality", ""))
    return PreparationWarning(kind, str(content["text"]), modality)


def _number(content: float | None) -> float | None:
    return None if content is None else float(content)


def _matrix(content: Sequence[Sequence[float]] | None) -> Affine | None:
    return None if content is None else np.array(content, dtype=np.float64).reshape(4, 4)


def _grid(content: Mapping[str, Any]) -> Grid:
    i, j, k = (int(n) for n in content["shape"])
    return Grid((i, j, k), np.array(content["affine"], dtype=np.float64).reshape(4, 4))


def _registration(content: Mapping[str, Any] | None) -> Registration | None:
    if content is None:
        return None
    return Registration(
        np.array(content["matrix_t1ce_to_series_ras_mm"], dtype=np.float64).reshape(4, 4),
        float(content["displacement_mm"]),
        float(content["mutual_information_before"]),
        float(content["mutual_information_after"]),
    )
