"""Who has made the edits of a case that were not exported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from smalltumor.data.case import Case

from napari_smalltumor import settings
from napari_smalltumor.case_data.records import case_key


class EditReaders:
    """The readers who have edited each case, until its edits are exported, undone or left.

    Edits are those of the reader who was named when they were made, or of the first who is named.
    """

    def __init__(self) -> None:
        self._readers: dict[str, list[str]] = {}
        self._now = settings.get("reader")
        self._restoring = ""

    @property
    def is_named(self) -> bool:
        """Whether a reader is named for the edits that are made now."""
        return bool(self._now)

    def name(self, reader: str) -> None:
        """Regard further edits as those of this reader."""
        self._now = reader

    def forget(self, key: str) -> None:
        """Forget who has made the edits of a case, by its `case_key`: further ones are new."""
        self._readers.pop(key, None)

    @contextmanager
    def restoring(self, case: Case, readers: Iterable[str]) -> Iterator[None]:
        """Context in which restored edits of a case are written as those of who has made them."""
        self._restoring = case_key(case)
        self._add(self._restoring, readers)
        try:
            yield
        finally:
            self._restoring = ""

    def of(self, case: Case) -> tuple[str, ...]:
        """Who has made edits of a case that are kept."""
        return tuple(self._readers.get(case_key(case), ()))

    def of_edits(self, case: Case, *, edited: bool) -> tuple[str, ...]:
        """Who has edited a case, with the reader now; nobody if no edits are left."""
        key = case_key(case)
        if not edited:
            self.forget(key)
        elif key != self._restoring:
            self._add(key, filter(None, [self._now]))
        return self.of(case)

    def _add(self, key: str, readers: Iterable[str]) -> None:
        own = self._readers.setdefault(key, [])
        own += [reader for reader in readers if reader not in own]
