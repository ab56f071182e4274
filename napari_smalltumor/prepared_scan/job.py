"""Applying a correction, as a function without Qt and layers that a worker can call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.data.case import REFERENCE, Case
from smalltumor.errors import CaseError
from smalltumor.scanner.preparation.correction import Correction, corrected
from smalltumor.scanner.prepared.lock import locked_preparation
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.series_of_case import series_in
from smalltumor.scanner.prepared.stored_case import stored_case

from napari_smalltumor.layers.changed_images import no_longer_shown_text
from napari_smalltumor.prepared_scan.corrected_images import keep_key
from napari_smalltumor.scanner.archives import unpacked_folder

if TYPE_CHECKING:
    from smalltumor.scanner.prepared.prepared_case import PreparedCase

_CORRECTED = 0.9


@dataclass(frozen=True)
class CorrectionJob:
    """Arguments of a correction; calling the job applies it.

    Parameters
    ----------
    case : Case
        As it was read from the folder of the prepared case.
    scan : Path
        Folder or archive of the scan; it is only read.
    correction : Correction
    """

    case: Case
    scan: Path
    correction: Correction

    def __call__(
        self, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
    ) -> PreparedCase:
        """Make the images again and store them.

        Raises
        ------
        SmalltumorError
            `Cancelled` if `cancelled` returned true; the case is then as it was.
        """
        self._check_images()
        progress(0.0, "reading the scan")
        prepared = stored_case(self.case)
        if prepared is None:
            raise CaseError(f"{self.case.name} was not prepared by this program")
        folder = self.case.paths[REFERENCE].parent
        with locked_preparation(folder):
            result = corrected(
                prepared,
                series_in(unpacked_folder(self.scan), prepared),
                self.correction,
                progress=lambda fraction, step: progress(_CORRECTED * fraction, step),
                cancelled=cancelled,
            )
            progress(_CORRECTED, "writing the case")
            self._check_images()
            keep_key(self.case, result)
            write_prepared(result, folder, overwrite=True, cancelled=partial(self._ends, cancelled))
        return result

    def _ends(self, cancelled: Callable[[], bool]) -> bool:
        self._check_images()
        return cancelled()

    def _check_images(self) -> None:
        """Check that the folder does not hold another patient's images by now."""
        if self.case.has_changed_images:
            raise CaseError(f"{no_longer_shown_text(self.case)}; nothing was corrected")
