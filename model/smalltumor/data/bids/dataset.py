"""The dataset of BIDS derivatives that a segmentation is written to: its description and authors.

Follows BIDS 1.10, "Dataset description".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import exists
from smalltumor.files.listings import entries
from smalltumor.version import software_version

BIDS_VERSION = "1.10.0"
DESCRIPTION, README = "dataset_description.json", "README"

_DEEPEST = 4
"""Folders above an image at most: ``anat``, ``ses-LABEL``, ``sub-LABEL``, the dataset."""

_README = """\
Segmentations of brain tumours in MRI by smalltumor, for research only.

Each *_seg-tumor_dseg.nii.gz has the grid of the T1-weighted image with contrast agent. The table
*_dseg.tsv beside it gives the tissue class of each value: necrotic and non-enhancing tumour core,
peritumoural edema, enhancing tumour. *_dseg.json names the weights of a computed segmentation and
the sequences that it was computed without.
"""


def check_bids_dataset(dataset: Path, authors: Sequence[str]) -> None:
    """Check that segmentations can be written to a folder: one of theirs, or a new one.

    Raises
    ------
    OutputError
        If it is a dataset of images or of other authors, or holds other files.
    """
    if is_described(dataset):
        _check_description(dataset, authors)
    else:
        _check_new(dataset)


def is_described(dataset: Path) -> bool:
    """Whether a folder is a dataset already, whose description is never changed.

    Raises
    ------
    OutputError
        If that cannot be told.
    """
    return exists(dataset / DESCRIPTION, unreachable=OutputError)


def _check_new(dataset: Path) -> None:
    """Refuse a folder of other files; subjects may be there before the description is."""
    names = [path.name for path in entries(dataset)]
    ours = ("sub-", ".", DESCRIPTION, README)
    if others := sorted(name for name in names if not name.startswith(ours)):
        raise OutputError(
            f"{dataset} is no BIDS dataset and holds other files, such as {others[0]}; name a new "
            "or an empty folder"
        )


def _check_description(dataset: Path, authors: Sequence[str]) -> None:
    path = dataset / DESCRIPTION
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kind = content.get("DatasetType", "raw")
    except (OSError, *DAMAGED) as error:
        raise OutputError(f"{path} cannot be read ({error}); name another folder") from error
    if kind != "derivative":
        raise OutputError(
            f"{dataset} is a BIDS dataset of images; name a folder for the segmentations, such as "
            f"{dataset / 'derivatives' / 'smalltumor'}"
        )
    known = _authors_in(content)
    if authors and known != list(authors):
        named = ", ".join(map(str, known)) or "no authors"
        raise OutputError(
            f"{path} names {named}; authors are written to a new dataset only: change them in this "
            "file, or name no authors here"
        )


def describe_dataset(dataset: Path, sources: Iterable[Path], authors: Sequence[str]) -> None:
    """Write the description of a new dataset; authors and DOI are by default of the images'."""
    if is_described(dataset):
        return
    try:
        description = _description(_description_around(sources), authors)
        write_text(dataset / DESCRIPTION, json_text(description))
        if not (dataset / README).exists():
            write_text(dataset / README, _README)
    except OutputError:
        if not is_described(dataset):  # else another process has written it meanwhile
            raise


def _description(source: Mapping[str, Any], authors: Sequence[str]) -> Mapping[str, Any]:
    generated = {"Name": "smalltumor", "Description": "Segmentation of brain tumours in MRI"}
    if version := software_version():  # else run from a source tree that was not installed
        generated["Version"] = version
    description: dict[str, Any] = {
        "Name": "Segmentations of brain tumours",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [generated],
    }
    if authors:
        description["Authors"] = list(authors)
    elif known := _authors_in(source):
        description["Authors"] = known
    if source.get("DatasetDOI"):
        description["SourceDatasets"] = [{"DOI": source["DatasetDOI"]}]
    return description


def authors_around(sources: Iterable[Path]) -> list[str]:
    """Authors of the BIDS dataset that holds the images; empty if they are in none."""
    return _authors_in(_description_around(sources))


def _authors_in(description: Mapping[str, Any]) -> list[str]:
    authors = description.get("Authors")
    return authors if isinstance(authors, list) else []


def _description_around(sources: Iterable[Path]) -> Mapping[str, Any]:
    """The description of the BIDS dataset that holds the images; empty if they are in none."""
    for path in sources:
        for folder in islice(path.absolute().parents, _DEEPEST):
            with suppress(OSError, *DAMAGED):
                content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
                return content if isinstance(content, dict) else {}
    return {}


def json_text(content: Mapping[str, Any]) -> str:
    """The text of a file of metadata."""
    return json.dumps(content, indent=2) + "\n"
