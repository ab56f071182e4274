"""Reviews of a cohort's masks: who has corrected or confirmed which mask, and when.

Each reader has a folder with masks and a table, so that no reader writes another's files::

    MASKS/reviews/READER/reviews.csv
    MASKS/reviews/READER/CASE.nii.gz

A review starts from the latest mask of a case. It is refused if that is another one meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout

from smalltumor.cohort.records import software_version
from smalltumor.cohort.results import read_info
from smalltumor.cohort.results_folder import ResultsFolder
from smalltumor.cohort.stored_mask import digest_of_file, read_stored_mask
from smalltumor.errors import CaseError, OutputError, SmalltumorError
from smalltumor.files.names import safe_name
from smalltumor.files.tables import read_table, write_table

if TYPE_CHECKING:
    from smalltumor.data.segmentation import Segmentation

TABLE = "reviews.csv"
LOCK = ".reviews.lock"
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Review:
    """A reader's review of a case, a row of the reader's table.

    Parameters
    ----------
    case, reader : str
    time : str
        When the mask was saved, in ISO 8601 with the offset from UTC.
    number : int
        From 1 for the first review of the case, by whichever reader.
    edited : bool
        Whether the mask differs from the one that the review started from.
    digest : str
        SHA-256 of the saved mask.
    started_from : str
        SHA-256 of the mask that the review started from.
    version : str
        Of this package.
    """

    case: str
    reader: str
    time: str
    number: int
    edited: bool
    digest: str
    started_from: str
    version: str


COLUMNS = tuple(field.name for field in fields(Review))


@dataclass(frozen=True)
class MaskToReview:
    """The latest mask of a case when its review began.

    Parameters
    ----------
    case : str
    path : Path
        The mask: that of the last review, else that of the network.
    digest : str
        SHA-256 of the mask.
    network_digest : str
        SHA-256 of the network's mask.
    review : Review or None
        The last review.
    """

    case: str
    path: Path
    digest: str
    network_digest: str
    review: Review | None

    @property
    def is_altered(self) -> bool:
        """Whether the mask of the last review was changed by another program since."""
        return self.review is not None and self.review.digest != self.digest


class Reviews:
    """The reviews in a folder of results.

    Parameters
    ----------
    folder : Path
        Results of a cohort.

    Raises
    ------
    SmalltumorError
        If the folder holds no results of a cohort.
    """

    def __init__(self, folder: Path) -> None:
        self._scheme = read_info(folder).scheme
        self._results = ResultsFolder(folder)

    def latest(self) -> dict[str, Review]:
        """The last review of each case, by whichever reader.

        Raises
        ------
        SmalltumorError
            If a reader's table cannot be read.
        """
        return {case: review for case, (review, _) in self._latest().items()}

    def begin(self, case: str) -> MaskToReview:
        """Find the mask that a review of a case starts from.

        Raises
        ------
        SmalltumorError
            If a mask or a table cannot be read.
        """
        network = self._results.mask(case)
        network_digest = digest_of_file(network)
        found = self._latest().get(case)
        if found is None:
            return MaskToReview(case, network, network_digest, network_digest, None)
        review, path = found
        return MaskToReview(case, path, digest_of_file(path), network_digest, review)

    def save(self, begun: MaskToReview, reviewed: Segmentation, reader: str) -> Review:
        """Save the mask of a review in the reader's folder, and record it.

        Parameters
        ----------
        begun : MaskToReview
            From `begin`, when the mask was opened.
        reviewed : Segmentation
            On the grid of the mask.
        reader : str
            Name of the reader.

        Raises
        ------
        OutputError
            If the case was reviewed or segmented meanwhile, the name is missing or taken, or a file
            cannot be written.
        """
        folder = self._folder_of(reader)
        with self._locked():
            self._check_unchanged(begun)
            self._check_name(reader, folder)
            before = read_stored_mask(begun.path, begun.case, self._scheme)
            if not reviewed.grid.matches(before.grid):
                raise OutputError(f"{begun.case}: the reviewed mask is on another grid")
            _create(folder)
            path = self._write(begun.case, reviewed, folder)
            review = Review(
                begun.case,
                reader,
                datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
                begun.review.number + 1 if begun.review is not None else 1,
                not np.array_equal(before.classes, reviewed.classes),
                digest_of_file(path),
                begun.digest,
                software_version(),
            )
            rows = [astuple(each) for each in (*_read(folder / TABLE), review)]
            write_table(folder / TABLE, COLUMNS, rows, overwrite=True)
        return review

    def _write(self, case: str, reviewed: Segmentation, folder: Path) -> Path:
        from smalltumor.data.segmentation import write_segmentation

        path = folder / self._results.mask(case).name
        return write_segmentation(reviewed, path, scheme=self._scheme, overwrite=True)

    def _latest(self) -> dict[str, tuple[Review, Path]]:
        found: dict[str, tuple[Review, Path]] = {}
        for table in self._tables():
            for review in _read(table):
                last = found.get(review.case)
                if last is None or _order(last[0]) < _order(review):
                    mask = table.parent / self._results.mask(review.case).name
                    found[review.case] = review, mask
        return found

    def _tables(self) -> list[Path]:
        return sorted(self._results.reviews.glob(f"*/{TABLE}"))

    def _folder_of(self, reader: str) -> Path:
        if not reader.strip():
            raise OutputError("a review needs the name of its reader")
        return self._results.reviews / safe_name(reader)

    def _check_name(self, reader: str, folder: Path) -> None:
        """Two names that a file system does not distinguish would share a folder."""
        for table in self._tables():
            if table.parent.name.casefold() == folder.name.casefold():
                other = next((r.reader for r in _read(table) if r.reader != reader), None)
                if other is not None:
                    raise OutputError(f"{other} is another reader's name here; spell yours apart")

    def _check_unchanged(self, begun: MaskToReview) -> None:
        now = self.begin(begun.case)
        again = f"open {begun.case} again to start from that mask"
        if now.review is not None and now.review != begun.review:
            who, when = now.review.reader, now.review.time
            raise OutputError(f"{who} has reviewed {begun.case} meanwhile ({when}); {again}")
        if now.network_digest != begun.network_digest:
            raise OutputError(f"{begun.case} was segmented again meanwhile; {again}")
        if now.digest != begun.digest:
            raise OutputError(f"{begun.path} was changed meanwhile; {again}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self._results.reviews
        _create(folder)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=_PATIENCE_S)
        except Timeout as error:
            raise OutputError("another reader is saving a review; try again") from error
        except OSError as error:
            raise OutputError(f"{folder} cannot be used: {error}") from error
        except NotImplementedError:
            pass  # some network drives have no locks; readers still have folders of their own
        try:
            yield
        finally:
            lock.release()


def _order(review: Review) -> tuple[int, str]:
    return review.number, review.time


def _create(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error


def _read(table: Path) -> list[Review]:
    if not table.exists():
        return []
    rows = read_table(table, COLUMNS)
    try:
        return [_review(cells) for cells in rows]
    except ValueError as error:
        raise SmalltumorError(f"{table} is damaged: {error}") from error


def _review(cells: dict[str, str]) -> Review:
    if safe_name(cells["case"]) != cells["case"]:
        raise CaseError(f"{cells['case']!r} is not the name of a case")
    texts = {name: cells[name] for name in COLUMNS}
    number, edited = int(cells["number"]), cells["edited"] == "true"
    return Review(**{**texts, "number": number, "edited": edited})  # type: ignore[arg-type]
