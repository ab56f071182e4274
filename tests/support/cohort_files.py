"""What a cohort has written: rows of tables, and whether a file was replaced."""

from __future__ import annotations

import csv
from pathlib import Path

NAMES = ("ann", "bob", "cyd")
"""Cases of the fixture `data` of the cohort's tests."""


def version(path: Path) -> tuple[int, int]:
    """What changes when a file is replaced; reading it changes its access time alone."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def found_in(table: Path) -> list[dict[str, str]]:
    return [row for row in rows_of(table) if row["list"] == "found"]


def files_of(folder: Path) -> set[str]:
    """Names of the visible files of a folder."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}
