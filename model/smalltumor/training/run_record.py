"""What a run keeps about itself (``config.json``) and what its networks' cards say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.errors import TrainingError
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.dataloader import steps_per_epoch
from smalltumor.training.trainer import TrainingCases

if TYPE_CHECKING:
    from smalltumor.training.request import TrainingRequest


def run_record(
    request: TrainingRequest,
    config: TrainingConfig,
    before: dict[str, Any] | None,
    start: Checkpoint | None,
    cases: int,
) -> dict[str, Any]:
    """What ``config.json`` keeps; a resumed run counts its steps and epochs on as before."""
    earlier = before or {}
    usual = TrainingConfig.from_dict(earlier["training"]) if before else config
    return {
        "data": _absolute(request.data),
        "validation": _absolute(request.validation),
        "cache": _absolute(request.cache),
        "card": _absolute(request.card),
        "preset": request.preset,
        "weights": _absolute(request.weights),
        "device": request.device,
        "origin": earlier.get("origin") or _origin(start, request.weights),
        "steps_per_epoch": earlier.get("steps_per_epoch") or steps_per_epoch(usual, cases),
        "training": config.to_dict(),
    }


def _absolute(path: Path | None) -> str | None:
    return str(path.resolve()) if path else None


def model_card(
    request: TrainingRequest, cases: TrainingCases, origin: dict[str, Any]
) -> dict[str, Any]:
    """Facts for the card of every network that the run writes.

    Raises
    ------
    TrainingError
        If the file of further facts cannot be read.
    """
    return {
        "name": request.run.resolve().name,
        "trained_on": [case.name for case in cases.training],
        **origin,
        "preset": request.preset,
        "use": "research only; not a medical device, not for diagnosis",
        **_facts(request.card),
    }


def _origin(start: Checkpoint | None, weights: Path | None) -> dict[str, Any]:
    """What the weights a run starts from are called, and what they had learnt from."""
    if start is None:
        return {"started_from": str(weights) if weights else "random weights"}
    return {
        "started_from": start.name,
        "started_from_trained_on": start.card.get("trained_on", "not said"),
    }


def _facts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: the card cannot be read ({error})") from None
    if not isinstance(facts, dict):
        raise TrainingError(f"{path}: a card is a JSON table")
    return facts
