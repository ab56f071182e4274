"""Safetensors files with a format name and version: the container of weights and runs.

A file from elsewhere may lie about its sizes. Nothing is allocated before the header has been
bounded and checked against the file's length.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.errors import Action, CheckpointError, Remedy
from smalltumor.files.atomic import whole_file

Tensors = dict[str, npt.NDArray[np.generic]]

MAX_HEADER_BYTES = 4 * 2**20
"""A full-size training state needs some 300 kB."""

MAX_BYTES = 2 * 2**30
"""Of a whole file; a full-size training state has some 60 MB."""


def read_metadata(path: Path, expected_format: str, latest_version: int) -> dict[str, str]:
    """The text part of a file of one of our formats.

    Parameters
    ----------
    path : Path
    expected_format : str
        The format's name.
    latest_version : int
        The last format version this code can read.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of another format, or of a later version.
    """
    from safetensors import SafetensorError, safe_open

    _check_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged safetensors file ({_short(error)})") from None
    if metadata.get("format") != expected_format:
        found = metadata.get("format", "a safetensors file from elsewhere")[:80]
        raise CheckpointError(f"{path}: is {found}, not a {expected_format}")
    version = metadata.get("format_version", "")[:20]
    if not version.isdecimal():
        raise CheckpointError(f"{path}: damaged {expected_format}, format version {version!r}")
    if int(version) > latest_version:
        raise CheckpointError(
            f"{path}: format version {version} is later than {latest_version}, the last this "
            "version of napari-smalltumor can read; update it"
        )
    return metadata


def read_tensors(path: Path) -> Tensors:
    """All arrays of a file by name, as stored.

    Raises
    ------
    CheckpointError
        If the file is missing or damaged, or holds a type that numpy has not.
    """
    from safetensors import SafetensorError, safe_open

    _check_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged safetensors file ({_short(error)})") from None


def write_container(
    path: str | Path,
    tensors: Tensors,
    file_format: str,
    version: int,
    metadata: Mapping[str, str],
    *,
    overwrite: bool = False,
) -> None:
    """Write arrays and text as one safetensors file, whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and may not be overwritten, or cannot be written.
    """
    from safetensors.numpy import save

    text = {"format": file_format, "format_version": str(version), **metadata}
    # Not save_file: it replaces the file by one that only its owner can read.
    content = save(tensors, metadata=text)
    with whole_file(Path(path), overwrite=overwrite) as temporary:
        temporary.write_bytes(content)


def _check_header(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from None
    if size > MAX_BYTES:
        raise CheckpointError(
            f"{path}: {size / 2**30:.1f} GB are over the limit of {MAX_BYTES // 2**30} GB for "
            "weights"
        )
    header = int.from_bytes(start, "little")
    if len(start) < 8 or header > size - 8:
        # Only here: a genuine header length may begin with the same bytes as a pickle.
        if start.startswith((b"PK\x03\x04", b"\x80")):
            raise CheckpointError(
                f"{path}: a pickled PyTorch file, which is not opened because it could run code",
                Remedy(Action.IMPORT_WEIGHTS),
            )
        raise CheckpointError(f"{path}: not a safetensors file, or cut short")
    if header > MAX_HEADER_BYTES:
        raise CheckpointError(f"{path}: its header of {header} bytes is too long to be genuine")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
