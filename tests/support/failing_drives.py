"""Drives that fail, and `Path` as in later versions of Python."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest


def use_path_of_python_3_14(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `Path` answer no instead of raising an error, as since Python 3.14."""
    later = {"exists": os.path.exists, "is_file": os.path.isfile, "is_dir": os.path.isdir}
    for name, function in later.items():
        monkeypatch.setattr(Path, name, lambda self, function=function, **options: function(self))


def let_drive_fail(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    stat = os.stat

    def fail(asked: Any, **options: Any) -> os.stat_result:
        if not isinstance(asked, int) and os.fspath(asked) == os.fspath(path):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return stat(asked, **options)

    monkeypatch.setattr(os, "stat", fail)
