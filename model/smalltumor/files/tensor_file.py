"""Safetensors files with a format name and version, for weights, training states and autosaves.

The format holds numbers and text only; a file that is a pickle is refused.

The header is checked by hand before the library reads the file: the sizes in a damaged or
malicious header may be anything, and nothing must be allocated by them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.errors import Action, Remedy, TensorFileError
from smalltumor.files.atomic import atomic_path
from smalltumor.files.damaged import DAMAGED

Tensors = dict[str, npt.NDArray[np.generic]]

MAX_HEADER_BYTES = 4 * 2**20
"""Limit of the header; that of a full-size training state has about 300 kB."""

MAX_BYTES = 2 * 2**30
"""Limit of a file; a full-size training state has about 60 MB."""


def read_metadata(path: Path, expected_format: str, latest_version: int) -> dict[str, str]:
    """Read the metadata of a file in one of this project's formats.

    Parameters
    ----------
    path : Path
    expected_format : str
        Name of the format.
    latest_version : int
        Latest format version that this code can read.

    Raises
    ------
    TensorFileError
        If the file is missing, damaged, of another format, or of a later version.
    """
    from safetensors import SafetensorError, safe_open

    _check_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise TensorFileError(f"{path}: damaged safetensors file ({_short(error)})") from None
    _check_format(path, metadata, expected_format, latest_version)
    return metadata


def read_content(path: Path) -> bytes:
    """Read a file at once, after its header was checked; see `parse_tensors`.

    Raises
    ------
    TensorFileError
        If the file is missing, cannot be read, or is not a safetensors file of a valid size.
    """
    _check_header(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise TensorFileError(f"{path}: cannot be read ({error.strerror or error})") from None


def parse_tensors(
    content: bytes, path: Path, expected_format: str, latest_version: int
) -> tuple[dict[str, str], Tensors]:
    """The text and the arrays of a file that was read at once, because it may be replaced.

    Parameters
    ----------
    content : bytes
    path : Path
        For messages.
    expected_format, latest_version
        As for `read_metadata`.

    Raises
    ------
    TensorFileError
        As `read_metadata` and `read_tensors`.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    header = _check_start(path, content[:8], len(content))
    try:
        tensors: Tensors = load(content)  # first: it refuses headers that json would fail on
        metadata = json.loads(content[8 : 8 + header]).get("__metadata__") or {}
    except (SafetensorError, *DAMAGED) as error:
        raise TensorFileError(f"{path}: damaged safetensors file ({_short(error)})") from None
    _check_format(path, metadata, expected_format, latest_version)
    return metadata, tensors


def _check_format(
    path: Path, metadata: Mapping[str, str], expected_format: str, latest_version: int
) -> None:
    if metadata.get("format") != expected_format:
        actual = metadata.get("format", "a safetensors file from elsewhere")[:80]
        raise TensorFileError(f"{path}: is {actual}, not a {expected_format}")
    version = metadata.get("format_version", "")[:20]
    if not version.isdecimal():
        raise TensorFileError(f"{path}: damaged {expected_format}, format version {version!r}")
    if int(version) > latest_version:
        raise TensorFileError(
            f"{path}: format version {version} is later than {latest_version}, the last this "
            "version of napari-smalltumor can read; update it"
        )


def read_tensors(path: Path) -> Tensors:
    """Read all arrays of a file, by name, as stored.

    Raises
    ------
    TensorFileError
        If the file is missing or damaged, or has a data type that numpy does not have.
    """
    from safetensors import SafetensorError, safe_open

    _check_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, *DAMAGED) as error:
        raise TensorFileError(f"{path}: damaged safetensors file ({_short(error)})") from None


def write_tensors(
    path: str | Path,
    tensors: Tensors,
    file_format: str,
    version: int,
    metadata: Mapping[str, str],
    *,
    overwrite: bool = False,
) -> None:
    """Write arrays and metadata as one safetensors file, whole or not at all.

    Raises
    ------
    OutputError
        If the file exists and may not be overwritten, or cannot be written.
    """
    from safetensors.numpy import save

    text = {"format": file_format, "format_version": str(version), **metadata}
    # Not save_file, whose file only its owner can read.
    content = save(tensors, metadata=text)
    with atomic_path(Path(path), overwrite=overwrite) as temporary:
        temporary.write_bytes(content)


def _check_header(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise TensorFileError(f"{path}: no such file") from None
    except OSError as error:
        raise TensorFileError(f"{path}: cannot be read ({error.strerror or error})") from None
    _check_start(path, start, size)


def _check_start(path: Path, start: bytes, size: int) -> int:
    """Check a file by its first eight bytes and its size; the length of its header."""
    if size > MAX_BYTES:
        raise TensorFileError(
            f"{path}: {size / 2**30:.1f} GB are over the limit of {MAX_BYTES // 2**30} GB"
        )
    header = int.from_bytes(start, "little")
    if len(start) < 8 or header > size - 8:
        # Checked only now: a valid header length may begin with the same bytes as a pickle.
        if start.startswith((b"PK\x03\x04", b"\x80")):
            raise TensorFileError(
                f"{path}: a pickled PyTorch file, which is not opened because it could run code",
                Remedy(Action.IMPORT_WEIGHTS),
            )
        raise TensorFileError(f"{path}: not a safetensors file, or truncated")
    if header > MAX_HEADER_BYTES:
        raise TensorFileError(f"{path}: its header of {header} bytes is too long")
    return header


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
