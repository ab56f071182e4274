"""Which weights there are to choose from, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smalltumor.errors import CheckpointError
from smalltumor.models.checkpoint import load_checkpoint

SUFFIX = ".safetensors"
SHIPPED = "shipped"
_CARD_LINES = 14


def choices(chosen: str, folder: str) -> list[tuple[str, str]]:
    """Names and paths of the weights on offer; the path of the shipped ones is empty.

    Parameters
    ----------
    chosen : str
        Path in use, offered wherever it lies; may be empty.
    folder : str
        Folder whose weights files are offered; may be empty.
    """
    offered = [(SHIPPED, "")]
    paths = sorted(Path(folder).glob(f"*{SUFFIX}")) if folder else []
    if chosen and Path(chosen) not in paths:
        paths.append(Path(chosen))
    return offered + [(title(path), str(path)) for path in paths]


def title(path: Path) -> str:
    """What to call a weights file; every run has a ``best``, so that one is named after its run."""
    return f"{path.parent.name} (best)" if path.name == f"best{SUFFIX}" else path.stem


def describe(path: str) -> str:
    """The model card of a weights file in a few lines, or why it cannot be used."""
    try:
        checkpoint = load_checkpoint(path or None)
    except CheckpointError as error:
        return str(error)
    where = "came with the plugin" if not path else str(path)
    return "\n".join([f"{checkpoint.name} ({where})", *_lines(checkpoint.card)])


def _lines(card: Mapping[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in card.items():
        title = indent + key.replace("_", " ")
        if isinstance(value, Mapping):
            lines += [f"{title}:", *_lines(value, indent + "    ")]
        elif not (key == "name" and not indent):
            lines.append(f"{title}: {value}")
    return lines if indent or len(lines) <= _CARD_LINES else [*lines[:_CARD_LINES], "..."]
