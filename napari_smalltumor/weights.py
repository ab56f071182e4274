"""Weights files that can be chosen, and their model cards as text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from smalltumor.errors import CheckpointError, TensorFileError
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.file_stamp import Stamp, stamp_of
from smalltumor.files.tensor_file import read_metadata
from smalltumor.models.card import ancestors, readable_card
from smalltumor.models.checkpoint import FORMAT, FORMAT_VERSION, load_checkpoint

from napari_smalltumor import notify

SUFFIX = ".safetensors"
SHIPPED = "shipped (starter)"
"""With the name that results and pages give them."""

_CARD_LINES = 14
_OF_RUN = ("best", "final")
"""Names of the weights in the folder of a run."""


def choices(chosen: str, folder: str, others: Iterable[Path] = ()) -> list[tuple[str, str]]:
    """List the weights that can be chosen.

    Parameters
    ----------
    chosen : str
        Path of the weights in use, which are listed even if they are not in `folder`; empty for
        the shipped weights.
    folder : str
        Folder whose weights files are listed; empty for none.
    others : iterable of Path
        More files, such as those that were in use before.

    Returns
    -------
    list of (str, str)
        Titles, no two the same, and paths; the path of the shipped weights, which come first, is
        empty.
    """
    paths = sorted(Path(folder).glob(f"*{SUFFIX}")) if folder else []
    paths += [Path(chosen)] if chosen else []
    return [(SHIPPED, ""), *titled([*paths, *others])]


def titled(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """Titles and paths of weights files, each file once.

    Files of the same title have their folder in it: a list would show them as one. Those that have
    the folder in common, such as both files of a run without validation, have their name in it.
    """
    files = list(dict.fromkeys(paths))
    titles = list(map(title, files))
    for longer in (_with_folder, _with_file):
        counts = Counter(titles)
        titles = [
            said if counts[said] == 1 else longer(path)
            for said, path in zip(titles, files, strict=True)
        ]
    return list(zip(titles, map(str, files), strict=True))


def title(path: Path) -> str:
    """Title of a weights file. That of a run has the name of the run, and which of its weights."""
    name = f"{path.parent.name} ({_kind(path)})" if path.stem in _OF_RUN else path.stem
    return name if path.is_file() else f"{name} (not found)"


def _kind(path: Path) -> str:
    """Which weights of a run a file holds: without validation, none of them is the best."""
    if not path.is_file() or not _is_unvalidated(path, stamp_of(path)):
        return path.stem
    has_ended = path.with_name(f"final{SUFFIX}").is_file()
    return f"{'final' if has_ended else 'newest'}, not validated"


@lru_cache
def _is_unvalidated(path: Path, stamp: Stamp | None) -> bool:
    """Whether a run that wrote weights had no validation cases; False if that is not known."""
    try:
        card = json.loads(read_metadata(path, FORMAT, FORMAT_VERSION)["card"])
        return "scores" not in card and card["selected_on"] == []
    except (TensorFileError, *DAMAGED):
        return False


def title_in_use(chosen: str) -> str:
    """Title of the weights in use, a path that is empty for the shipped weights."""
    return title(Path(chosen)) if chosen else SHIPPED


def _with_folder(path: Path) -> str:
    """The title of a file and the folder that it, or its run, is in."""
    folder = path.parent.parent if path.stem in _OF_RUN else path.parent
    return f"{title(path)} in {folder}"


def _with_file(path: Path) -> str:
    """The title of a file, and its folder and name."""
    return f"{_with_folder(path)}, {path.name}"


def accept(path: str) -> bool:
    """Whether a chosen file can be used; if not, the reason is reported."""
    try:
        load_checkpoint(path or None)
    except CheckpointError as error:
        notify.report_error(error)
        return False
    return True


def card(path: str) -> Mapping[str, Any]:
    """Return the model card of a weights file; empty if the file cannot be used."""
    try:
        return load_checkpoint(path or None).card
    except CheckpointError:
        return {}


def digests(path: str) -> tuple[str, ...]:
    """SHA-256 of a weights file and of those that it was trained from; empty if it is damaged."""
    try:
        checkpoint = load_checkpoint(path or None)
    except CheckpointError:
        return ()
    return (checkpoint.digest, *ancestors(checkpoint.card))


def describe(path: str) -> str:
    """Return the model card of a weights file in a few lines, or why the file cannot be used."""
    try:
        checkpoint = load_checkpoint(path or None)
    except CheckpointError as error:
        return str(error)
    origin = "shipped with the plugin" if not path else str(path)
    return "\n".join([f"{checkpoint.name} ({origin})", *_lines(readable_card(checkpoint.card))])


def _lines(card: Mapping[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in card.items():
        title = indent + key.replace("_", " ")
        if isinstance(value, Mapping):
            lines += [f"{title}:", *_lines(value, indent + "    ")]
        elif not (key == "name" and not indent):
            lines.append(f"{title}: {value}")
    return lines if indent or len(lines) <= _CARD_LINES else [*lines[:_CARD_LINES], "..."]
