"""Names of exported masks.

*Export* writes ``CASE_smalltumor.nii.gz``, or ``CASE_smalltumor_et.nii.gz`` and so on. These names
tell an exported file from an expert's mask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from smalltumor.data.volumes.nifti import SUFFIXES, stem
from smalltumor.files.existence import exists
from smalltumor.files.names import name_key, safe_name
from smalltumor.labels.regions import Region

EXPORT_ENDING = "_smalltumor"
EDITED_ENDING = "_labels_edited"
_REGION = re.compile(r"[-_. ](et|tc|wt)\Z", re.IGNORECASE)
_EDITED = re.compile(rf"(?P<case>.+){EDITED_ENDING}(_\d+)?", re.IGNORECASE)
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


def new_edited_labels(folder: Path, case: str) -> Path:
    """A file for edited labels, such as an expert's, of a case: the first that is not there.

    Where it cannot be told what is there, it is the one without a number.
    """
    name = f"{safe_name(_case_of_edited(case))}{EDITED_ENDING}"
    numbered = (f"{name}_{number}" for number in count(2))
    paths = (folder / f"{each}.nii.gz" for each in chain([name], numbered))
    try:
        return next(path for path in paths if not exists(path))
    except OSError:
        return folder / f"{name}.nii.gz"


def newest_edited_labels(folder: Path, case: str) -> Path | None:
    """The file of edited labels of a case that was written last; None if there is none."""
    own = name_key(safe_name(_case_of_edited(case)))
    try:
        files = [
            path
            for path in folder.iterdir()
            if (found := _EDITED.fullmatch(stem(path))) and name_key(found["case"]) == own
        ]
        return max(files, key=lambda path: path.stat().st_mtime, default=None)
    except OSError:  # it is only offered
        return None


def _case_of_edited(case: str) -> str:
    """The case of a file of edited labels, which is named after it when it is opened by itself."""
    found = _EDITED.fullmatch(case)
    return found["case"] if found else case


def named_region(path: Path) -> Region | None:
    """The region that the end of a name states, such as ``_et``, whoever wrote the file."""
    match = _REGION.search(stem(path))
    return Region(match[1].lower()) if match else None


Export = Sequence[RegionFile]
"""What one export has written: a label file, or masks of regions."""


def exports_beside(
    case: str, images: Iterable[Path], is_file: Callable[[Path], bool] = Path.is_file
) -> list[Export]:
    """The exports of a case beside its images, those of label files first.

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
    (folder,) = folders
    paths = [folder / f"{safe_name(case)}{EXPORT_ENDING}{suffix}" for suffix in SUFFIXES]
    found: list[Export] = [[RegionFile(path, case, None)] for path in paths if is_file(path)]
    for path in paths:
        masks = [RegionFile(p, case, r) for r, p in region_paths(path).items() if is_file(p)]
        found += [masks] if masks else []
    return found


def region_paths(path: Path) -> Mapping[Region, Path]:
    """Names of the three region masks, derived from a label file's name."""
    suffix = path.name[len(stem(path)) :] or SUFFIXES[-1]
    return {region: path.with_name(f"{stem(path)}_{region}{suffix}") for region in Region}
