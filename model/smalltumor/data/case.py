"""A case: the modalities of a patient on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.brain.background import Image, NonfiniteImageError, replace_nonfinite
from smalltumor.data.brain.coarse_images import CoarseImages, coarse_images
from smalltumor.data.loaded_images import LoadedImage
from smalltumor.data.naming.case_files import missing_modalities
from smalltumor.data.naming.file_names import cases_of_images
from smalltumor.errors import CaseError
from smalltumor.files.content import FileContent
from smalltumor.geometry.grid import Grid

if TYPE_CHECKING:
    import nibabel as nib

    from smalltumor.data.loaded_labels import LoadedLabels

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
    loaded_images : dict of Path to LoadedImage
        The images as they were in their files.
    contents : dict of str to FileContent
        The bytes of each image file as they were read, by modality, or `ALL`; empty unless they
        were asked for.
    loaded_labels : LoadedLabels, optional
        What `labels_path` held, if it was read to be shown.
    labels_made_of : mapping of str to str
        Of a mask alone, digests of the images that its file records, see
        `smalltumor.data.identity.image_digests`.
    labels_are_of_others : bool
        Whether `labels_path` was not opened with the images because it records other ones.
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
    loaded_images: Mapping[Path, LoadedImage] = field(default_factory=dict, repr=False)
    contents: Mapping[str, FileContent] = field(default_factory=dict, repr=False)
    loaded_labels: LoadedLabels | None = field(default=None, repr=False)
    labels_made_of: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels_are_of_others: bool = field(default=False, repr=False)
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
        volumes, problem = {}, None
        for modality, volume in self.volumes.items():
            try:
                volumes[modality] = replace_nonfinite(volume, f"{self.name} {modality}")
            except NonfiniteImageError as error:
                problem = error
        if not volumes and problem is not None:
            raise problem
        return volumes

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
        its place; it may have, if the folder cannot be listed.
        """
        images = self.loaded_images.values()
        if any(image.is_changed for image in images):
            return True
        if not images or not all(image.is_missing for image in images):
            return False
        try:
            return any(map(cases_of_images, {path.parent for path in self.loaded_images}))
        except CaseError:
            return True
