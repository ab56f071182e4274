"""gzip by ISA-L, faster than zlib; by zlib where ISA-L is not installed."""

from __future__ import annotations

import zlib
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

_codec: Any = zlib
with suppress(ImportError):
    _codec = import_module("isal.isal_zlib")

GZIP_ERRORS: tuple[type[Exception], ...] = (zlib.error, _codec.error)
"""What is raised for data that are not gzip, or damaged."""

_GZIP = 31
"""zlib's code of a stream with the header and the checksum of gzip."""


class Unpacker(Protocol):
    """Unpacks one member of a gzip, as `zlib.decompressobj` does."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended, and its checksum is right."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input after the end of the member."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was not needed for as much output as was asked for."""
        ...

    def decompress(self, data: memoryview, max_length: int, /) -> bytes:
        """At most so many bytes of the output that follows."""
        ...


def unpacker() -> Unpacker:
    """A new object for one member of a gzip."""
    created: Unpacker = _codec.decompressobj(wbits=_GZIP)
    return created


def pack(content: bytes, level: int) -> bytes:
    """A gzip of one member, without a time: the same content gives the same bytes."""
    return bytes(_codec.compress(content, level, wbits=_GZIP))
