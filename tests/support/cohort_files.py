"""Runs of a cohort that are interrupted, and what they have written."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import pytest

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


def interrupt_in_second_case(patch: pytest.MonkeyPatch) -> None:
    """Press Ctrl+C when the second case is to be segmented, and the first is written.

    Later ones are segmented again.
    """
    from smalltumor import inference
    from smalltumor.cohort.pipeline import pipeline

    segment, calls = inference.segment, []
    write, written = pipeline.write_results, threading.Event()

    def write_results(*arguments, **options):
        row = write(*arguments, **options)
        written.set()
        return row

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            assert written.wait(60)
            raise KeyboardInterrupt
        return segment(*arguments, **options)

    patch.setattr(inference, "segment", interrupted)
    patch.setattr(pipeline, "write_results", write_results)
