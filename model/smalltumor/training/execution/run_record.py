"""What a run records about itself in ``config.json``, and the cards of its networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smalltumor.errors import TrainingError
from smalltumor.files.damaged import DAMAGED
from smalltumor.models.card import (
    ANCESTORS,
    MODALITY_DROPOUT,
    RESEARCH_USE,
    STARTED_FROM_DIGEST,
    STARTED_FROM_SELECTED_ON,
    STARTED_FROM_TRAINED_ON,
    TRAINED_ON,
    ancestors,
    read_facts,
    selected_on,
    trained_on,
)
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.training.config import TrainingConfig
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.splits.split import Split


@dataclass(frozen=True)
class RunRecord:
    """The content of ``config.json``.

    Parameters
    ----------
    request : TrainingRequest
        Without its changes, which are part of `config`.
    config : TrainingConfig
    split : Split
    origin : dict
        What the weights the run started from are called, and what they had been trained on.
    steps_per_epoch : int
        As when the run was started, so that epochs count on when batch or cases change.
    """

    request: TrainingRequest
    config: TrainingConfig
    split: Split
    origin: Mapping[str, Any]
    steps_per_epoch: int

    def write(self, run: RunFolder) -> None:
        """Write ``config.json``."""
        values = self.request.record() | {
            "origin": dict(self.origin),
            "steps_per_epoch": self.steps_per_epoch,
            "training": self.config.to_dict(),
            "split": self.split.to_dict(),
        }
        run.write_config(values)

    @classmethod
    def read(cls, run: RunFolder) -> RunRecord:
        """The inverse of `write`.

        Raises
        ------
        TrainingError
            If the folder holds no run or a damaged one.
        """
        values = run.read_config()
        try:
            return cls(
                request=TrainingRequest.from_record({"data": "", **values}, run.path),
                config=TrainingConfig.from_dict(values["training"]),
                split=Split.from_dict(values["split"]),
                origin=dict(values["origin"]),
                steps_per_epoch=int(values["steps_per_epoch"]),
            )
        except DAMAGED as error:
            raise TrainingError(f"{run.config} is damaged ({error!r})") from error


def origin_of(initial: Checkpoint | None, weights: Path | None) -> dict[str, Any]:
    """Name and SHA-256 of the weights a run starts from, and the cases that they know."""
    if initial is None:
        return {"started_from": str(weights) if weights else "random weights"}
    selection, before = sorted(selected_on(initial.card)), ancestors(initial.card)
    return {
        "started_from": initial.name,
        STARTED_FROM_DIGEST: initial.digest,
        STARTED_FROM_TRAINED_ON: trained_on(initial.card),
        **({ANCESTORS: list(before)} if before else {}),
        **({STARTED_FROM_SELECTED_ON: selection} if selection else {}),
    }


def model_card(record: RunRecord, cases: tuple[str, ...]) -> dict[str, Any]:
    """Facts for the card of every network that the run writes.

    Raises
    ------
    CheckpointError
        If the file with further facts cannot be read.
    """
    dropout = record.config.modality_dropout
    return {
        "name": record.request.run.resolve().name,
        TRAINED_ON: list(cases),
        **record.origin,
        "preset": record.request.preset,
        "use": RESEARCH_USE,
        **({MODALITY_DROPOUT: dropout} if dropout else {}),
        **(read_facts(record.request.card) if record.request.card else {}),
    }
