"""A reader's table of reviews: who has corrected or confirmed which mask, and when."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path

from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.listings import may_exist
from smalltumor.files.names import safe_name
from smalltumor.files.tables import read_table, whole_number, write_table
from smalltumor.text import list_text, pluralize

BETWEEN_NAMES = "; "


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
    scheme : str
        Label scheme of the mask.
    images : str
        SHA-256 of each image of the case, as ``MODALITY:DIGEST``; empty if they are not known.
    edited_by : str
        Who has made the edits, separated by semicolons; the reader is who has saved the mask. Empty
        if it was not edited.
    not_visited : int or None
        How many of the listed candidates and small lesions the reader has not gone to; None if that
        is not known.
    """

    case: str
    reader: str
    time: str
    number: int
    edited: bool
    digest: str
    started_from: str
    version: str
    scheme: str
    images: str
    edited_by: str
    not_visited: int | None

    @property
    def when(self) -> str:
        """When the mask was saved, to the minute, in the time zone of this computer."""
        return f"{datetime.fromisoformat(self.time).astimezone():%Y-%m-%d %H:%M}"

    @property
    def editors(self) -> tuple[str, ...]:
        """Who has made the edits; nobody if the mask was not edited."""
        if not self.edited:
            return ()
        return tuple(self.edited_by.split(BETWEEN_NAMES)) if self.edited_by else (self.reader,)

    @property
    def who(self) -> str:
        """Who has saved the mask, who has made the edits if others did, and what was left out."""
        others = self.edited and self.editors != (self.reader,)
        return f"{self.reader}, {self.what}" if others or self.not_visited else self.reader

    @property
    def what(self) -> str:
        """What the review did: ``confirmed``, ``edited``, or ``edited by`` others.

        Confirmed is a mask only if the reader went to all that is listed of it; else it is
        ``unchanged``.
        """
        if self.edited:
            own = self.editors == (self.reader,)
            what = "edited" if own else f"edited by {list_text(self.editors)}"
        else:
            what = "confirmed" if self.not_visited == 0 else "unchanged"
        left = pluralize(self.not_visited, "place") if self.not_visited else ""
        return f"{what}, {left} not visited" if left else what

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each image, by modality."""
        return dict(pair.split(":", 1) for pair in self.images.split() if ":" in pair)


COLUMNS = tuple(field.name for field in fields(Review))


def read_reviews(table: Path) -> list[Review]:
    """Read a reader's reviews; none if there is no table yet.

    Raises
    ------
    SmalltumorError
        If the table is damaged.
    """
    if not may_exist(table):
        return []
    rows = read_table(table, COLUMNS)
    try:
        return [_review(cells) for cells in rows]
    except ValueError as error:
        raise SmalltumorError(f"{table} is damaged: {error}") from error


def read_or_note(table: Path, damaged: list[str] | None) -> list[Review]:
    """As `read_reviews`, but `damaged`, if given, takes why a table cannot be read."""
    try:
        return read_reviews(table)
    except SmalltumorError as error:
        if damaged is None:
            raise
        damaged.append(f"{error}; the reviews in it are left out")
        return []


def write_reviews(reviews: list[Review], table: Path) -> None:
    """Write a reader's reviews, in place of those before.

    Raises
    ------
    OutputError
        If the table cannot be written.
    """
    write_table(table, COLUMNS, [astuple(each) for each in reviews], overwrite=True)


def _review(cells: dict[str, str]) -> Review:
    if safe_name(cells["case"]) != cells["case"]:
        raise CaseError(f"{cells['case']!r} is not the name of a case")
    datetime.fromisoformat(cells["time"])
    number = whole_number(cells["number"])
    edited = cells["edited"].casefold() == "true"  # as Excel saves it
    not_visited = whole_number(cells["not_visited"]) if cells["not_visited"] else None
    parsed = {"number": number, "edited": edited, "not_visited": not_visited}
    return Review(**{**{name: cells[name] for name in COLUMNS}, **parsed})  # type: ignore[arg-type]
