"""The folder of a cohort's results: what is in it, and how all of it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from smalltumor.errors import Action, OutputError, Remedy
from smalltumor.files.atomic import clear_leftovers, write_text

TABLE = "cohort.csv"
SETTINGS = "cohort.json"
_AGAIN = "again"


class CohortFolder:
    """Results of many cases, all made in one way.

    Parameters
    ----------
    path : Path
        ``CASE.nii.gz`` and ``CASE_lesions.csv`` for each case, `TABLE`, and in `SETTINGS` how
        they were made and which are to be made again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._settings: dict[str, Any] = {}

    def mask_of(self, case: str) -> Path:
        """Where a case's mask goes, which is written last: with it the case is done."""
        return self.path / f"{case}.nii.gz"

    def lesions_of(self, case: str) -> Path:
        """Where a case's table goes."""
        return self.path / f"{case}_lesions.csv"

    def claim(self, made_with: Mapping[str, Any], cases: Iterable[str], overwrite: bool) -> None:
        """Make the folder, or see that it is one of ours, made as this one will be.

        What a kill left half-written in it goes.

        Parameters
        ----------
        made_with : mapping
            What all masks must have in common, for JSON.
        cases : iterable of str
        overwrite : bool
            Make those again that are there, from now on in this way.

        Raises
        ------
        OutputError
            If the folder holds anything else, or masks made in another way, or cannot be used.
        """
        there = self._read()
        if there is not None and not overwrite and there != {**there, **made_with}:
            other = ", ".join(
                f"{k} {there.get(k)}" for k, v in made_with.items() if there.get(k) != v
            )
            raise OutputError(
                f"{self.path} holds masks made with {other}", Remedy(Action.REPLACE_OUTPUT)
            )
        try:
            clear_leftovers(self.path)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        again = (there or {}).get(_AGAIN, [])
        if overwrite:
            again = [case for case in cases if self.mask_of(case).exists()]
        self._settings = {**made_with, _AGAIN: again}
        self._write()

    def is_done(self, case: str) -> bool:
        """Whether a case's mask is there and was made in the present way."""
        return self.mask_of(case).exists() and case not in self._settings[_AGAIN]

    def note_done(self, case: str) -> None:
        """A case's mask has just been written."""
        if case in self._settings[_AGAIN]:
            self._settings[_AGAIN].remove(case)
            self._write()

    def _read(self) -> dict[str, Any] | None:
        settings = self.path / SETTINGS
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if settings.exists():
                return dict(json.loads(settings.read_text(encoding="utf-8")))
            strange = any(not path.name.startswith(".") for path in self.path.iterdir())
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        if strange:
            raise OutputError(
                f"{self.path} is not empty and holds no {SETTINGS}; name a folder for the results "
                "alone"
            )
        return None

    def _write(self) -> None:
        text = json.dumps(self._settings, indent=2, ensure_ascii=False)
        write_text(self.path / SETTINGS, text + "\n", overwrite=True)
