"""Reading a case: the modalities of a patient on one grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import Image, NonfiniteImageError, replace_nonfinite
from smalltumor.data.brain.coarse_images import CoarseImages, coarse_images
from smalltumor.data.images_read import ImageRead, read_image
from smalltumor.data.naming.case_files import (
    ALL,
    MODALITIES,
    MODALITY_TITLES,
    CaseFiles,
    missing_modalities,
)
from smalltumor.data.naming.file_names import cases_of_images, folder_name
from smalltumor.data.naming.find_cases import find_case_files
from smalltumor.data.volume_checks import check_finite, remove_empty
from smalltumor.data.volumes.header_checks import check_sides, header_warnings
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import Action, CaseError, GridMismatchError, Remedy
from smalltumor.files.content import FileContent
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.resampling import resample

if TYPE_CHECKING:
    import nibabel as nib

    from smalltumor.data.labels_read import LabelsRead

REFERENCE = "t1ce"
"""Modality with the grid and header of the case: enhancing tumour is outlined on it."""


@dataclass(eq=False)
class Case:
    """The modalities of one patient on one grid; T1, T2 and FLAIR may be missing.

    Parameters
    ----------
    name : str
    volumes : dict of str to (i, j, k) array
        Intensities as stored, by modality; read-only. In the background, voxels that are NaN or
        infinite in the file have the value of the others; T1, T2 and FLAIR may have such voxels in
        the brain, see `finite`.
    grid : Grid
        Grid of all volumes.
    header : nibabel header, optional
        Header of T1CE, for results of this case; None if the case was not read from files.
    paths : dict of str to Path
        File of each modality; the same file for all in a 4D case.
    labels_path : Path, optional
        The expert's segmentation next to the images.
    scheme_hint : str, optional
        Name of the label scheme that goes with the names of the files.
    warnings : list of str
        Reasons to doubt a result, for the user.
    folder : Path, optional
        Folder of the case, if `paths` and `labels_path` do not tell it.
    images_read : dict of Path to ImageRead
        The images as they were in their files.
    contents : dict of str to FileContent
        The bytes of each image file as they were read, by modality, or `ALL`; empty unless they
        were asked for.
    labels_read : LabelsRead, optional
        What `labels_path` held, if it was read to be shown.
    labels_made_of : mapping of str to str
        Of a mask alone, digests of the images that its file records, see
        `smalltumor.data.made_of`.
    """

    name: str
    volumes: Mapping[str, npt.NDArray[np.generic]]
    grid: Grid
    header: nib.Nifti1Header | None = None
    paths: Mapping[str, Path] = field(default_factory=dict)
    labels_path: Path | None = None
    scheme_hint: str | None = None
    warnings: list[str] = field(default_factory=list)
    folder: Path | None = None
    images_read: Mapping[Path, ImageRead] = field(default_factory=dict, repr=False)
    contents: Mapping[str, FileContent] = field(default_factory=dict, repr=False)
    labels_read: LabelsRead | None = field(default=None, repr=False)
    labels_made_of: Mapping[str, str] = field(default_factory=dict, repr=False)
    _coarse: tuple[Mapping[str, Image], CoarseImages] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    @property
    def coarse(self) -> CoarseImages:
        """Voxels of the `finite` volumes about 4 mm apart, and their backgrounds; computed once.

        Raises
        ------
        CaseError
            If every volume has NaN or infinite voxels in the brain.
        """
        if self._coarse is None or self._coarse[0] is not self.volumes:
            self._coarse = self.volumes, coarse_images(self._finite_volumes(), self.grid.spacing)
        return self._coarse[1]

    @property
    def finite(self) -> tuple[str, ...]:
        """Modalities without NaN or infinite voxels in the brain; only these can be computed with.

        Raises
        ------
        CaseError
            If there are none.
        """
        return tuple(self.coarse.images)

    def _finite_volumes(self) -> dict[str, Image]:
        found, problem = {}, None
        for modality, volume in self.volumes.items():
            try:
                found[modality] = replace_nonfinite(volume, f"{self.name} {modality}")
            except NonfiniteImageError as error:
                problem = error
        if not found and problem is not None:
            raise problem
        return found

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each of `contents`."""
        return {modality: content.digest for modality, content in self.contents.items()}

    @property
    def missing(self) -> tuple[str, ...]:
        """Modalities without an image."""
        return missing_modalities(self.volumes)

    @property
    def sources(self) -> list[Path]:
        """Every file of the case, sorted; none may ever be replaced."""
        paths = set(self.paths.values())
        return sorted(paths | {self.labels_path} if self.labels_path else paths)

    @property
    def has_changed_images(self) -> bool:
        """Whether a file that an image was read from holds another one now.

        A file may be missing. If all are, and other images lie in their folder, another one took
        its place.
        """
        images = self.images_read.values()
        if any(image.is_changed for image in images):
            return True
        if not images or not all(image.is_missing for image in images):
            return False
        return any(cases_of_images(folder) for folder in {path.parent for path in self.images_read})


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
        images_read={v.path: ImageRead(v) for v in _kept(read.values(), data)},
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
        name = folder_name(given[REFERENCE].resolve().parent)
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
