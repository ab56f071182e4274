"""Names of exported masks.

*Export* writes ``CASE_smalltumor.nii.gz``, or ``CASE_smalltumor_et.nii.gz`` and so on. These names
tell an exported file from an expert's mask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.segmentation import region_paths
from smalltumor.data.volumes.nifti import SUFFIXES, stem
from smalltumor.files.names import safe_name
from smalltumor.labels.regions import Region

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
    return region_files_beside(case.name, case.paths.values())


def region_files_beside(
    case: str, images: Iterable[Path], is_file: Callable[[Path], bool] = Path.is_file
) -> list[RegionFile]:
    """As `region_files_of`, from the name of a case and the files of its images.

    Parameters
    ----------
    case : str
    images : iterable of Path
    is_file : callable, optional
        Tells whether a file exists, such as `FolderListings.is_file` for many cases.
    """
    folders = {path.parent for path in images}
    if len(folders) != 1:
        return []
    for suffix in SUFFIXES:
        path = next(iter(folders)) / f"{safe_name(case)}{EXPORT_ENDING}{suffix}"
        if is_file(path):
            return [RegionFile(path, case, None)]
        masks = [(r, p) for r, p in region_paths(path).items() if is_file(p)]
        if masks:
            return [RegionFile(p, case, region) for region, p in masks]
    return []


def is_beside(file: RegionFile, case: Case) -> bool:
    """Whether a file was exported from a case, to the folder of its images."""
    folders = {path.parent.resolve() for path in case.paths.values()}
    return safe_name(case.name) == file.case and file.path.parent.resolve() in folders
