"""Whether a later change of a folder shows in its time."""

from __future__ import annotations

import time

_TICK_NS = 20_000_000
"""Systems take the time of a change from a clock that moves on every few milliseconds."""

_COARSE_TICK_NS = 2_000_000_000
"""Drives that store whole seconds, such as FAT and HFS+, store every second or every other one."""

_SECOND_NS = 1_000_000_000


def next_change_shows(changed_ns: int) -> bool:
    """Whether the next change gives a file or folder another time than it has now.

    It may not right after a change. What was read then must not be taken for the content later,
    although the time is still the same. If the clock of the drive differs from that of this
    computer, as on a server, this is known only roughly.

    Parameters
    ----------
    changed_ns : int
        Time of the last change in ns since 1970, as in ``st_mtime_ns``.
    """
    tick = _TICK_NS if changed_ns % _SECOND_NS else _COARSE_TICK_NS
    return abs(time.time_ns() - changed_ns) > tick
