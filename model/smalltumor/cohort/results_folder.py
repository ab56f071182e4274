"""The folder of a cohort's results, and how they were made."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from smalltumor.cohort.parts import WHOLE
from smalltumor.data.segmentation import region_paths
from smalltumor.errors import Action, CaseError, OutputError, Remedy
from smalltumor.files.atomic import remove_temporary_files, write_text

TABLE = "cohort.csv"
SETTINGS = "cohort.json"
LOCK = ".cohort.lock"
_OUTDATED = "again"
_MISSING = "missing_modalities"
_LESIONS = "_lesions.csv"


class ResultsFolder:
    """Results of many cases, all made with the same settings.

    Parameters
    ----------
    path : Path
        Holds ``CASE.nii.gz`` and ``CASE_lesions.csv`` for each case, region masks where they were
        asked for, the `TABLE`, and in `SETTINGS` how the masks were made, which of them were made
        without T1, T2 or FLAIR, and which are outdated, that is, to be replaced because they were
        made with earlier settings.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._settings: dict[str, Any] = {}

    def mask(self, case: str) -> Path:
        """Path of a case's mask. It is written last: a case with a mask is done."""
        return self.path / f"{case}.nii.gz"

    def lesions(self, case: str) -> Path:
        """Path of a case's lesion table."""
        return self.path / f"{case}{_LESIONS}"

    def candidates(self, case: str) -> Path:
        """Path of the label image of a case's candidates."""
        return self.path / f"{case}_candidates.nii.gz"

    def regions(self, case: str) -> list[Path]:
        """Paths of a case's region masks."""
        return list(region_paths(self.mask(case)).values())

    def has_regions(self, case: str) -> bool:
        """Whether all region masks of a case exist."""
        return all(path.exists() for path in self.regions(case))

    def has_any_region(self, case: str) -> bool:
        """Whether a region mask of a case exists."""
        return any(path.exists() for path in self.regions(case))

    def is_current(self, case: str) -> bool:
        """Whether a case's mask exists and was made with the present settings."""
        return self.mask(case).exists() and case not in self._settings[_OUTDATED]

    def missing(self, case: str) -> tuple[str, ...]:
        """Modalities without which a case's mask was made."""
        return tuple(self._settings[_MISSING].get(case, ()))

    def record_missing(self, case: str, missing: Sequence[str]) -> None:
        """Record without which modalities the mask is made that is to be written next."""
        if tuple(missing) != self.missing(case):
            self._settings[_MISSING] |= {case: list(missing)}
            self._write_settings()

    def mark_current(self, case: str) -> None:
        """Record that a case's mask has just been written."""
        if case in self._settings[_OUTDATED]:
            self._settings[_OUTDATED].remove(case)
            self._write_settings()

    @contextmanager
    def claimed(
        self, made_with: Mapping[str, Any], cases: Iterable[str], overwrite: bool
    ) -> Iterator[None]:
        """Create or check the folder, and keep other runs out of it within the block.

        Half-written files that a killed run left are removed.

        Parameters
        ----------
        made_with : mapping
            Settings that all masks of the folder share, for JSON.
        cases : iterable of str
            Names of the cases of this run.
        overwrite : bool
            Replace the masks of the folder, from now on with these settings.

        Raises
        ------
        OutputError
            If another run is writing to the folder, it holds other files or masks made with
            other settings, or it cannot be used.
        """
        self._read_settings()
        with self._locked():
            self._claim(made_with, cases, overwrite)
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise OutputError(
                f"another run is writing to {self.path}; wait until it has ended"
            ) from error
        except OSError as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        except NotImplementedError:
            pass  # some network drives have no locks: then two runs are the user's to avoid
        try:
            yield
        finally:
            lock.release()

    def _claim(self, made_with: Mapping[str, Any], cases: Iterable[str], overwrite: bool) -> None:
        existing = self._read_settings()
        if existing is not None:
            self._check_part(existing, made_with)
        if existing is not None and not overwrite:
            different = [
                key for key in made_with if key != "part" and existing.get(key) != made_with[key]
            ]
            if different:
                settings = ", ".join(f"{key} {existing.get(key)}" for key in different)
                raise OutputError(
                    f"{self.path} holds masks made with {settings}", Remedy(Action.REPLACE_OUTPUT)
                )
        try:
            remove_temporary_files(self.path)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        outdated = (existing or {}).get(_OUTDATED, [])
        if overwrite:
            names = {*cases, *outdated, *self._cases_with_tables()}
            outdated = sorted(name for name in names if self.mask(name).exists())
        missing = (existing or {}).get(_MISSING, {})
        self._settings = {**made_with, _MISSING: missing, _OUTDATED: outdated}
        self._write_settings()

    def _check_part(self, existing: Mapping[str, Any], made_with: Mapping[str, Any]) -> None:
        """Refuse another part, even to overwrite: masks of the part before would stay."""
        whole = str(WHOLE)  # also that of folders made before there were parts
        part = existing.get("part", whole)
        if part != made_with.get("part", whole):
            raise OutputError(
                f"{self.path} holds part {part} of a cohort", Remedy(Action.CHOOSE_OUTPUT)
            )

    def _cases_with_tables(self) -> list[str]:
        return [path.name.removesuffix(_LESIONS) for path in self.path.glob(f"*{_LESIONS}")]

    def _read_settings(self) -> dict[str, Any] | None:
        settings = self.path / SETTINGS
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if settings.exists():
                return dict(json.loads(settings.read_text(encoding="utf-8")))
            foreign = any(not path.name.startswith(".") for path in self.path.iterdir())
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(f"{self.path} cannot be used: {error}") from error
        if foreign:
            raise OutputError(
                f"{self.path} is not empty and holds no {SETTINGS}; name a folder for the results "
                "alone"
            )
        return None

    def _write_settings(self) -> None:
        text = json.dumps(self._settings, indent=2, ensure_ascii=False)
        write_text(self.path / SETTINGS, text + "\n", overwrite=True)


def check_distinct(cases: Iterable[str], folder: ResultsFolder) -> None:
    """Check that no two cases share a result file, on any file system.

    Some file systems do not distinguish upper and lower case, or composed and decomposed letters.

    Raises
    ------
    CaseError
        Naming the first two cases that do.
    """
    owners: dict[str, str] = {}
    for case in cases:
        files = (folder.mask(case), folder.lesions(case), folder.candidates(case))
        for path in (*files, *folder.regions(case)):
            key = unicodedata.normalize("NFC", path.name).casefold()
            owner = owners.setdefault(key, case)
            if owner != case:
                raise CaseError(
                    f"the cases {owner} and {case} would both be written to {path.name}; rename one"
                )
