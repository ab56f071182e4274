"""Files that cannot grow, as on a full disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

resource = pytest.importorskip("resource", reason="this system limits no sizes of files")


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let this process write no file beyond some bytes; what goes beyond fails, as on a full disk.

    Nothing may be printed meanwhile: pytest keeps that in files.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
