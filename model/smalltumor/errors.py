"""What can go wrong, as types. Every message is one line that names the file and what to do."""

from __future__ import annotations

from collections.abc import Mapping


class SmalltumorError(Exception):
    """Base of every error a user can cause or mend; the command line prints it and exits 1."""


class CaseError(SmalltumorError):
    """A case cannot be read: a modality is missing, a file is damaged, values are unusable."""


class GridMismatchError(CaseError):
    """Images that must share one voxel grid do not."""


class LabelError(SmalltumorError):
    """A label volume holds values outside the scheme it should be in."""


class CheckpointError(SmalltumorError):
    """A weights file is damaged, of another network, or of a later format version."""


class OutputError(SmalltumorError):
    """A result cannot be written where it was asked for."""


class TrainingError(SmalltumorError):
    """Training cannot start or go on."""


class TrainingMemoryError(TrainingError):
    """A training step or a validation does not fit into memory.

    Parameters
    ----------
    message : str
    changes : mapping of str to int, optional
        Settings (``crop``, ``batch``) with which the run may go on.
    """

    def __init__(self, message: str, changes: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.changes = dict(changes or {})


class Cancelled(SmalltumorError):  # noqa: N818 - a wish, not a fault
    """The caller asked to stop."""
