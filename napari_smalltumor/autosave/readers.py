"""Who has made the edits of a case that were not exported."""

from __future__ import annotations

from collections.abc import Iterable

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

    def keep(self, case: Case, readers: Iterable[str]) -> None:
        """Keep who has made edits of a case that were restored."""
        own = self._readers.setdefault(case_key(case), [])
        own += [reader for reader in readers if reader not in own]

    def of(self, case: Case) -> tuple[str, ...]:
        """Who has made edits of a case that are kept."""
        return tuple(self._readers.get(case_key(case), ()))

    def of_edits(self, case: Case, *, edited: bool) -> tuple[str, ...]:
        """Who has edited a case, with the reader now; nobody if no edits are left."""
        if not edited:
            self.forget(case_key(case))
            return ()
        self.keep(case, filter(None, [self._now]))
        return self.of(case)
