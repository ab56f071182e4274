"""What the Worklist dock says."""

from __future__ import annotations

from smalltumor.cohort.results.results import ListedLesion
from smalltumor.cohort.reviews.ranking import reasons_of
from smalltumor.cohort.reviews.review_table import Review
from smalltumor.cohort.reviews.worklist import Worklist, WorklistEntry
from smalltumor.text import mm3_text

from napari_smalltumor.lesions.search.specks import chosen_rule

NOTHING_LISTED = 'Open a folder of results that the command "smalltumor cohort" has written.'
OUTDATED = "The cohort was run again since; open the results again to list new cases."
ALL_REVIEWED = "No case is left to review."
NO_READER = "Type your name under Reader first."
NO_DOCK = (
    "The masks belong to a review: open Plugins > Small Tumour > Worklist to save them as "
    "reviewed, or use Export... to write them elsewhere."
)


def specks_in(entry: WorklistEntry) -> int:
    """How many small lesions of the network's mask the Lesions dock counts as specks."""
    rule, small = chosen_rule(), (x for x in entry.result.listed if x.kind == "small lesion")
    return sum(rule.holds_for(lesion.mm3, lesion.mean_probability) for lesion in small)


def last_to_review(case: str) -> str:
    """That the case that is open is the only one left."""
    return f"{case}, which is open, is the only case left to review."


def cannot_be_opened(case: str) -> str:
    """That a case has no mask or images; why is said above."""
    return f"{case} cannot be opened."


def about_case(entry: WorklistEntry, *, is_open: bool = True) -> str:
    """What is known of a case, in lines: why it deserves a look, warnings, its last review."""
    if entry.result.failed:
        return f"{entry.name} failed: {entry.result.row.note}"
    reasons = reasons_of(entry.result, specks_in(entry))
    name = entry.name if is_open else f"{entry.name} (not open)"
    lines = [f"{name}: {'; '.join(reasons) or 'nothing stands out'}"]
    lines += entry.result.warnings
    if entry.files is None:
        lines.append("Its images were not found.")
    if entry.review is not None:
        review = entry.review
        lines.append(f"Reviewed by {review.reader}, {review.what}, {review.when}")
    return "\n".join(lines)


def about_lesion(lesion: ListedLesion, number: int, count: int) -> str:
    """What a lesion is, such as ``Candidate, 12 mm³, score 0.41 (1 of 3)``."""
    score = "" if lesion.score is None else f", score {lesion.score:.2f}"
    return f"{lesion.kind.capitalize()}, {mm3_text(lesion.mm3)} mm³{score} ({number} of {count})"


def nothing_to_check(entry: WorklistEntry) -> str:
    """That a case has no candidate and no small lesion."""
    return f"{entry.name} has no candidate and no small lesion."


def saved(review: Review, cohort: str = "") -> str:
    """That a case was saved as reviewed; `cohort` is named if it is not the listed one."""
    what = review.what if review.edited or review.not_visited else "as it was"
    of_cohort = f" of {cohort}" if cohort else ""
    return f"Saved {review.case}{of_cohort}, {what}, as reviewed by {review.reader}."


def progress(worklist: Worklist) -> str:
    """How many cases are reviewed, of those that can be opened."""
    count = sum(entry.can_be_opened for entry in worklist.entries)
    others = len(worklist.entries) - count
    closed = f", {others} cannot be opened" if others else ""
    text = f"{worklist.folder.name}: {worklist.reviewed} of {count} cases reviewed{closed}"
    return f"{text}. {OUTDATED}" if worklist.is_outdated else text
