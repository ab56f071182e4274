"""What the buttons and keys of the review do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smalltumor.lesions import Lesion

from napari_smalltumor import keys
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.actions.large_deletion import Confirm, confirm_deletion
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.review.steps import Addition, Deletion, Rejection
from napari_smalltumor.lesions.table.model import LesionsModel

if TYPE_CHECKING:
    from napari.layers import Labels


@dataclass(frozen=True, eq=False)
class ReviewActions:
    """Actions on the selected rows of a table; no widget is needed.

    Parameters
    ----------
    review : LesionReview
    model : LesionsModel
    selected_rows : callable
        Returns the selected rows from top to bottom.
    say : callable
        Shows a message, or removes the last one if it is empty.
    search : callable
        Starts a search for lesions.
    candidates_changed : callable, optional
        Lists the candidates anew.
    confirm : callable, optional
        Asks whether to delete what is not small; by default that is deleted.
    """

    review: LesionReview
    model: LesionsModel
    selected_rows: Callable[[], list[int]]
    say: Callable[[str], None]
    search: Callable[[], None]
    candidates_changed: Callable[[], None] = lambda: None
    confirm: Confirm = lambda text: True

    def next_small(self) -> None:
        """Go to the next small lesion of the table."""
        self._step(1)

    def previous_small(self) -> None:
        """Go to the previous small lesion of the table."""
        self._step(-1)

    def go_to_row(self, row: int) -> None:
        """Go to the lesion of a row; the row of the specks makes no lesion current."""
        self.say("")
        lesion = self.model.lesion(row)
        if lesion is None:
            self.review.leave()
        else:
            self.review.go_to(lesion)

    def accept(self) -> None:
        """Accept the selected lesions and go to the next small one that is not accepted.

        If all of them are accepted already, the marks are removed. A candidate is added to ET.
        """
        lesions = self.selected()
        if not lesions:
            self.say("Select a lesion to accept")
        elif self._earlier_scan_is_shown() or self._comes_into_view(lesions):
            return
        elif self.review.is_candidate(lesions[0]):
            self._add_candidate(lesions[0])
        elif self._refuses(self.review.unseen.under_review):
            return
        elif self.specks_row_is_selected() and not self.review.unfolded:
            self.say(f"List the specks ({keys.FOLD.sequence}) to accept one of them")
        elif all(map(self.review.is_accepted, lesions)):
            self.review.accept(lesions, False)
            self.say(texts.accepted_text(lesions, False))
        else:
            self._accept(lesions)

    def delete(self) -> None:
        """Delete the selected lesions from their layer and from the regions inside it.

        Lesions that are not small are deleted if the user agrees. A candidate is rejected. After
        small lesions the next small one or a candidate becomes current, so that deleting once more
        cannot delete the tumour; after others, the next row.
        """
        lesions = self.selected()
        if not lesions:
            self.say("Select a lesion to delete")
        elif self._earlier_scan_is_shown() or self._comes_into_view(lesions):
            return
        elif self.review.is_candidate(lesions[0]):
            self._reject(lesions[0])
        else:
            self._delete(lesions)

    def delete_specks(self) -> None:
        """Delete all specks."""
        if self.review.specks:
            self._delete(self.review.specks)
        else:
            self.say("No specks")

    def toggle_specks(self) -> None:
        """List the specks one by one, or fold them into one row."""
        if self.review.specks:
            self.review.set_unfolded(not self.review.unfolded)
        else:
            self.say("No specks")

    def undo(self) -> None:
        """Take the last deletion or acceptance back, and go to the first of its lesions."""
        removed = self.review.unseen.removed_of_undo
        if removed is not None:
            self.say(texts.removed_layer_text(removed))
            return
        if self._earlier_scan_is_shown() or self._refuses(self.review.unseen.of_undo):
            return
        step = self.review.undo()
        if step is None:
            return
        self.say(texts.undone_text(step))
        self.candidates_changed()
        if isinstance(step, Addition | Rejection):
            again = [x for x in self.review.candidates if x in step.lesions]
            self._go_on(again[0] if again else None)
            self.search()
            return
        is_here = not isinstance(step, Deletion) or step.region is self.review.region
        if is_here and not self.review.is_folded(step.lesions[0]):
            self.review.go_to(step.lesions[0])
        self.search()  # it finds the current lesion again, under its new number

    def selected(self) -> list[Lesion]:
        """The lesions of the selected rows, else the current lesion or candidate."""
        lesions = self.model.lesions_at(self.selected_rows())
        if not lesions and self.review.current is not None:
            return [self.review.current]
        return lesions

    def specks_row_is_selected(self) -> bool:
        """Whether the row that stands for the specks is selected."""
        return self.model.specks_row in self.selected_rows()

    def _accept(self, lesions: Sequence[Lesion]) -> None:
        rows = self.model.with_rows
        self.review.accept(lesions)
        remaining = self.review.small_to_accept
        if self.review.small and not remaining:
            candidates = self.review.candidates
            self.say(texts.CANDIDATES_FOLLOW if candidates else texts.ALL_SMALL_ACCEPTED)
            if candidates:
                self.review.go_on_to(candidates[0])
            return
        self.say(texts.accepted_text(lesions, True))
        if not remaining:
            return
        row = rows.index(lesions[-1])
        self.review.go_on_to(next((x for x in rows[row:] if x in remaining), remaining[0]))

    def _add_candidate(self, candidate: Lesion) -> None:
        if self._refuses(self.review.unseen.of_addition(candidate)):
            return
        following = self._following_candidate(candidate)
        left = sum(other != candidate for other in self.review.candidates)
        if self.review.add(candidate):
            self.say(texts.candidate_added_text(candidate, left))
        self._go_on(following)
        self.search()

    def _reject(self, candidate: Lesion) -> None:
        following = self._following_candidate(candidate)
        self.review.reject([candidate])
        self.say(texts.rejected_text())
        self._go_on(following)

    def _following_candidate(self, candidate: Lesion) -> Lesion | None:
        """The candidate after one, else the one before it."""
        others = self.review.candidates
        place = others.index(candidate) if candidate in others else 0
        left = [*others[place + 1 :], *reversed(others[:place])]
        return left[0] if left else None

    def _go_on(self, lesion: Lesion | None) -> None:
        if lesion is None:
            self.review.leave()
        else:
            self.review.go_on_to(lesion)

    def _comes_into_view(self, lesions: Sequence[Lesion]) -> bool:
        """Go to the lesion to be judged, instead of judging it, if no slice that is shown cuts it.

        The user may have scrolled, or have come elsewhere by Follow-up or Compare, and mean
        another lesion.
        """
        if len(lesions) != 1 or self.review.is_shown(lesions[0]):
            return False
        self.review.go_on_to(lesions[0])
        self.say(texts.NOT_IN_VIEW)
        return True

    def _earlier_scan_is_shown(self) -> bool:
        """Refuse to judge or change current lesions on the images of an earlier scan."""
        if not self.review.unseen.earlier_scan_is_shown:
            return False
        self.say(texts.EARLIER_SCAN)
        return True

    def _refuses(self, hidden: Labels | None) -> bool:
        """Refuse to change a layer that is hidden, and say so."""
        if hidden is None:
            return False
        self.say(texts.hidden_layer_text(hidden))
        return True

    def _delete(self, lesions: Sequence[Lesion]) -> None:
        hidden = self.review.unseen.of_deletion(lesions)
        if self._earlier_scan_is_shown() or self._refuses(hidden):
            return
        if not confirm_deletion(self.review, lesions, self.confirm):
            return
        is_small = all(lesion.is_small for lesion in lesions)
        following = self._following_small(lesions) if is_small else self.model.following(lesions)
        current = self.review.current
        deleted = self.review.delete(lesions)
        self.say(texts.deleted_text(deleted))
        if current is None or current in deleted:
            self._go_on(following)
        self.search()

    def _following_small(self, lesions: Sequence[Lesion]) -> Lesion | None:
        """The small lesion after these, else a candidate, else the small lesion before them."""
        rows = [lesion for lesion in self.model.with_rows if lesion.is_small]
        first = next((n for n, lesion in enumerate(rows) if lesion in lesions), 0)
        before, after = rows[:first], [x for x in rows[first:] if x not in lesions]
        return next(iter([*after, *self.review.candidates, *reversed(before)]), None)

    def _step(self, by: int) -> None:
        small = [lesion for lesion in self.model.with_rows if lesion.is_small]
        found = self.review.step([*small, *self.review.candidates], by)
        self.say(texts.no_next_lesion_text(self.review) if found is None else "")
