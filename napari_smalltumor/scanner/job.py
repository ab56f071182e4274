"""Preparing a scan, as a function without Qt and layers that a worker can call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.scanner.prepared.lock import locked_preparation
from smalltumor.scanner.prepared.output_checks import check_prepared
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.source import Source

if TYPE_CHECKING:
    from smalltumor.scanner.prepared.prepared_case import PreparedCase

_WRITING = 0.95


@dataclass(frozen=True)
class PrepareJob:
    """Arguments of a preparation; calling the job runs it.

    Parameters
    ----------
    source : Source
    output : Path
        Folder of the case.
    bias_field : bool
        Whether to correct the bias field.
    """

    source: Source
    output: Path
    bias_field: bool

    def __call__(
        self, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
    ) -> PreparedCase:
        """Prepare the case and write it.

        Raises
        ------
        SmalltumorError
            `Cancelled` if `cancelled` returned true, or `OutputError` if another preparation is
            writing to the folder; nothing is then written.
        """
        from smalltumor.scanner.preparation.prepare import prepare

        chosen = self.source.assignment.chosen
        locations = [series.location for series in chosen.values()]
        check_prepared(self.output, self.source.name, chosen, locations)
        with locked_preparation(self.output):
            case = prepare(
                self.source,
                bias_field=self.bias_field,
                progress=lambda fraction, step: progress(_WRITING * fraction, step),
                cancelled=cancelled,
            )
            progress(_WRITING, "writing the case")
            write_prepared(case, self.output, cancelled=cancelled)
        return case
