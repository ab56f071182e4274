"""The grids that a mask of a prepared scan can be exported on: that of the case, or a series'."""

from __future__ import annotations

from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.identity.visits import folder_of, is_name_of
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.data.naming.export_names import EXPORT_ENDING
from smalltumor.data.segmentation import Segmentation
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import CaseError, OutputError
from smalltumor.scanner.prepared.native_grid import on_native_grid
from smalltumor.scanner.prepared.prepared_case import PreparedSequence
from smalltumor.scanner.prepared.stored_case import stored_case

_PATTERNS = "(*.nii.gz *.nii)"


def filters_of(case: Case) -> dict[str, str | None]:
    """The file types of the export dialog, each with the modality whose native grid is meant.

    Parameters
    ----------
    case : Case
        Only a case that was prepared from a scan has other grids than its own, which is None.
    """
    try:
        prepared = stored_case(case)
    except CaseError:  # said when the case is corrected; its own grid needs no record
        prepared = None
    if prepared is None:
        return {f"NIfTI {_PATTERNS}": None}
    filters: dict[str, str | None] = {f"NIfTI on the grid of T1CE {_PATTERNS}": None}
    for modality, sequence in prepared.sequences.items():
        if _lies_elsewhere(sequence, case):
            title = MODALITY_TITLES[modality]
            filters[f"NIfTI on the native grid of {title} {_PATTERNS}"] = modality
    return filters


def named_for_grid(path: Path, case: Case, modality: str | None) -> Path:
    """The path; the suggested name gets the modality, or the file would pass for the case's own."""
    name = stem(path).removesuffix(EXPORT_ENDING)
    is_suggested = name != stem(path) and is_name_of(name, case.name, folder_of(case))
    if modality is None or not is_suggested:
        return path
    ending = path.name[len(stem(path)) :]
    return path.with_name(f"{name}_{modality}{EXPORT_ENDING}{ending}")


def placed_on(segmentation: Segmentation, case: Case, modality: str | None) -> Segmentation:
    """A segmentation on the native grid of a series, or as it is if `modality` is None.

    Raises
    ------
    OutputError
        If the case was not prepared from a scan.
    CaseError
        If the record of the preparation cannot be read.
    """
    if modality is None:
        return segmentation
    prepared = stored_case(case)
    if prepared is None or modality not in prepared.sequences:
        raise OutputError(f"{case.name} has no native grid of {MODALITY_TITLES[modality]}")
    return on_native_grid(segmentation, prepared, modality)


def _lies_elsewhere(sequence: PreparedSequence, case: Case) -> bool:
    return sequence.registration is not None or not sequence.native_grid.matches(case.grid)
