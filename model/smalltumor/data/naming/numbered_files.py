"""Files that are told apart by numbers: channels of nnU-Net, and sequences in order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from smalltumor.data.naming.candidates import NamedFile
from smalltumor.data.naming.file_names import LABELS, parse_name
from smalltumor.data.volumes.nifti import is_image_name, stem
from smalltumor.errors import CaseError
from smalltumor.files.damaged import DAMAGED

NNUNET_CHANNELS = ("t1", "t1ce", "t2", "flair")
"""Order of the channels in nnU-Net's own conversions of BraTS (Dataset137_BraTS2021)."""

_CHANNEL = re.compile(r"(?P<case>.+)_(?P<number>000[0-3])\Z")
_SEQUENCE_NUMBER = re.compile(r"\d{1,3}\Z")


def numbered(paths: Iterable[Path]) -> Iterator[tuple[str, dict[int, Path]]]:
    """Group files named ``CASE_0000`` to ``CASE_0003``; at least two for a case.

    Yields
    ------
    (str, dict of int to Path)
        Name of the case, and its files by channel.
    """
    found: dict[str, dict[int, Path]] = {}
    for path in paths:
        if (match := _CHANNEL.match(stem(path))) is not None:
            found.setdefault(match["case"], {})[int(match["number"])] = path
    yield from ((name, files) for name, files in found.items() if len(files) > 1)


def numbered_with(path: Path, files_of: Callable[[Path], Sequence[Path]]) -> list[Path]:
    """A file and those that nnU-Net has numbered with it; the file alone if it is not numbered."""
    match = _CHANNEL.match(stem(path)) if is_image_name(path) else None
    if match is None:
        return [path]
    beside = ((p, _CHANNEL.match(stem(p))) for p in files_of(path.parent))
    return [p for p, other in beside if other is not None and other["case"] == match["case"]]


def joined_by_number(named: Mapping[str, Sequence[NamedFile]]) -> list[Sequence[NamedFile]]:
    """Join files to one case whose names differ by the number before the sequence.

    As in ``1_T1``, ``2_T1GD``, ``3_T2``, ``4_FLAIR``. Patients with numbers have several
    sequences each.
    """
    groups = list(named.values())
    roles = [parsed.role for files in groups for _, parsed in files]
    apart = len(roles) == len(groups) > 1 and len(set(roles)) == len(roles)
    images = sum(role != LABELS for role in roles)
    if apart and images > 1 and all(map(_SEQUENCE_NUMBER.match, named)):
        return [[file for files in groups for file in files]]
    return groups


def channel_order(
    folder: Path, given: Sequence[str] | None, assumed: tuple[str, ...]
) -> tuple[tuple[str, ...], str]:
    """Find the modalities of the channels of a case.

    Parameters
    ----------
    folder : Path
        Folder of the images; ``dataset.json`` of nnU-Net or the Decathlon is in it or above it.
    given : sequence of str, optional
        What the user says; goes before everything.
    assumed : tuple of str
        The order if nothing tells it.

    Returns
    -------
    order : tuple of str
    note : str
        The order in words if it was assumed; else empty.

    Raises
    ------
    CaseError
        If what is given does not name each modality once.
    """
    if given is not None:
        order = tuple(name.lower() for name in given)
        if sorted(order) != sorted(assumed):
            raise CaseError(
                f"the channels {', '.join(given)} do not name each of {', '.join(assumed)} once"
            )
        return order, ""
    for path in (folder / "dataset.json", folder.parent / "dataset.json"):
        stored = _stored_order(path)
        if sorted(stored) == sorted(assumed):
            return stored, ""
    return assumed, f"{', '.join(name.upper() for name in assumed)}, which is assumed"


def _stored_order(path: Path) -> tuple[str, ...]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        channels = content.get("channel_names") or content.get("modality") or {}
        names = [str(channels[str(n)]) for n in range(len(channels))]
    except (OSError, *DAMAGED):
        return ()
    parsed = (parse_name(Path(f"{name}.nii")) for name in names)
    return tuple("" if name is None else name.role for name in parsed)
