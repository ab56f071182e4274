"""The claim on a folder of results: one run at a time, with one set of settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from filelock import Timeout

from smalltumor.cohort.results.records import CaseRecord
from smalltumor.cohort.results.results_folder import SETTINGS, ResultsFolder
from smalltumor.errors import Action, OutputError, Remedy, SmalltumorError
from smalltumor.files.atomic import remove_temporary_files, write_text
from smalltumor.files.locks import locked

LOCK = ".cohort.lock"
_OUTDATED = "again"
_MISSING = "missing_modalities"
_ROUND = "round"
_PART, _CASES_DIGEST = "part", "cases_digest"
_DATA = "data"
_NOT_OF_MASKS = {_PART, _CASES_DIGEST, _DATA, "trained_on", "selected_on"}
"""What may be different in a later run: parts have a check of their own, data may be moved, and
what is said of weights goes with their digest."""


class Claim:
    """A claimed folder: the only one that writes `SETTINGS`, twice in a run.

    Parameters
    ----------
    folder : ResultsFolder
    settings : dict
        Content of `SETTINGS`: how the masks were made; how often the folder was overwritten; which
        masks were there when that was done last, and so are outdated unless they were made since;
        which were made without T1, T2 or FLAIR.
    """

    def __init__(self, folder: ResultsFolder, settings: dict[str, Any]) -> None:
        self._folder, self._settings = folder, settings

    @property
    def round(self) -> int:
        """How often the folder was overwritten; see `CaseRecord`."""
        return int(self._settings[_ROUND])

    def is_current(self, case: str) -> bool:
        """Whether a case's mask exists and was made with the present settings."""
        return self._folder.mask(case).exists() and is_current(self._folder, self._settings, case)

    def missing(self, case: str) -> tuple[str, ...]:
        """Modalities without which a case's mask was made, of a case that has no record."""
        return tuple(self._settings[_MISSING].get(case, ()))

    def end(self, missing: Mapping[str, Iterable[str]]) -> None:
        """Record without which modalities masks were made.

        Parameters
        ----------
        missing : mapping of str to iterable of str
            Of each case that has a mask now.

        Raises
        ------
        OutputError
            If this cannot be written.
        """
        known = {case: list(lacking) for case, lacking in self._settings[_MISSING].items()}
        known |= {case: list(lacking) for case, lacking in missing.items()}
        known = {case: lacking for case, lacking in known.items() if lacking}
        if known != self._settings[_MISSING]:
            self._settings[_MISSING] = known
            self.write()

    def write(self) -> None:
        """Write `SETTINGS`."""
        text = json.dumps(self._settings, indent=2, ensure_ascii=False)
        write_text(self._folder.path / SETTINGS, text + "\n", overwrite=True)


def is_current(folder: ResultsFolder, settings: Mapping[str, Any], case: str) -> bool:
    """Whether a mask was made since its folder was overwritten last, if it ever was.

    Parameters
    ----------
    folder : ResultsFolder
    settings : mapping
        Content of `SETTINGS`.
    case : str
        Has a mask.
    """
    if case not in settings.get(_OUTDATED, ()):
        return True
    try:
        record = CaseRecord.read(folder.record(case))
    except SmalltumorError:
        return False
    return record is not None and record.round == settings.get(_ROUND)


def read_settings(path: Path) -> dict[str, Any] | None:
    """The content of `SETTINGS` in a folder; None if it is not there.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    try:
        return dict(json.loads((path / SETTINGS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise OutputError(f"{path} cannot be used: {error}") from error


@contextmanager
def claimed(
    folder: ResultsFolder, made_with: Mapping[str, Any], cases: Iterable[str], overwrite: bool
) -> Iterator[Claim]:
    """Create or check a folder, and keep other runs out of it within the block.

    Half-written files that a killed run left are removed.

    Parameters
    ----------
    folder : ResultsFolder
    made_with : mapping
        Settings that all masks of the folder share, for JSON.
    cases : iterable of str
        Names of the cases of this run.
    overwrite : bool
        Replace the masks of the folder, from now on with these settings.

    Raises
    ------
    OutputError
        If another run is writing to the folder, it holds other files, another part or masks made
        with other settings, or it cannot be used.
    """
    _settings_of_folder(folder.path)
    with _locked(folder.path):
        existing = _settings_of_folder(folder.path)
        if existing is not None:
            _check_part(folder.path, existing, made_with)
            if not overwrite:
                _check_settings(folder.path, existing, made_with)
        try:
            remove_temporary_files(folder.path)
        except OSError as error:
            raise OutputError(f"{folder.path} cannot be used: {error}") from error
        claim = Claim(folder, _settings(folder, existing or {}, made_with, cases, overwrite))
        claim.write()
        yield claim


def _settings(
    folder: ResultsFolder,
    existing: Mapping[str, Any],
    made_with: Mapping[str, Any],
    cases: Iterable[str],
    overwrite: bool,
) -> dict[str, Any]:
    outdated, rounds = existing.get(_OUTDATED, []), existing.get(_ROUND, 0)
    if overwrite:
        names = {*cases, *outdated, *folder.cases_with_tables()}
        outdated = sorted(name for name in names if folder.mask(name).exists())
        rounds += 1
    missing = existing.get(_MISSING, {})
    known = {key: existing[key] for key in (_DATA,) if key in existing}  # if none is named now
    return {**known, **made_with, _MISSING: missing, _OUTDATED: outdated, _ROUND: rounds}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path / LOCK))
        except Timeout as error:
            raise OutputError(
                f"another run is writing to {path}; wait until it has ended"
            ) from error
        except OSError as error:
            raise OutputError(f"{path} cannot be used: {error}") from error
        yield


def _check_part(path: Path, existing: Mapping[str, Any], made_with: Mapping[str, Any]) -> None:
    """Refuse another part, even to overwrite: masks of the part before would stay."""
    part = existing.get(_PART)
    if part != made_with[_PART]:
        raise OutputError(f"{path} holds part {part} of a cohort", Remedy(Action.CHOOSE_OUTPUT))
    if existing.get(_CASES_DIGEST) != made_with[_CASES_DIGEST]:
        raise OutputError(
            f"{path} holds part {part} of other cases: cases were added, removed or renamed since "
            "this part was started, so the parts are different now",
            Remedy(Action.CHOOSE_OUTPUT),
        )


def _check_settings(path: Path, existing: Mapping[str, Any], made_with: Mapping[str, Any]) -> None:
    of_masks = [key for key in made_with if key not in _NOT_OF_MASKS]
    different = [key for key in of_masks if existing.get(key) != made_with[key]]
    if different:
        settings = ", ".join(f"{key.replace('_', ' ')} {existing.get(key)}" for key in different)
        raise OutputError(f"{path} holds masks made with {settings}", Remedy(Action.REPLACE_OUTPUT))


def _settings_of_folder(path: Path) -> dict[str, Any] | None:
    """Create a folder, or read its settings; a folder of other files is refused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        settings = read_settings(path)
        if settings is not None:
            return settings
        foreign = any(not file.name.startswith(".") for file in path.iterdir())
    except OSError as error:
        raise OutputError(f"{path} cannot be used: {error}") from error
    if foreign:
        raise OutputError(
            f"{path} is not empty and holds no {SETTINGS}; name a new folder for the results"
        )
    return None
