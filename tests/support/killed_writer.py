"""Files as a process leaves them that is killed while it replaces them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from smalltumor.files.move_list import Move, write_lists


def hide(*paths: Path) -> None:
    """Move files aside, as before the first new one is in place."""
    moves = [
        Move(path, kept=path.with_name(f".smalltumor-{secrets.token_hex(6)}.kept"))
        for path in paths
    ]
    lists = write_lists(moves)
    for move in moves:
        assert move.kept is not None
        move.target.rename(move.kept)
    for each in lists:
        os.utime(each.folder / f"{each.name}.moves", (0, 0))  # this process has not ended
