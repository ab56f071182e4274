"""The lock of a folder of results: one run at a time, with one set of settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import compress
from pathlib import Path

from filelock import Timeout

from smalltumor.cohort.results.derived_masks import corrected_masks
from smalltumor.cohort.results.folder_settings import CohortInfo, FolderSettings
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results_folder import SETTINGS, SUMMARIES, ResultsFolder
from smalltumor.errors import Action, OutputError, Remedy, SmalltumorError
from smalltumor.files.locks import locked
from smalltumor.files.transactions.recovery import recover_interrupted_writes
from smalltumor.files.transactions.temporary_files import remove_temporary_files
from smalltumor.text import list_text

LOCK = ".cohort.lock"


class LockedFolder:
    """A folder that this run has locked: only it writes `SETTINGS`, a few times in a run.

    Parameters
    ----------
    folder : ResultsFolder
    settings : FolderSettings
        Of this run, which has not ended.
    """

    def __init__(self, folder: ResultsFolder, settings: FolderSettings) -> None:
        self._folder, self._settings = folder, settings

    @property
    def generation(self) -> int:
        """How often the folder was overwritten; see `CohortCaseRecord`."""
        return self._settings.generation

    def is_current(self, case: str) -> bool:
        """Whether a case's mask exists and was made with the present settings."""
        has_mask = self._folder.has(self._folder.mask(case))
        return has_mask and is_current(self._folder, self._settings, case)

    def missing(self, case: str) -> tuple[str, ...]:
        """Modalities without which a case's mask was made, of a case that has no record."""
        return self._settings.missing.get(case, ())

    def existed_before(self, names: Iterable[str]) -> bool:
        """Whether one of some files of all cases was there before this run."""
        return not set(names).isdisjoint(self._settings.existing_summaries)

    def remove_summaries(self) -> None:
        """Remove the files of all cases, which are not of this run.

        Raises
        ------
        OutputError
            If one cannot be removed.
        """
        for name in SUMMARIES:
            path = self._folder.path / name
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                reason = error.strerror or error
                raise OutputError(f"{path} of an earlier run stays: {reason}") from error

    def record_missing(self, missing: Mapping[str, Iterable[str]]) -> None:
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
        known = {**self._settings.missing} | {case: tuple(each) for case, each in missing.items()}
        known = {case: lacking for case, lacking in known.items() if lacking}
        if known != self._settings.missing:
            self._write(replace(self._settings, missing=known))

    def end(self) -> None:
        """Record that the run has ended: its tables are written.

        Raises
        ------
        OutputError
            If this cannot be written.
        """
        self._write(replace(self._settings, ended=True))

    def _write(self, settings: FolderSettings) -> None:
        settings.write(self._folder.path)
        self._settings = settings


def is_current(folder: ResultsFolder, settings: FolderSettings, case: str) -> bool:
    """Whether a mask was made since its folder was overwritten last, if it ever was.

    Parameters
    ----------
    folder : ResultsFolder
    settings : FolderSettings
        Of this folder.
    case : str
        Has a mask.
    """
    if case not in settings.outdated:
        return True
    try:
        record = CohortCaseRecord.read(folder.record(case))
    except SmalltumorError:
        return False
    return record is not None and record.generation == settings.generation


@contextmanager
def locked_results(
    folder: ResultsFolder, info: CohortInfo, cases: Iterable[str], overwrite: bool
) -> Iterator[LockedFolder]:
    """Create or check a folder, and keep other runs out of it within the block.

    Half-written files are removed unless a process may be writing them, as a worker of an
    interrupted run on another computer does.

    Parameters
    ----------
    folder : ResultsFolder
    info : CohortInfo
        How this run makes masks.
    cases : iterable of str
        Names of the cases of this run.
    overwrite : bool
        Replace the masks of the folder, from now on with these settings.

    Raises
    ------
    OutputError
        If another run is writing to the folder, it holds other files, another part or masks made
        with other settings, a mask to be replaced was corrected, or it cannot be used.
    """
    names = tuple(cases)
    # Before anything is looked for, or new files are removed.
    recover_interrupted_writes(folder.path)
    _settings_of_folder(folder.path)
    with _locked(folder.path):
        before = _settings_of_folder(folder.path)
        if before is not None:
            _check_part(folder.path, before.info, info)
            if not overwrite:
                _check_settings(folder.path, before.info, info)
        remove_temporary_files(folder.path)
        settings = _settings_of_new_run(folder, before or FolderSettings(info), info)
        if overwrite:
            settings = _next_generation(folder, settings, names)
        _check_not_corrected(folder, settings, set(names))
        settings.write(folder.path)
        yield LockedFolder(folder, settings)


def _settings_of_new_run(
    folder: ResultsFolder, before: FolderSettings, info: CohortInfo
) -> FolderSettings:
    """Settings of a run that begins; it writes the files of all cases again that were there."""
    present = tuple(name for name in SUMMARIES if folder.has(folder.path / name))
    if not before.ended:
        present = tuple(dict.fromkeys((*before.existing_summaries, *present)))
    info = replace(info, data=info.data or before.info.data)  # if none is named now
    return replace(before, info=info, ended=False, existing_summaries=present)


def _next_generation(
    folder: ResultsFolder, settings: FolderSettings, cases: Iterable[str]
) -> FolderSettings:
    """Settings of a run that overwrites the folder: all masks that exist are outdated."""
    names = {*cases, *settings.outdated, *folder.cases_with_tables()}
    outdated = tuple(sorted(name for name in names if folder.has(folder.mask(name))))
    return replace(settings, generation=settings.generation + 1, outdated=outdated)


def _check_not_corrected(
    folder: ResultsFolder, settings: FolderSettings, cases: Collection[str]
) -> None:
    """Refuse to replace masks of these cases that people have corrected.

    Those of the BIDS dataset are looked at with each case.
    """

    def is_corrected(case: str) -> bool:
        return bool(corrected_masks(case, folder, None))

    outdated = [case for case in settings.outdated if case in cases]
    replaced = [case for case in outdated if not is_current(folder, settings, case)]
    with ThreadPoolExecutor() as threads:  # they unpack gzip outside Python's lock
        corrected = list(compress(replaced, threads.map(is_corrected, replaced)))
    if corrected:
        raise OutputError(
            f"{folder.path} holds masks that were corrected, which are not replaced: "
            f"{list_text(corrected)}; move or delete them, or choose another output"
        )


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
            raise OutputError(f"{path} cannot be used: {error.strerror or error}") from error
        yield


def _check_part(path: Path, before: CohortInfo, now: CohortInfo) -> None:
    """Refuse another part, even to overwrite: masks of the part before would stay."""
    if before.part != now.part:
        raise OutputError(
            f"{path} holds part {before.part} of a cohort", Remedy(Action.CHOOSE_OUTPUT)
        )
    if before.cases_digest != now.cases_digest:
        raise OutputError(
            f"{path} holds part {before.part} of other cases: cases were added, removed or renamed "
            "since this part was started, so the parts are different now",
            Remedy(Action.CHOOSE_OUTPUT),
        )


def _check_settings(path: Path, before: CohortInfo, now: CohortInfo) -> None:
    made_with, wanted = before.of_masks(), now.of_masks()
    different = [key for key in wanted if made_with[key] != wanted[key]]
    if different:
        settings = ", ".join(f"{key.replace('_', ' ')} {made_with[key]}" for key in different)
        raise OutputError(f"{path} holds masks made with {settings}", Remedy(Action.REPLACE_OUTPUT))


def _settings_of_folder(path: Path) -> FolderSettings | None:
    """Create a folder, or read its settings; a folder of other files is refused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        settings = FolderSettings.read(path)
        if settings is not None:
            return settings
        foreign = any(not file.name.startswith(".") for file in path.iterdir())
    except OSError as error:
        raise OutputError(f"{path} cannot be used: {error.strerror or error}") from error
    if foreign:
        raise OutputError(
            f"{path} is not empty and holds no {SETTINGS}; name a new folder for the results"
        )
    return None
