"""Ask before a lesion that is not small is deleted, since one key would delete the tumour."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtWidgets import QWidget
from smalltumor.lesions import Lesion

from napari_smalltumor import questions
from napari_smalltumor.lesions import texts
from napari_smalltumor.lesions.review.review import LesionReview

Confirm = Callable[[str], bool]
"""Whether the user agrees to what a text says."""


def confirm_deletion(review: LesionReview, lesions: Sequence[Lesion], confirm: Confirm) -> bool:
    """Ask if lesions are not all small, and return whether the user agrees to delete them.

    Parameters
    ----------
    review : LesionReview
    lesions : sequence of Lesion
        Of the region under review.
    confirm : callable
        Asks the user.

    Returns
    -------
    bool
        False, too, if another segmentation came under review while the user was asked.
    """
    source, region = review.source, review.region
    if source is None or all(lesion.is_small for lesion in lesions):
        return True
    if not confirm(texts.large_deletion_question(review.segmentation.title, region, lesions)):
        return False
    return source.is_same(review.source) and review.region is region


def ask_to_delete(parent: QWidget | None, text: str) -> bool:
    """Ask in the window of a widget."""
    return questions.confirm(parent, "Delete a lesion that is not small?", text, "Delete")
