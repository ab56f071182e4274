"""Reading a case: its files, on one grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.loaded_images import LoadedImage, read_image
from smalltumor.data.naming.case_files import (
    ALL,
    MODALITIES,
    MODALITY_TITLES,
    CaseFiles,
    missing_modalities,
)
from smalltumor.data.naming.file_names import name_of_folder
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.volume_checks import check_finite, remove_empty
from smalltumor.data.volumes.header_checks import check_sides, header_warnings
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import Action, CaseError, GridMismatchError, Remedy
from smalltumor.geometry.resampling import resample


def read_case(
    path: str | Path | Sequence[str | Path] | None = None,
    *,
    flair: str | Path | None = None,
    t1ce: str | Path | None = None,
    t1: str | Path | None = None,
    t2: str | Path | None = None,
    resample: bool = False,
    allow_missing: bool = False,
    channels: Sequence[str] | None = None,
) -> Case:
    """Read a case from a folder, from files, or from files given one by one.

    Parameters
    ----------
    path : path or sequence of paths, optional
        A folder, a file of the case, a 4D file, or the case's files.
    flair, t1ce, t1, t2 : path, optional
        Files of any name; each replaces the file found in `path`.
    resample : bool
        Resample modalities on other grids onto T1CE's instead of raising an error.
    allow_missing : bool
        Read a case that lacks T1, T2 or FLAIR, or in which one of them is zero everywhere, instead
        of raising an error. Only weights that were trained with modality dropout segment it.
    channels : sequence of str, optional
        Modalities in the order of a 4D file, or of the numbers of nnU-Net's files. By default that
        of ``dataset.json``, else that of the Decathlon or of nnU-Net, with a warning.

    Returns
    -------
    Case

    Raises
    ------
    CaseError
        If a modality is missing or has two files, a file cannot be read, an image is empty, or
        T1CE has NaN or infinite voxels in the brain.
    GridMismatchError
        If the modalities are on different grids and `resample` is false, or one of them may be
        mirrored, see `smalltumor.data.volumes.header_checks.check_sides`.
    """
    given = {"flair": flair, "t1ce": t1ce, "t1": t1, "t2": t2}
    named = {m: Path(p) for m, p in given.items() if p is not None}
    files = _locate(path, named, allow_missing, channels)
    return read_case_files(files, resample=resample, allow_missing=allow_missing)


def read_case_files(
    files: CaseFiles,
    *,
    resample: bool = False,
    allow_missing: bool = False,
    with_contents: bool = False,
) -> Case:
    """Read a case whose files are known; see `read_case`.

    With `with_contents`, the case knows which bytes its files held when they were read.
    """
    problem = files.problem(allow_missing=allow_missing)
    if problem is not None:
        missing = missing_modalities(files.modalities, allow_missing=allow_missing)
        raise CaseError(f"{files.name}: {problem}", _naming(missing))
    if files.stacked is not None:
        read = _read_all({ALL: files.stacked}, with_contents)
        volumes = _split(read[ALL], files.channels)
    else:
        paths = {m: files.modalities[m][0] for m in MODALITIES if m in files.modalities}
        volumes = read = _read_all(paths, with_contents)
        _check_dimensions(volumes.values())
    reference = volumes[REFERENCE]
    nonfinite = check_finite(volumes)
    data = _on_one_grid(volumes, resample)
    empty = remove_empty(data, volumes, allow_missing)
    case = Case(
        name=files.name,
        volumes=data,
        grid=reference.grid,
        header=reference.header,
        paths={m: v.path for m, v in volumes.items()},
        labels_path=files.labels[0] if files.labels else None,
        scheme_hint=files.scheme_hint,
        loaded_images={v.path: LoadedImage(v) for v in _kept(read.values(), data)},
        contents={m: v.content for m, v in read.items() if v.content is not None},
    )
    case.warnings = [*files.notes, *header_warnings(volumes.values()), *empty, *nonfinite]
    return case


def _locate(
    path: str | Path | Sequence[str | Path] | None,
    given: Mapping[str, Path],
    allow_missing: bool,
    channels: Sequence[str] | None,
) -> CaseFiles:
    if path is None:
        missing = missing_modalities(given, allow_missing=allow_missing)
        if missing:
            titles = ", ".join(MODALITY_TITLES[m] for m in missing)
            raise CaseError(f"no case is given, and no file for {titles}", _naming(missing))
        name = name_of_folder(given[REFERENCE].resolve().parent)
        return CaseFiles(name, modalities={m: [file] for m, file in given.items()})
    where = Path(path) if isinstance(path, str | Path) else [Path(p) for p in path]
    files = find_case_files(where, channels)
    files.modalities.update({m: [p] for m, p in given.items()})
    return files


def _naming(modalities: tuple[str, ...]) -> Remedy | None:
    return Remedy(Action.NAME_MODALITIES, modalities=modalities) if modalities else None


def _read_all(paths: Mapping[str, Path], with_contents: bool) -> dict[str, Volume]:
    read = partial(read_image, allow_nonfinite=True, with_content=with_contents)
    with ThreadPoolExecutor(len(paths)) as pool:
        return dict(zip(paths, pool.map(read, paths.values()), strict=True))


def _check_dimensions(volumes: Iterable[Volume]) -> None:
    for volume in volumes:
        if volume.data.ndim != 3:
            raise CaseError(
                f"{volume.path} has the shape {volume.data.shape}; the image of a sequence is 3D"
            )


def _kept(read: Iterable[Volume], data: Mapping[str, npt.NDArray[np.generic]]) -> list[Volume]:
    """The images whose voxels are those of the case; files that were resampled are left out."""
    arrays = list(data.values())
    return [v for v in read if any(np.may_share_memory(v.data, array) for array in arrays)]


def _split(volume: Volume, channels: Sequence[str]) -> dict[str, Volume]:
    if volume.data.ndim != 4:
        text = f"{volume.path}: the name does not contain its sequence, as CASE_t1ce.nii.gz does"
        raise CaseError(text, _naming(MODALITIES))
    if volume.data.shape[3] != len(channels):
        order = ", ".join(MODALITY_TITLES[m] for m in channels)
        count = volume.data.shape[3]
        raise CaseError(f"{volume.path} has {count} volumes; a 4D file of a case has {order}")
    return {
        modality: Volume(volume.data[..., channel], volume.grid, volume.header, volume.path)
        for channel, modality in enumerate(channels)
    }


def _on_one_grid(
    volumes: Mapping[str, Volume], may_resample: bool
) -> dict[str, npt.NDArray[np.generic]]:
    reference = volumes[REFERENCE]
    data: dict[str, npt.NDArray[np.generic]] = {}
    for modality in (m for m in MODALITIES if m in volumes):
        volume = volumes[modality]
        if volume.grid.matches(reference.grid):
            data[modality] = volume.data
            continue
        check_sides(volume, reference)
        if may_resample:
            data[modality] = resample(volume.data, volume.grid, reference.grid)
        else:
            raise GridMismatchError(
                f"{volume.path.name} is on another grid than {reference.path.name}: "
                f"{volume.grid.describe()}; expected {reference.grid.describe()}",
                Remedy(Action.RESAMPLE),
            )
    return data
