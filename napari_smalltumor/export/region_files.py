"""Read exported masks again, as ET, TC and WT that can be edited.

*Export* writes ``CASE_smalltumor.nii.gz``, or ``CASE_smalltumor_et.nii.gz`` and so on. These names
tell an exported file from an expert's mask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from smalltumor.data.case import Case
from smalltumor.data.label_files import on_grid, read_label_volume
from smalltumor.data.nifti import SUFFIXES, Volume, stem
from smalltumor.data.segmentation import region_paths
from smalltumor.errors import CaseError
from smalltumor.files.names import safe_name
from smalltumor.geometry.grid import Grid
from smalltumor.labels.masks import Mask, region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import SCHEMES, LabelScheme, detect_scheme, integer_values

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.regions import OUTERMOST_FIRST, region_layer

EXPORT_ENDING = "_smalltumor"
_NAME = re.compile(rf"^(?P<case>.+){EXPORT_ENDING}(?:_(?P<region>et|tc|wt))?$", re.IGNORECASE)


@dataclass(frozen=True)
class RegionFile:
    """An exported file.

    Parameters
    ----------
    path : Path
    case : str
        Name of the case, as a file name has it.
    region : Region or None
        Region of a mask of 0 and 1; None for a label file of all regions.
    """

    path: Path
    case: str
    region: Region | None


def region_file(path: Path) -> RegionFile | None:
    """Parse the name of an exported file; None for another name."""
    match = _NAME.match(stem(path))
    if match is None:
        return None
    region = match["region"]
    return RegionFile(path, match["case"], Region(region.lower()) if region else None)


def region_files_of(case: Case) -> list[RegionFile]:
    """The exported files beside a case's images: the label file, else the masks of its regions."""
    folders = {path.parent for path in case.paths.values()}
    if len(folders) != 1:
        return []
    for suffix in SUFFIXES:
        path = next(iter(folders)) / f"{safe_name(case.name)}{EXPORT_ENDING}{suffix}"
        if path.is_file():
            return [RegionFile(path, case.name, None)]
        masks = [(r, p) for r, p in region_paths(path).items() if p.is_file()]
        if masks:
            return [RegionFile(p, case.name, region) for region, p in masks]
    return []


def is_beside(file: RegionFile, case: Case) -> bool:
    """Whether a file was exported from a case, to the folder of its images."""
    folders = {path.absolute().parent for path in case.paths.values()}
    return safe_name(case.name) == file.case and file.path.absolute().parent in folders


def read_regions(file: RegionFile, grid: Grid | None = None) -> tuple[dict[Region, Mask], Volume]:
    """Read the masks of an exported file, (i, j, k) bool.

    Parameters
    ----------
    file : RegionFile
    grid : Grid, optional
        The grid that the file must have.

    Raises
    ------
    CaseError
        If the file is damaged.
    GridMismatchError
        If it is on another grid.
    LabelError
        If its values fit no label scheme.
    """
    volume = read_label_volume(file.path)
    if grid is not None:
        volume = on_grid(volume, grid, "the images")
    if file.region is not None:
        return {file.region: volume.data != 0}, volume
    classes = _scheme_of(file.path, volume).decode(volume.data)
    return {region: region_mask(classes, region) for region in Region}, volume


def layers_of_masks(case: Case, masks: Mapping[Region, Mask]) -> list[LayerData]:
    """Region layers of masks on the case's grid, the outermost first."""
    return [region_layer(case, r, np.asarray(masks[r])) for r in OUTERMOST_FIRST if r in masks]


def _scheme_of(path: Path, volume: Volume) -> LabelScheme:
    """The header's scheme, else the one that is set for exports if it fits, else one that fits."""
    values = set(integer_values(volume.data)) - {0}
    if volume.label_scheme in SCHEMES:
        return SCHEMES[volume.label_scheme]
    fitting = [s for s in SCHEMES.values() if values <= set(s.values)]
    if not fitting:
        return detect_scheme(values)  # raises the error
    preferred = settings.get("scheme")
    scheme = next((s for s in fitting if s.name == preferred), fitting[0])
    if values and any(s.name == "msd" for s in fitting) and len(fitting) > 1:
        notify.warn(
            f"{path.name} was read with the label scheme {scheme.name}. If another one was set "
            "when it was exported, choose that under Labels and open the file again."
        )
    return scheme


def check_no_regions(name: str, existing: Mapping[Region, object], file: RegionFile) -> None:
    """Check that a file does not hold regions that are open and may have been edited.

    Raises
    ------
    CaseError
        That says which layers must be removed first.
    """
    regions = [r for r in Region if r in existing and file.region in (None, r)]
    if regions:
        names = " and ".join(region.name for region in regions)
        raise CaseError(
            f"{file.path.name} was not opened, because {name} has {names} already; export and "
            "remove these layers first"
        )
