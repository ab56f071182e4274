"""Files as a process leaves them that is killed while it replaces them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from smalltumor.files.transactions.journal import Move, journals_of


def hide(*paths: Path) -> None:
    """Move files aside, as before the first new one is in place."""
    moves = [
        Move(path, kept=path.with_name(f".smalltumor-{secrets.token_hex(6)}.kept"))
        for path in paths
    ]
    journals = journals_of(moves)
    for journal in journals:
        journal.write()
    for move in moves:
        assert move.kept is not None
        move.target.rename(move.kept)
    for journal in journals:
        os.utime(journal.folder / f"{journal.name}.moves", (0, 0))  # this process has not ended
