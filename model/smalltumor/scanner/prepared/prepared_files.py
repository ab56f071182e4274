"""Files of a prepared case: images, brain mask, transforms, and the record of what was done."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE
from smalltumor.data.made_by import made_by_comment
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import Action, OutputError, Remedy
from smalltumor.files.atomic import write_text
from smalltumor.files.existence import is_absent
from smalltumor.files.new_folders import new_folders
from smalltumor.files.transactions.recovery import check_outputs
from smalltumor.files.transactions.replacement import write_together
from smalltumor.geometry.grid import Affine
from smalltumor.progress import CancelCallback, ProgressReporter
from smalltumor.scanner.prepared.preparation_warning import PreparationWarning
from smalltumor.scanner.prepared.prepared_case import PreparedCase, PreparedSequence
from smalltumor.scanner.registration.sitk_images import simpleitk, transform_of

RECORD_VERSION = 2
RECORD_ENDING = "_prepared.json"


def prepared_paths(folder: Path, name: str) -> dict[str, Path]:
    """Names of all files that a prepared case can have.

    Returns
    -------
    dict of str to Path
        Images by modality; transforms by `transform_key`; ``brain``; and ``record``, the last.
    """
    images = {m: folder / f"{name}_{m}.nii.gz" for m in MODALITIES}
    transforms = {
        transform_key(m): folder / f"{name}_{transform_key(m)}.tfm"
        for m in MODALITIES
        if m != REFERENCE
    }
    others = {"brain": folder / f"{name}_brain.nii.gz", "record": folder / f"{name}{RECORD_ENDING}"}
    return images | transforms | others


def transform_key(modality: str) -> str:
    """Key of the transform of a sequence in `prepared_paths`."""
    return f"{modality}_to_{REFERENCE}"


def write_prepared(
    case: PreparedCase,
    folder: Path,
    *,
    overwrite: bool = False,
    cancelled: CancelCallback | None = None,
) -> list[Path]:
    """Write a prepared case, all its files or none.

    Transforms are text files of ITK, ``NAME_flair_to_t1ce.tfm``, for 3D Slicer, ANTs and others.
    They map points of T1CE to points of the series, in mm, LPS.

    Parameters
    ----------
    case : PreparedCase
    folder : Path
        Created if absent.
    overwrite : bool
        Whether existing files may be replaced. Files of an earlier preparation of this name that
        the case does not have are removed.
    cancelled : callable, optional
        Called for the last time before the first file is replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError, Cancelled
        The folder is then as it was before.
    """
    with new_folders(folder):
        return _write_all(case, folder, overwrite=overwrite, cancelled=cancelled)


def _write_all(
    case: PreparedCase, folder: Path, *, overwrite: bool, cancelled: CancelCallback | None
) -> list[Path]:
    paths = prepared_paths(folder, case.name)
    contents = _contents(case)
    absent = paths.keys() - contents.keys()
    check_paths(paths, absent, (), overwrite=overwrite)
    return write_together(
        {paths[key]: write for key, write in contents.items()},
        [paths[key] for key in absent],
        overwrite=overwrite,
        check=ProgressReporter(None, cancelled).raise_if_cancelled,
    )


def check_paths(
    paths: Mapping[str, Path],
    absent: Collection[str],
    sources: Collection[Path],
    *,
    overwrite: bool,
) -> None:
    """Check all names, also those of files that the case will not have.

    Such a file would be taken for one of the case. It is removed if it was written with an earlier
    preparation, that is, if there is a record.
    """
    check_outputs(paths.values(), overwrite=overwrite, sources=sources)
    ours = paths["record"].exists()
    for key, path in paths.items():
        if key in absent and not is_absent(path) and not ours:
            text = f"{path} exists and would be taken for a file of the case"
            raise OutputError(text, Remedy(Action.CHOOSE_OUTPUT))


def _contents(case: PreparedCase) -> dict[str, Callable[[Path], None]]:
    """By key of `prepared_paths`, functions that write the files; the record comes last."""

    def volume(data: npt.NDArray[np.generic]) -> Callable[[Path], None]:
        return lambda path: write_volume(path, data, case.grid, case.header)

    contents = {m: volume(as_stored(s.image)) for m, s in case.sequences.items()}
    brain = case.brain.astype(np.uint8)
    labels = made_by_comment(None, brain, case.grid)  # tells later if it was edited
    contents["brain"] = partial(
        write_volume, data=brain, grid=case.grid, header=case.header, comments=[labels]
    )
    for modality, sequence in case.sequences.items():
        if sequence.registration is not None:
            write = partial(_write_transform, sequence.registration.matrix)
            contents[transform_key(modality)] = write
    text = json.dumps(record(case), indent=2, ensure_ascii=False) + "\n"
    contents["record"] = lambda path: write_text(path, text)
    return contents


def record(case: PreparedCase) -> dict[str, Any]:
    """What was done to a case and why, for JSON.

    Of the headers it has the names of the series, their UIDs and their grids, but neither name nor
    ID of the patient; of names of files, words of sequences. The name of the case is stored,
    whatever it is made of.
    """
    return {
        "version": RECORD_VERSION,
        "name": case.name,
        "grid": {"shape": list(case.grid.shape), "affine": case.grid.affine.round(6).tolist()},
        "brain_ml": round(case.brain_ml, 1),
        "sequences": {m: _sequence_record(s, case) for m, s in case.sequences.items()},
        "scan_warnings": list(case.deidentified_scan_warnings),
        "warnings": [_warning_record(warning, case) for warning in case.warnings],
    }


def _warning_record(warning: PreparationWarning, case: PreparedCase) -> Mapping[str, str]:
    text = {"kind": warning.kind.value, "text": case.deidentified_text(warning.text)}
    return text | ({"modality": warning.modality} if warning.modality else {})


def _sequence_record(sequence: PreparedSequence, case: PreparedCase) -> Mapping[str, Any]:
    grid, found = sequence.native_grid, sequence.registration
    result: dict[str, Any] = {
        "series": case.deidentified_text(sequence.series),
        "series_uid": sequence.uid,
        "reason": case.deidentified_text(sequence.reason),
        "steps": [
            {"kind": step.kind, "text": case.deidentified_text(step.text)}
            for step in sequence.steps
        ],
        "native_grid": {"shape": list(grid.shape), "affine": grid.affine.round(6).tolist()},
        "registration": None,
        # Not rounded: a second rounding, when it is shown, would give another number.
        "brain_overlap": None if sequence.overlap is None else float(sequence.overlap),
    }
    if sequence.automatic is not None:
        result["automatic_matrix_t1ce_to_series_ras_mm"] = sequence.automatic.round(8).tolist()
        result["automatic_brain_overlap"] = sequence.automatic_overlap
    if found is not None:
        result["registration"] = {
            "matrix_t1ce_to_series_ras_mm": found.matrix.round(8).tolist(),
            "displacement_mm": float(found.displacement_mm),
            "mutual_information_before": float(found.information_before),
            "mutual_information_after": float(found.information_after),
        }
    return result


def as_stored(image: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Images as other programs read them: no float64, no bool."""
    return image.astype(np.float32) if image.dtype.kind == "f" else image


def _write_transform(matrix: Affine, path: Path) -> None:
    """Write a transform, and read it again: ITK does not tell of a full disk."""
    transform = transform_of(matrix)
    try:
        simpleitk().WriteTransform(transform, str(path))
        written = simpleitk().ReadTransform(str(path))
    except RuntimeError as error:
        raise OutputError(f"{path} could not be written: {error}") from error
    if written.GetParameters() != transform.GetParameters():
        raise OutputError(f"{path} could not be written")
