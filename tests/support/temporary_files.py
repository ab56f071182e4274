"""Temporary files as processes leave them that are killed while they write."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_WRITER = """
import sys
from smalltumor.files.transactions.temporary_names import temporary_name

print(temporary_name(sys.argv[1]))
"""


def left_by_killed_process(folder: Path, ending: str = "") -> Path:
    """A half-written file of a process that has ended."""
    command = [sys.executable, "-c", _WRITER, ending]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    path = folder / name
    path.write_bytes(b"half")
    return path


def of_another_computer(path: Path) -> Path:
    """The same file as if a process of another computer had written it."""
    return path.rename(path.with_name(re.sub(r"-[0-9a-f]{8}-", "-00000000-", path.name, count=1)))
