"""The folder of a cross-validation: its record, and a run folder for each fold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from smalltumor.errors import TrainingError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import is_file
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.splits.folds import Folds

RECORD = "folds.json"


@dataclass(frozen=True)
class CrossValidation:
    """The content of ``folds.json``.

    Parameters
    ----------
    request : TrainingRequest
        The request for all folds; `request.run` is the folder of the cross-validation.
    folds : Folds
    weights : str or None
        Digest of the starting weights; None for random weights.
    """

    request: TrainingRequest
    folds: Folds
    weights: str | None

    def fold(self, number: int) -> RunFolder:
        """The run folder of a fold."""
        return RunFolder(self.request.run / f"fold-{number}")

    @property
    def runs(self) -> list[RunFolder]:
        """The run folders of all folds, started or not."""
        return [self.fold(number) for number in range(len(self.folds.validation_cases))]

    def write(self) -> None:
        """Write the record into the folder, which must exist.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        values = self.request.record() | {
            "changes": dict(self.request.changes),
            "weights_digest": self.weights,
            **self.folds.to_dict(),
        }
        write_text(self.request.run / RECORD, json.dumps(values, indent=2) + "\n", overwrite=True)

    @classmethod
    def read(cls, folder: Path) -> CrossValidation:
        """The inverse of `write`.

        Raises
        ------
        TrainingError
            If the folder holds no cross-validation or a damaged one.
        """
        path = folder / RECORD
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            folds = Folds.from_dict(values)
            request = TrainingRequest.from_record(values, folder, changes=dict(values["changes"]))
            return cls(request, folds, values["weights_digest"])
        except OSError as error:
            raise TrainingError(f"{path} cannot be read ({error.strerror or error})") from None
        except DAMAGED as error:
            raise TrainingError(f"{path} is damaged ({error!r})") from None


def is_cross_validation(folder: Path) -> bool:
    """Whether a folder holds a cross-validation; a TrainingError if that cannot be told."""
    return is_file(folder / RECORD, unreachable=TrainingError)
