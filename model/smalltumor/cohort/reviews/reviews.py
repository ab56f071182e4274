"""Reviews of a cohort's masks: who has corrected or confirmed which mask, and when.

Each reader has a folder with masks and a table, so that no reader writes another's files::

    MASKS/reviews/READER/reviews.csv
    MASKS/reviews/READER/CASE_review1.nii.gz

A review starts from the latest mask of a case. It is refused if that is another one meanwhile. A
mask is never replaced: each review has its own file, and counts once it is in the table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

import numpy as np
from filelock import Timeout

from smalltumor.cohort.results.records import CohortCaseRecord, are_other_files
from smalltumor.cohort.results.results import read_info
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.stored_mask import digest_of_file, read_stored_mask
from smalltumor.cohort.reviews.mask_to_review import MaskToReview
from smalltumor.cohort.reviews.review_table import (
    BETWEEN_NAMES,
    Review,
    read_or_note,
    read_reviews,
    write_reviews,
)
from smalltumor.data.naming.cohort_names import REVIEW_TABLE, review_file
from smalltumor.errors import CaseError, OutputError, SmalltumorError
from smalltumor.files.listings import entries, may_exist
from smalltumor.files.locks import locked
from smalltumor.files.names import file_key, name_key, safe_name
from smalltumor.version import software_version

if TYPE_CHECKING:
    from smalltumor.data.segmentation import Segmentation

LOCK = ".reviews.lock"
_LOCK_TIMEOUT_S = 10.0
_MODE = 0o664
"""Of the lock: other accounts of a group that may write to the folder may save too."""


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

    def latest(self, damaged: list[str] | None = None) -> dict[str, Review]:
        """The last review of each case, by whichever reader; not those of other images.

        By the `file_key` of the case: a table may have been saved on another system.

        Parameters
        ----------
        damaged : list of str, optional
            Takes why a reader's table cannot be read, whose reviews are then left out.

        Raises
        ------
        SmalltumorError
            If a reader's table cannot be read, and `damaged` is not given.
        """
        found = {case: review for case, (review, _) in self._latest(damaged).items()}
        return {
            case: review
            for case, review in found.items()
            if not are_other_files(review.digests, self._segmented_images(review.case))
        }

    def begin(self, case: str, digests: Mapping[str, str] | None = None) -> MaskToReview:
        """Find the mask that a review of a case starts from.

        A reader whose table cannot be read is left out, see `latest`.

        Parameters
        ----------
        case : str
        digests : mapping of str to str, optional
            SHA-256 of its images, by modality; by default those that were segmented. A review of
            other images is not shown on them.

        Raises
        ------
        SmalltumorError
            If a mask cannot be read.
        """
        network = self._results.mask(case)
        digest = digest_of_file(network)
        digests = digests or self._segmented_images(case)
        review, path = self._latest([]).get(file_key(case), (None, network))
        if review is None or are_other_files(review.digests, digests):
            return MaskToReview(
                case=case,
                path=network,
                digest=digest,
                network_digest=digest,
                review=None,
                scheme=self._scheme,
                digests=digests,
                of_others=review,
            )
        return MaskToReview(
            case=case,
            path=path,
            digest=digest_of_file(path),
            network_digest=digest,
            review=review,
            scheme=review.scheme,
            digests=digests,
        )

    def obstacle(self) -> str:
        """Why no review can be saved here by this account; empty if it can.

        It is to be said before a reader corrects a mask.
        """
        folder, has = self._results.reviews, self._results.has
        try:
            needed = (folder if has(folder) else self._results.path, folder / LOCK)
            closed = [path for path in needed if has(path) and not os.access(path, os.W_OK)]
        except OutputError as error:
            return f"{error}; no review can be saved there"
        if not closed:
            return ""
        return f"{closed[0]} cannot be written by your account: no review can be saved there"

    def save(
        self,
        begun: MaskToReview,
        reviewed: Segmentation,
        reader: str,
        edited_by: Sequence[str] = (),
        not_visited: int | None = None,
    ) -> Review:
        """Save the mask of a review in the reader's folder, and record it.

        Parameters
        ----------
        begun : MaskToReview
            From `begin`, when the mask was opened.
        reviewed : Segmentation
            On the grid of the mask.
        reader : str
            Name of the reader.
        edited_by : sequence of str
            Who has made the edits; by default the reader.
        not_visited : int, optional
            How many of the listed places the reader has not gone to.

        Raises
        ------
        OutputError
            If the case was reviewed or segmented meanwhile, the name is missing or taken, or a file
            cannot be written.
        """
        reader = normalize("NFC", reader.strip())
        folder = self._folder_of(reader)
        with self._locked():
            self._check_unchanged(begun, reader)
            self._check_name(reader, folder)
            before = read_stored_mask(begun.path, begun.case, begun.scheme)
            if not reviewed.grid.matches(before.grid):
                raise OutputError(f"{begun.case}: the reviewed mask is on another grid")
            _create(folder)
            earlier = read_reviews(folder / REVIEW_TABLE)
            path = self._write(begun, reviewed, folder)
            edited = not np.array_equal(before.classes, reviewed.classes)
            review = Review(
                case=begun.case,
                reader=reader,
                time=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
                number=begun.number,
                edited=edited,
                digest=digest_of_file(path),
                started_from=begun.digest,
                version=software_version(),
                scheme=self._scheme,
                images=" ".join(
                    f"{modality}:{digest}" for modality, digest in begun.digests.items()
                ),
                edited_by=BETWEEN_NAMES.join(edited_by or [reader]) if edited else "",
                not_visited=not_visited,
            )
            write_reviews([*earlier, review], folder / REVIEW_TABLE)
        return review

    def _segmented_images(self, case: str) -> Mapping[str, str]:
        try:
            path = self._results.record(case)
            record = CohortCaseRecord.read(_named(path.parent, path.name))
        except SmalltumorError:
            return {}
        return {} if record is None else record.digests

    def _write(self, begun: MaskToReview, reviewed: Segmentation, folder: Path) -> Path:
        from smalltumor.data.segmentation import write_segmentation

        path = folder / review_file(begun.case, begun.number)
        return write_segmentation(reviewed, path, scheme=self._scheme, overwrite=True)

    def _latest(self, damaged: list[str] | None) -> dict[str, tuple[Review, Path]]:
        found: dict[str, tuple[Review, Path]] = {}
        for table in self._tables(damaged):
            for review in read_or_note(table, damaged):
                last = found.get(file_key(review.case))
                if last is None or _order(last[0]) < _order(review):
                    mask = _named(table.parent, review_file(review.case, review.number))
                    found[file_key(review.case)] = review, mask
        return found

    def _tables(self, damaged: list[str] | None) -> list[Path]:
        try:
            readers = entries(self._results.reviews)
        except CaseError as error:
            if damaged is None:
                raise
            damaged.append(f"{error}; the reviews in it are left out")
            return []
        return list(filter(may_exist, (reader / REVIEW_TABLE for reader in readers)))

    def _folder_of(self, reader: str) -> Path:
        if not reader:
            raise OutputError("a review needs the name of its reader")
        return _named(self._results.reviews, safe_name(reader))

    def _check_name(self, reader: str, folder: Path) -> None:
        """Two names that a file system does not distinguish would share a folder."""
        for table in self._tables([]):
            if name_key(table.parent.name) == name_key(folder.name):
                readers = (r.reader for r in read_or_note(table, []))
                other = next((r for r in readers if normalize("NFC", r.strip()) != reader), None)
                if other is not None:
                    raise OutputError(
                        f"Another reader already uses the name {other} here; choose a name that "
                        "differs in more than upper and lower case"
                    )

    def _check_unchanged(self, begun: MaskToReview, reader: str) -> None:
        now = self.begin(begun.case, begun.digests)
        again = f"open {begun.case} again to start from that mask"
        if now.review is not None and now.review != begun.review:
            who, when = now.review.reader, now.review.when
            is_own = normalize("NFC", who.strip()) == reader
            where = "in another window" if is_own else "meanwhile"
            raise OutputError(f"{who} has reviewed {begun.case} {where} ({when}); {again}")
        if now.network_digest != begun.network_digest:
            raise OutputError(f"{begun.case} was segmented again meanwhile; {again}")
        if now.digest != begun.digest:
            raise OutputError(f"{begun.path} was changed meanwhile; {again}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self._results.reviews
        _create(folder)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(folder / LOCK, timeout=_LOCK_TIMEOUT_S, mode=_MODE))
            except Timeout as error:
                text = "another window or reader is saving a review at present; try again"
                raise OutputError(text) from error
            except OSError as error:
                raise OutputError(f"{folder} cannot be used: {error.strerror or error}") from error
            yield


def _named(folder: Path, name: str) -> Path:
    """A file or folder of a name, which another system may have stored in other letters."""
    path = folder / name
    if may_exist(path):
        return path
    try:
        return next(
            (p for p in entries(folder) if normalize("NFC", p.name) == normalize("NFC", name)), path
        )
    except CaseError:
        return path


def _order(review: Review) -> tuple[int, str]:
    return review.number, review.time


def _create(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error
