"""What the Lesions dock says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.lesions import Lesion
from smalltumor.text import mm3_text, pluralize, volume_text

from napari_smalltumor import keys
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.review.steps import Addition, Deletion, Rejection, Step
from napari_smalltumor.lesions.second_look.status import SecondLookStatus
from napari_smalltumor.lesions.table.columns import ACCEPTED, SMALL

if TYPE_CHECKING:
    from napari.layers import Labels

NOTHING_SEGMENTED = "Not segmented yet"
NO_CASE = "No case is open"
NOT_ET = "Choose the region ET to add by a click"
SECOND_LOOK_NEEDS = "Second look needs T1CE and T1"
IN_MASK = "This spot is in the mask already"
NOTHING_ENHANCES = "Nothing enhances here"
NOT_IN_VIEW = "The lesion was out of view. Press again"
NOT_IN_3D = "Lesions are added and deleted by a click in 2D, not in 3D"
OTHER_PATIENT = "Another patient is shown by now. Click again"
EARLIER_SCAN = f"Show the current scan first ({keys.FLICKER.sequence})"
NO_LESION_HERE = "No lesion of the mask is here"
ALL_SMALL_ACCEPTED = "Every small lesion is accepted"
CANDIDATES_FOLLOW = f"All small accepted; {keys.ACCEPT.sequence} adds the candidate"
NO_SMALL_LESIONS = "No small lesions in the table"
_WITHOUT_CANDIDATES = {
    SecondLookStatus.NOT_COMPUTED: "Second look failed",
    SecondLookStatus.NOT_KEPT: (
        "No probabilities for a second look were saved with this mask. "
        f"{keys.SEGMENT.sequence} segments again and replaces it."
    ),
    SecondLookStatus.IMPOSSIBLE: SECOND_LOOK_NEEDS,
    SecondLookStatus.NOT_STORED: (
        f"Candidates were not stored. {keys.SEGMENT.sequence} segments again and replaces the mask."
    ),
    SecondLookStatus.REFUSED: (
        "The candidate files are damaged or do not match this mask. "
        f"{keys.SEGMENT.sequence} segments again and replaces it."
    ),
}
"""The line above the second list where there is none."""


def summary(review: LesionReview, *, searching: bool, failure: str) -> str:
    """The line under the table."""
    if review.source is None:
        return NOTHING_SEGMENTED if review.has_patient else NO_CASE
    if failure:
        return f"The search for lesions failed: {failure}"
    if not review.lesions:
        name = REGION_NAMES[review.region]
        return "Searching for lesions ..." if searching else f"No {name}"
    ml = sum(lesion.ml for lesion in review.lesions)
    found = _counts_with_marks(review)
    if review.unseen.under_review is not None:
        return f"{_title(review.unseen.under_review)} is hidden; {found}"
    return f"{found}, {volume_text(ml)} ml"


def _counts_with_marks(review: LesionReview) -> str:
    """Numbers of lesions, with the marks of the rows as their key."""
    found = counts(review.lesions, review.specks, small=f"small {SMALL}")
    accepted = sum(map(review.is_accepted, review.lesions))
    return f"{found}, {accepted} accepted {ACCEPTED}" if accepted else found


def counts(
    lesions: Sequence[Lesion], specks: Sequence[Lesion], kind: str = "", small: str = "small"
) -> str:
    """Number of lesions, of small ones and of specks; a speck does not count as small.

    Parameters
    ----------
    lesions : sequence of Lesion
    specks : sequence of Lesion
        Those of the lesions that are specks.
    kind : str
        Adjective, such as ``enhancing``.
    small : str
        What small lesions are called.
    """
    apart = set(specks)
    number = sum(lesion.is_small and lesion not in apart for lesion in lesions)
    parts = [pluralize(len(lesions), f"{kind} component".strip()), f"{number} {small}"]
    return ", ".join([*parts, pluralize(len(specks), "speck")] if specks else parts)


def no_next_lesion_text(review: LesionReview) -> str:
    """Why there is no next lesion."""
    return "" if review.source is None else NO_SMALL_LESIONS


def deleted_text(lesions: Sequence[Lesion]) -> str:
    """What was deleted, and how it is restored."""
    if not lesions:
        return "The lesion has been edited; the table is being updated"
    size = sum(lesion.voxels for lesion in lesions)
    return (
        f"Deleted {pluralize(len(lesions), 'lesion')}, {pluralize(size, 'voxel')}; "
        f"{keys.UNDO.sequence} restores"
    )


def large_deletion_question(name: str, region: Region, lesions: Sequence[Lesion]) -> str:
    """What the user is asked before lesions are deleted of which some are not small.

    Parameters
    ----------
    name : str
        Of the segmentation.
    region : Region
    lesions : sequence of Lesion
    """
    large = [lesion for lesion in lesions if not lesion.is_small]
    size = sum(lesion.ml for lesion in large)
    others = len(lesions) - len(large)
    small = f", and {pluralize(others, 'small lesion')}" if others else ""
    them = "it" if len(lesions) == 1 else "them"
    return (
        f"{name}: {pluralize(len(large), 'lesion')} of {region.name} that "
        f"{'is' if len(large) == 1 else 'are'} not small, {volume_text(size)} ml{small}.\n\n"
        f"Delete {them}? {keys.UNDO.sequence} restores {them}."
    )


def hidden_layer_text(layer: Labels) -> str:
    """Why nothing was changed in a layer."""
    return f"{_title(layer)} is hidden. Show it to edit lesions"


def removed_layer_text(layer: Labels) -> str:
    """Why nothing was undone in a layer."""
    return f"{_title(layer)} was removed. Restore it to undo what was done in it"


def _title(layer: Labels) -> str:
    """What a mask is called in a line that is short."""
    region = region_of(layer)
    return "The mask" if region is None else region.name


def accepted_text(lesions: Sequence[Lesion], are_accepted: bool) -> str:
    """What was accepted, or is accepted no longer."""
    number = pluralize(len(lesions), "lesion")
    return f"Accepted {number}" if are_accepted else f"{number} no longer accepted"


def added_text(lesion: Lesion) -> str:
    """What was added to the mask, and how it is taken back."""
    return f"Added {mm3_text(lesion.mm3)} mm³ to ET; {keys.UNDO.sequence} undoes this"


def candidate_added_text(candidate: Lesion, left: int) -> str:
    """What was added, how it is taken back, and how many candidates are still to be decided on."""
    rest = pluralize(left, "candidate") if left else "no candidate"
    size = mm3_text(candidate.mm3)
    return f"Added {size} mm³ to ET ({keys.UNDO.sequence} undoes), {rest} left"


def rejected_text() -> str:
    """That a candidate was rejected, and how it is taken back."""
    return f"Rejected for this patient; {keys.UNDO.sequence} undoes this"


def no_second_look_text(status: SecondLookStatus) -> str:
    """Why a click can add nothing."""
    if status is SecondLookStatus.NO_ORIGIN:
        return "Segment the case first to add by a click"
    if status is SecondLookStatus.NOT_KEPT:
        return f"To add by a click, segment again ({keys.SEGMENT.sequence}): this replaces the mask"
    if status is SecondLookStatus.IMPOSSIBLE:
        return SECOND_LOOK_NEEDS
    return "Second look is not ready yet"


def candidates_title(
    review: LesionReview, status: SecondLookStatus, *, searching: bool, doubtful: bool = False
) -> str:
    """The line above the second list; empty if there is no such list."""
    if status is SecondLookStatus.NO_ORIGIN or review.region is not Region.ET:
        return ""
    if searching:
        return "Second look: searching ..."
    if status is not SecondLookStatus.COMPUTED:
        return _WITHOUT_CANDIDATES[status]
    if not review.candidates:
        return "Second look: no candidates to decide on"
    found = pluralize(len(review.candidates), "candidate")
    return f"Second look: {found}" + (", scores for other weights" if doubtful else "")


def about_candidates(score_warning: str, problem: str) -> str:
    """What the tip of the second list adds: what is doubtful of its scores, or why it is empty."""
    if problem:
        segment = f"{keys.SEGMENT.sequence} segments the case again and finds candidates"
        return f"No candidates: {problem}. {segment}."
    return f"{score_warning[:1].upper()}{score_warning[1:]}." if score_warning else ""


def undone_text(step: Step) -> str:
    """What was taken back."""
    number = pluralize(len(step.lesions), "lesion")
    if isinstance(step, Addition):
        return f"Removed {number} from ET again"
    if isinstance(step, Rejection):
        return f"Listed {pluralize(len(step.lesions), 'candidate')} again"
    if isinstance(step, Deletion):
        return f"Restored {number}"
    return accepted_text(step.lesions, not step.accepted)
