"""Files of a prepared case: images, brain mask, transforms, and the record of what was done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE
from smalltumor.data.nifti import write_volume
from smalltumor.errors import OutputError
from smalltumor.files.atomic import atomic_path, check_output, check_output_folder, write_text
from smalltumor.scanner.preparation.prepare import PreparedCase, PreparedSequence
from smalltumor.scanner.preparation.sitk_images import simpleitk, transform_of

RECORD_VERSION = 1


def prepared_paths(folder: Path, name: str, modalities: Iterable[str]) -> dict[str, Path]:
    """Names of the files: images by modality, ``brain`` and ``record``."""
    paths = {m: folder / f"{name}_{m}.nii.gz" for m in modalities}
    return paths | {
        "brain": folder / f"{name}_brain.nii.gz",
        "record": folder / f"{name}_prepared.json",
    }


def check_prepared(
    folder: Path,
    name: str,
    modalities: Iterable[str],
    sources: Iterable[Path],
    *,
    overwrite: bool = False,
) -> None:
    """Check before the computation that a prepared case can be written.

    Raises
    ------
    OutputError
        If the folder is not writable, a file exists and `overwrite` is false, or is a source.
    """
    check_output_folder(folder)
    if not folder.exists():
        return
    files = [path for path in sources if path.is_file()]
    for path in prepared_paths(folder, name, modalities).values():
        check_output(path, overwrite=overwrite, sources=files)


def write_prepared(case: PreparedCase, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write a prepared case; the record comes last, when all else is there.

    Transforms are text files of ITK, ``NAME_flair_to_t1ce.tfm``, for 3D Slicer, ANTs and others.
    They map points of T1CE to points of the series, in mm, LPS.

    Parameters
    ----------
    case : PreparedCase
    folder : Path
        Created if absent.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        The files that were written before are then removed, unless they replaced others.
    """
    paths = prepared_paths(folder, case.name, case.sequences)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error
    for path in paths.values():
        check_output(path, overwrite=overwrite)
    written: list[Path] = []
    try:
        for path in _write_files(case, paths, folder, overwrite=overwrite):
            written.append(path)  # noqa: PERF402 - keeps those before an error
    except OutputError:
        if not overwrite:  # a part of a case would be opened like a whole one
            for path in written:
                path.unlink(missing_ok=True)
        raise
    return written


def _write_files(
    case: PreparedCase, paths: Mapping[str, Path], folder: Path, *, overwrite: bool
) -> Iterator[Path]:
    """Write one file after another, and yield each."""
    for modality, sequence in case.sequences.items():
        image = _as_stored(sequence.image)
        write_volume(paths[modality], image, case.grid, case.header, overwrite=overwrite)
        yield paths[modality]
    brain = case.brain.astype(np.uint8)
    write_volume(paths["brain"], brain, case.grid, case.header, overwrite=overwrite)
    yield paths["brain"]
    for modality, sequence in case.sequences.items():
        if sequence.registration is not None:
            path = folder / f"{case.name}_{modality}_to_{REFERENCE}.tfm"
            _write_transform(sequence, path)
            yield path
    text = json.dumps(record(case), indent=2, ensure_ascii=False) + "\n"
    write_text(paths["record"], text, overwrite=overwrite)
    yield paths["record"]


def record(case: PreparedCase) -> dict[str, Any]:
    """What was done to a case and why, for JSON.

    It has neither name nor ID of the patient; series are identified by their UID.
    """
    return {
        "version": RECORD_VERSION,
        "name": case.name,
        "grid": {"shape": list(case.grid.shape), "affine": case.grid.affine.round(6).tolist()},
        "brain_ml": round(case.brain_ml, 1),
        "sequences": {m: _sequence_record(s) for m, s in case.sequences.items()},
        "warnings": list(case.warnings),
    }


def _sequence_record(sequence: PreparedSequence) -> Mapping[str, Any]:
    grid, found = sequence.native_grid, sequence.registration
    result: dict[str, Any] = {
        "series": sequence.series,
        "series_uid": sequence.uid,
        "reason": sequence.reason,
        "steps": list(sequence.steps),
        "native_grid": {"shape": list(grid.shape), "affine": grid.affine.round(6).tolist()},
        "registration": None,
        "brain_overlap": None if sequence.overlap is None else round(sequence.overlap, 3),
    }
    if found is not None:
        result["registration"] = {
            "matrix_t1ce_to_series_ras_mm": found.matrix.round(8).tolist(),
            "displacement_mm": round(found.displacement_mm, 2),
            "mutual_information_before": round(found.information_before, 4),
            "mutual_information_after": round(found.information_after, 4),
        }
    return result


def _as_stored(image: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Images as other programs read them: no float64, no bool."""
    return image.astype(np.float32) if image.dtype.kind == "f" else image


def _write_transform(sequence: PreparedSequence, path: Path) -> None:
    assert sequence.registration is not None
    transform = transform_of(sequence.registration.matrix)
    with atomic_path(path, overwrite=True) as temporary:
        # SimpleITK tells the format by the ending.
        own = temporary.with_suffix(".tfm")
        try:
            simpleitk().WriteTransform(transform, str(own))
            temporary.write_bytes(own.read_bytes())
        finally:
            own.unlink(missing_ok=True)
