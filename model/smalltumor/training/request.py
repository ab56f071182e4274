"""What a user asks of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainingRequest:
    """What a user asks for.

    Parameters
    ----------
    data : Path
        Folder of cases with segmentations.
    run : Path
        The run folder.
    preset : str
        One of `PRESETS`.
    changes : dict
        Fields of `TrainingConfig` that differ from the preset.
    weights : Path, optional
        Checkpoint to start from; its size and preprocessing are taken.
    validation : Path, optional
        Folder of cases to validate on, left out of training by name.
    cache : Path, optional
        Folder of prepared volumes; by default ``cache`` in the run folder.
    card : Path, optional
        JSON table of facts for the model card of the networks written.
    device : str
    resume : bool
        Go on with the run that is there.
    """

    data: Path
    run: Path
    preset: str = "paper"
    changes: dict[str, Any] = field(default_factory=dict)
    weights: Path | None = None
    validation: Path | None = None
    cache: Path | None = None
    card: Path | None = None
    device: str = "auto"
    resume: bool = False
