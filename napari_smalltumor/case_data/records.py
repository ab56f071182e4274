"""Records of the cases of which something is kept in the user's data folder.

Edits, decisions on lesions and times of exports are kept in files whose names end in the *key* of
their case. It is the digest of the images that were opened first, and stays the same when
the user corrects these images. A record tells the key of a case by its present images, and where
they lay, so that they are found again when their folder is renamed.

::

    DATA/cases/<digest of the images>/Patient-1-<digest of the case>.json

If the voxels do not tell the case from others, as those of a label file alone, its record lies in a
folder of its own digest, and is found at its place only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import is_absent
from smalltumor.files.user_dirs import create_user_folder, data_folder

from napari_smalltumor.case_data.digests import checksums, digests_of
from napari_smalltumor.layers.metadata import identifying_files

FORMAT = "smalltumor case"
FORMAT_VERSION = 1

_KEY = re.compile(r"[0-9a-f]{16}")

_RECORDS: dict[Path, CaseRecord] = {}
"""Records that were read: lists of lesions look up the key of their case for each lesion."""


@dataclass(frozen=True)
class CaseRecord:
    """What is known of a case of which something is kept.

    Parameters
    ----------
    name : str
        Name of the case.
    key : str
        The key under which it is kept.
    images : mapping of str to Path
        The images by which it is recognised, with their names among the `identifying_files`.
    """

    name: str
    key: str
    images: Mapping[str, Path]

    @property
    def folder(self) -> Path:
        """The folder of the images."""
        return folder_of_images(self.images)

    def file_name(self, suffix: str) -> str:
        """Name of a file that is kept of the case."""
        return _file_name(self.name, self.key, suffix)


def case_key(case: Case) -> str:
    """The key under which something is kept of a case: sixteen hex digits."""
    record = record_of(case)
    return digests_of(case).case if record is None else record.key


def file_name(case: Case, suffix: str) -> str:
    """Name of a file that is kept of a case: readable, and ending in its `case_key`."""
    return _file_name(case.name, case_key(case), suffix)


def folder_of_images(images: Mapping[str, Path]) -> Path:
    """The folder of the images by which a case is recognised."""
    return next(iter(images.values())).parent


def readable(name: str) -> str:
    """The name of a case as file names begin with it."""
    return re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)[:60]


def record_of(case: Case) -> CaseRecord | None:
    """The record of a case, None if nothing was kept of its images at their place."""
    file = _file_of(case)
    if file is None or not file.exists():
        return None
    if file not in _RECORDS and (record := _read(file)) is not None:
        _RECORDS[file] = record
    return _RECORDS.get(file)


def record_case(case: Case) -> None:
    """Write the record of a case of which something is going to be kept, if there is none.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    file = _file_of(case)
    if file is not None and is_absent(file):
        _write(case, case_key(case))


def record_correction(case: Case, corrected: Case) -> None:
    """Keep the key of a case for its corrected images, before they are stored.

    What is kept of the case is not moved: until the images are stored it is found by those of now,
    and from then on by the new ones.

    Parameters
    ----------
    case : Case
    corrected : Case
        The case as it will be read from the same files.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    record_case(case)
    if digests_of(corrected).case != digests_of(case).case:
        _write(corrected, case_key(case))


def records_of_images(case: Case) -> list[CaseRecord]:
    """Records of all cases, at any place, with the voxels and the grid of a case."""
    images = digests_of(case).images
    return [] if images is None else _records_in(_records_folder(images))


def is_recorded(record: CaseRecord, images: str) -> bool:
    """Whether the case of a record was recorded with images of a digest, also as corrected."""
    return any(other.key == record.key for other in _records_in(_records_folder(images)))


def _records_in(folder: Path) -> list[CaseRecord]:
    found = (_read(file) for file in sorted(folder.glob("*.json")))
    return [record for record in found if record is not None]


def _file_name(name: str, key: str, suffix: str) -> str:
    return f"{readable(name)}-{key}{suffix}"


def _file_of(case: Case) -> Path | None:
    if not checksums(case):
        return None
    digests = digests_of(case)
    folder = _records_folder(digests.images or digests.case)
    return folder / _file_name(case.name, digests.case, ".json")


def _records_folder(digest: str) -> Path:
    return data_folder() / "cases" / digest


def images_of(case: Case) -> dict[str, Path]:
    """The images by which a case is recognised, with their names among its `identifying_files`."""
    files = identifying_files(case)
    return {n: Path(os.path.realpath(path)) for n in checksums(case) if (path := files[n])}


def _write(case: Case, key: str) -> None:
    file = _file_of(case)
    if file is None:
        return
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "case": case.name,
        "key": key,
        "images": {name: str(path) for name, path in images_of(case).items()},
    }
    create_user_folder(file.parent)
    write_text(file, json.dumps(content), overwrite=True)
    _RECORDS.pop(file, None)


def _read(file: Path) -> CaseRecord | None:
    """The record in a file; None if it is missing, damaged or of a later version."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        key, images = content["key"], content["images"]
        if (content["format"], content["version"]) != (FORMAT, FORMAT_VERSION):
            return None
        if not images or not _KEY.fullmatch(key):
            return None
        paths = {str(name): Path(path) for name, path in images.items()}
        return CaseRecord(str(content["case"]), key, paths)
    except (OSError, *DAMAGED):
        return None
