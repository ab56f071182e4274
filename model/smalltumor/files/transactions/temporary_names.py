"""Names of temporary files. A killed process leaves its own, and the names tell whose they were."""

from __future__ import annotations

import os
import re
import secrets
from functools import cache
from hashlib import sha256
from pathlib import Path

from smalltumor.files.names import utf8
from smalltumor.files.writers import this_computer

TEMPORARY_FILES = ".smalltumor-*.part*"
"""Pattern of temporary files, which remain only if a process is killed while it writes."""

_NAME = re.compile(r"\.smalltumor-([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{12}\.part.*")


def temporary_name(ending: str = "") -> str:
    """A new name for a temporary file or folder of this process."""
    random = secrets.token_hex(6)
    return f".smalltumor-{_computer(this_computer())}-{os.getpid()}-{random}.part{ending}"


def temporary_path(path: Path) -> Path:
    """A new name for a temporary file in the folder of a file, with the same ending."""
    ending = "".join(path.suffixes[-2:]) if path.name.endswith(".gz") else path.suffix
    return path.with_name(temporary_name(ending))


def process_of_name(name: str) -> int | None:
    """The process of this computer that a temporary file is of; None if it is not of this one."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] != _computer(this_computer()):
        return None
    return int(match[2])


@cache
def _computer(name: str) -> str:
    return sha256(utf8(name)).hexdigest()[:8]
