"""What a monitor needs of the ``config.json`` of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from smalltumor.models.card import ancestors, known_cases


@dataclass(frozen=True)
class RunConfig:
    """What ``config.json`` says of a run.

    Parameters
    ----------
    epochs : int
        Planned; 0 if they are not known, as of a run of minutes.
    data : Path or None
        The training folder.
    known_cases : frozenset of str
        Cases that the initial weights had been trained on.
    ancestors : tuple of str
        SHA-256 of the initial weights and of those before.
    patients : mapping of str to str
        Patients by case, as far as the names of the cases do not say them.
    """

    epochs: int = 0
    data: Path | None = None
    known_cases: frozenset[str] = frozenset()
    ancestors: tuple[str, ...] = ()
    patients: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read `RunFolder.read_config`; raises what `DAMAGED` lists."""
        training, origin = values.get("training") or {}, values.get("origin") or {}
        patients = dict(values.get("patients") or {})
        return cls(
            epochs=0 if training.get("minutes") else int(training.get("epochs", 0)),
            data=Path(values["data"]) if values.get("data") else None,
            known_cases=known_cases(origin),
            ancestors=ancestors(origin),
            patients={str(case): str(patient) for case, patient in patients.items()},
        )
