"""A review: what is decided on the lesions and candidates that are listed, and steps to undo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakSet

from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor.case_data.moved_cases import taken_over
from napari_smalltumor.lesions.decisions.verdicts import (
    ReplacedDecisions,
    Verdict,
    decide,
    is_rejected,
    take_back,
)
from napari_smalltumor.lesions.edits.addition import add_voxels, layers_to_add_to
from napari_smalltumor.lesions.edits.deletion import delete_lesions
from napari_smalltumor.lesions.review.lesion_positions import LesionPosition
from napari_smalltumor.lesions.review.review_lists import ReviewLists
from napari_smalltumor.lesions.review.steps import Acceptance, Addition, Deletion, Rejection, Step
from napari_smalltumor.lesions.review.unseen_layers import UnseenLayers
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LesionReview(ReviewLists):
    """The review of the lesions in one viewer.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    unseen : UnseenLayers
        What must be shown before a step changes it.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self.unseen = UnseenLayers(self)
        super().__init__(viewer)

    def open(self) -> None:
        """Connect to the viewer, and review what is there now; does nothing if it is open."""
        open_reviews(self.viewer).add(self)
        taken_over.connect(self._on_taken_over, unique=True)
        super().open()

    def close(self) -> None:
        """Disconnect from the viewer and its layers, and remove the rings."""
        open_reviews(self.viewer).discard(self)
        taken_over.disconnect(self._on_taken_over, missing_ok=True)
        super().close()

    def accept(self, lesions: Sequence[Lesion], accepted: bool = True) -> None:
        """Mark lesions as accepted, or remove the marks, in one step of undo."""
        changed = [lesion for lesion in lesions if self.is_accepted(lesion) is not accepted]
        if self.source is None or not changed:
            return
        before = self.source.marks_of(self.region, changed)
        self.source.accept(self.region, changed, accepted)
        replaced = None if accepted else self._record(changed, None)  # those that were added
        self.segmentation.progress.steps.append(
            Acceptance(self.source, self.region, before, accepted, replaced)
        )
        self._update()

    def add(self, lesion: Lesion) -> bool:
        """Add a candidate, or a lesion that was grown, to enhancing tumour.

        Returns
        -------
        bool
            False if the mask holds all its voxels already.
        """
        assert lesion.indices is not None
        if self.source is None:
            return False
        layers = layers_to_add_to(self.source, lesion.indices)
        changes = add_voxels(self.source, lesion.indices)
        if not changes:
            return False
        replaced = self._record([lesion], Verdict.ADDED)
        self.segmentation.progress.steps.append(
            Addition(self.source, [lesion], changes, layers, replaced)
        )
        self._drop([lesion])
        return True

    def reject(self, candidates: Sequence[Lesion]) -> None:
        """Reject candidates of this patient, in one step of undo."""
        if self.source is None or not candidates:
            return
        replaced = self._record(candidates, Verdict.REJECTED)
        self.segmentation.progress.steps.append(Rejection(self.source, list(candidates), replaced))
        self._drop(candidates)

    def _on_taken_over(self) -> None:
        """Show what is decided by what was kept of this patient in another folder."""
        layer = None if self.source is None else self.source.layers.get(Region.ET)
        self._drop([x for x in self.candidates if layer is not None and is_rejected(layer, x)])

    def _drop(self, candidates: Sequence[Lesion]) -> None:
        self.candidates = [x for x in self.candidates if x not in candidates]
        self._update()

    def _record(
        self, lesions: Sequence[Lesion], verdict: Verdict | None
    ) -> ReplacedDecisions | None:
        """Record what was decided on lesions of ET; with None, that nothing is decided."""
        if self.source is None or self.region is not Region.ET:
            return None
        layer = self.source.layers[Region.ET]
        if verdict is None:
            return take_back(layer, lesions)
        return decide(layer, verdict, lesions)

    def delete(self, lesions: Sequence[Lesion]) -> list[Lesion]:
        """Delete lesions from the segmentation, in one step of undo.

        Returns
        -------
        list of Lesion
            Those that were deleted; a lesion that was edited since the last search is kept.
        """
        if self.source is None:
            return []
        deleted, changes = delete_lesions(self.source, self.region, lesions)
        if deleted:
            marks = self.source.marks_of(self.region, deleted)
            accepted = {lesion: by for lesion, by in marks.items() if by is not None}
            if accepted:
                self.source.accept(self.region, list(accepted), accepted=False)
            replaced = self._record(deleted, None)
            self.segmentation.progress.steps.append(
                Deletion(self.region, deleted, changes, self.source, accepted, replaced)
            )
            gone = set(deleted)
            self.lesions = [lesion for lesion in self.lesions if lesion not in gone]
            if self.current in gone:
                self.segmentation.progress.current = None
            self._update()
        return deleted

    def undo(self) -> Step | None:
        """Undo the last step, and return it; None if there was none."""
        step = self.segmentation.progress.steps.undo()
        if isinstance(step, Deletion):
            self._list_again(step)
        if step is not None:
            self._update()
        return step

    def _list_again(self, step: Deletion) -> None:
        if step.region is self.region:
            self.lesions = sorted([*self.lesions, *step.lesions], key=lambda x: (x.voxels, x.id))


def review_lesion_at(viewer: ViewerModel, position: LesionPosition) -> bool:
    """Make the lesion at a position the current one of every open review, or none.

    What was current is elsewhere, and must not be accepted or deleted in place of what is shown.

    Returns
    -------
    bool
        Whether a review lists such a lesion.
    """
    found = [review.go_to_place(position) for review in open_reviews(viewer)]
    return any(found)


@one_per_viewer
def open_reviews(viewer: ViewerModel) -> WeakSet[LesionReview]:
    """The reviews of a viewer that are not closed."""
    return WeakSet()
