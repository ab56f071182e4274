"""Layers that a step of the review would change unseen: hidden or removed ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smalltumor.lesions import Lesion

from napari_smalltumor.layers.editing.earlier_scan import earlier_scan_is_shown
from napari_smalltumor.layers.editing.visibility import can_be_seen
from napari_smalltumor.lesions.edits.addition import layers_to_add_to
from napari_smalltumor.lesions.edits.deletion import layers_to_delete_from
from napari_smalltumor.lesions.review.review_lists import ReviewLists

if TYPE_CHECKING:
    from napari.layers import Labels


class UnseenLayers:
    """What must be shown before lesions of a review are changed.

    Parameters
    ----------
    review : ReviewLists
    """

    def __init__(self, review: ReviewLists) -> None:
        self._review = review

    @property
    def earlier_scan_is_shown(self) -> bool:
        """Whether the images show an earlier scan, so that the current mask must not be changed."""
        return earlier_scan_is_shown(self._review.viewer.layers)

    @property
    def under_review(self) -> Labels | None:
        """The layer under review if it is hidden, so that its lesions must not be changed."""
        source = self._review.source
        return None if source is None else _hidden([source.layers[self._review.region]])

    def of_addition(self, lesion: Lesion) -> Labels | None:
        """A hidden layer that `LesionReview.add` would change."""
        assert lesion.indices is not None
        source = self._review.source
        return None if source is None else _hidden(layers_to_add_to(source, lesion.indices))

    def of_deletion(self, lesions: Sequence[Lesion]) -> Labels | None:
        """A hidden layer that `LesionReview.delete` would change."""
        source, region = self._review.source, self._review.region
        if source is None:
            return None
        return self.under_review or _hidden(layers_to_delete_from(source, region, lesions))

    @property
    def of_undo(self) -> Labels | None:
        """A hidden layer that `LesionReview.undo` would change."""
        return _hidden(self._layers_of_undo)

    @property
    def removed_of_undo(self) -> Labels | None:
        """A layer that `LesionReview.undo` would change, and that was removed from the viewer."""
        layers = self._review.viewer.layers
        return next((layer for layer in self._layers_of_undo if layer not in layers), None)

    @property
    def _layers_of_undo(self) -> Sequence[Labels]:
        step = self._review.last_step
        return [] if step is None else step.layers


def _hidden(layers: Sequence[Labels]) -> Labels | None:
    return next((layer for layer in layers if not can_be_seen(layer)), None)
