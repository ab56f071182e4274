"""A file that a user has chosen to write, and what may be replaced there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qtpy.QtWidgets import QWidget
from smalltumor.errors import OutputError
from smalltumor.files.transactions.recovery import existing

from napari_smalltumor.export.dialogs.replaced_files import confirm_replacing_files
from napari_smalltumor.export.written_masks import StampedFiles


@dataclass(frozen=True)
class Destination:
    """A file to write, in a worker, some time after the user was asked.

    Parameters
    ----------
    path : Path
    replaced : StampedFiles
        The file that the user agreed to replace, as it was then; none if there was none.
    """

    path: Path
    replaced: StampedFiles

    @classmethod
    def confirmed(cls, parent: QWidget | None, path: Path, replacement: str) -> Destination | None:
        """The file, if there is none or the user agrees to replace it; else None.

        Parameters
        ----------
        parent : QWidget or None
        path : Path
        replacement : str
            What is written, such as ``the report of P7``.
        """
        replaced = existing([path])
        if replaced and not confirm_replacing_files(parent, replaced, replacement):
            return None
        return cls(path, StampedFiles.now(replaced))

    @property
    def overwrite(self) -> bool:
        """Whether a file is replaced."""
        return bool(self.replaced.paths)

    def check(self) -> None:
        """Check, just before it is replaced, that it is still the file that the user knows.

        Raises
        ------
        OutputError
            If it was written or deleted since, such as by this window for another patient.
        """
        if not self.replaced.are_unchanged:
            raise OutputError(
                f"{self.path} was changed since you agreed to replace it, and is not replaced"
            )
