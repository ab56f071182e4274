"""When files were written, for the user."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path


def written_text(paths: Iterable[Path]) -> str:
    """When the last of some files was written, in local time; empty if that cannot be told."""
    try:
        last = max((path.stat().st_mtime for path in paths), default=None)
    except OSError:
        return ""
    return "" if last is None else f"written on {datetime.fromtimestamp(last):%Y-%m-%d %H:%M}"
