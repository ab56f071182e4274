"""What to train: made by the command line or the plugin, and kept in the run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smalltumor.errors import TrainingError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED

_PATHS = ("weights", "validation_folder", "cache", "card")
_TEXTS = ("preset", "device")


@dataclass(frozen=True)
class TrainingRequest:
    """What a user wants trained, and in which run folder.

    The command line builds it from its arguments and the plugin from its widgets. A launched
    process reads it from a file in the run folder, and ``config.json`` keeps the part that a
    resumed run needs, under the same keys.

    Parameters
    ----------
    data : Path
        Folder of cases with segmentations.
    run : Path
        The run folder.
    preset : str
        One of `PRESETS`.
    changes : mapping of str to value
        Fields of `TrainingConfig` that differ from the preset, or, when a run is resumed, from
        its own configuration.
    weights : Path, optional
        Checkpoint to start from; its network size and preprocessing are used.
    validation_folder : Path, optional
        A case, or a folder of cases, to validate on; training leaves these cases out by name.
    validation_cases : tuple of str
        Names of cases of `data` to validate on; training leaves them out.
    patients : mapping of str to str
        Patients by case, for cases whose names do not tell, see `patient_of`. Scans of one patient
        are on one side of the split.
    cache : Path, optional
        Folder of prepared volumes, which runs may share; by default ``cache`` in the run folder.
    card : Path, optional
        JSON object with further facts for the model card of the networks that are written.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` ...; on resume ``auto`` means the earlier one.
    resume : bool
        Resume the run in `run` if there is one.
    """

    data: Path
    run: Path
    preset: str = "paper"
    changes: Mapping[str, Any] = field(default_factory=dict)
    weights: Path | None = None
    validation_folder: Path | None = None
    validation_cases: tuple[str, ...] = ()
    patients: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None
    card: Path | None = None
    device: str = "auto"
    resume: bool = False

    def record(self) -> dict[str, Any]:
        """The part that ``config.json`` keeps, with absolute paths."""
        paths = {name: _absolute(getattr(self, name)) for name in ("data", *_PATHS)}
        values: dict[str, Any] = {name: getattr(self, name) for name in _TEXTS}
        if self.validation_cases:
            values["validation_cases"] = list(self.validation_cases)
        if self.patients:
            values["patients"] = dict(self.patients)
        return paths | values

    @classmethod
    def from_record(cls, record: Mapping[str, Any], run: Path, **others: Any) -> TrainingRequest:
        """The request of an earlier start, from the values that `record` gave.

        Parameters
        ----------
        record : mapping
            Such as ``config.json``; other keys are ignored, and only ``data`` is required.
        run : Path
        **others
            Fields that the record does not hold: ``changes``, ``resume``.

        Raises
        ------
        TrainingError
            If there is no data folder in it, or it is damaged.
        """
        if not isinstance(record.get("data"), str):
            raise TrainingError(f"{run}: its record does not name the folder of cases")
        try:
            return cls(Path(record["data"]), run, **_recorded(record), **others)
        except DAMAGED as error:
            raise TrainingError(f"{run}: its record is damaged ({error!r})") from None

    def write(self, path: Path) -> None:
        """Write the request as JSON for the process that will train.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        values = self.record() | {
            "run": _absolute(self.run),
            "changes": dict(self.changes),
            "resume": self.resume,
        }
        write_text(path, json.dumps(values, indent=2) + "\n", overwrite=True)

    @classmethod
    def read(cls, path: Path) -> TrainingRequest:
        """The inverse of `write`.

        Raises
        ------
        TrainingError
            If the file cannot be read or is not a request.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            run, changes, resume = Path(values["run"]), dict(values["changes"]), values["resume"]
        except (OSError, *DAMAGED) as error:
            raise TrainingError(f"{path} is not a training request ({error})") from None
        return cls.from_record(values, run, changes=changes, resume=bool(resume))


def _recorded(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a record may hold beside the folder of cases."""
    values: dict[str, Any] = {n: Path(record[n]) for n in _PATHS if record.get(n)}
    values |= {name: str(record[name]) for name in _TEXTS if record.get(name)}
    values["validation_cases"] = tuple(map(str, record.get("validation_cases", ())))
    values["patients"] = {str(k): str(v) for k, v in dict(record.get("patients", {})).items()}
    return values


def _absolute(path: Path | None) -> str | None:
    return str(path.resolve()) if path else None
