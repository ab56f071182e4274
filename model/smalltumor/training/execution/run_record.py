"""What a run records about itself in ``config.json``, and the cards of its networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    STARTED_FROM_TRAINED_ON_IMAGES,
    TRAINED_ON,
    TRAINED_ON_IMAGES,
    ancestors,
    images_trained_on,
    known_cases,
    read_facts,
    selected_on,
    trained_on,
)
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.same_images import known_by_images
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
    digests : mapping of str to str
        `t1ce_digest` of the cases that the run had at any time, by name.
    """

    request: TrainingRequest
    config: TrainingConfig
    split: Split
    origin: Mapping[str, Any]
    steps_per_epoch: int
    digests: Mapping[str, str] = field(default_factory=dict)

    def write(self, run: RunFolder) -> None:
        """Write ``config.json``."""
        values = self.request.record() | {
            "origin": dict(self.origin),
            "steps_per_epoch": self.steps_per_epoch,
            "training": self.config.to_dict(),
            "split": self.split.to_dict(),
            "t1ce_digests": dict(self.digests),
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
                digests={str(c): str(d) for c, d in values.get("t1ce_digests", {}).items()},
            )
        except DAMAGED as error:
            raise TrainingError(f"{run.config} is damaged ({error!r})") from error


def origin_of(
    initial: Checkpoint | None, weights: Path | None, digests: Mapping[str, str]
) -> dict[str, Any]:
    """Name and SHA-256 of the weights a run starts from, and the cases that they know.

    Parameters
    ----------
    initial : Checkpoint or None
    weights : Path or None
        Its file.
    digests : mapping of str to str
        `t1ce_digest` of the cases of the run. One whose images the weights know under another name
        is listed among theirs.
    """
    if initial is None:
        return {"started_from": str(weights) if weights else "random weights"}
    selection, before = sorted(selected_on(initial.card)), ancestors(initial.card)
    known, images = trained_on(initial.card), images_trained_on(initial.card)
    copies = sorted(known_by_images(initial.card, digests) - known_cases(initial.card))
    if copies:
        known = [*known, *copies] if isinstance(known, list) else ", ".join([known, *copies])
    return {
        "started_from": initial.name,
        STARTED_FROM_DIGEST: initial.digest,
        STARTED_FROM_TRAINED_ON: known,
        **({STARTED_FROM_TRAINED_ON_IMAGES: images} if images else {}),
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
    images = sorted(filter(None, (record.digests.get(case) for case in cases)))
    return {
        "name": record.request.run.resolve().name,
        TRAINED_ON: list(cases),
        **({TRAINED_ON_IMAGES: images} if images else {}),
        **record.origin,
        "preset": record.request.preset,
        "use": RESEARCH_USE,
        **({MODALITY_DROPOUT: dropout} if dropout else {}),
        **(read_facts(record.request.card) if record.request.card else {}),
    }
