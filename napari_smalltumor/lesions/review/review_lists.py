"""What a review lists: lesions, specks and candidates, of which one is current.

It uses the viewer but no widget, so that it works, and is tested, without a display.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion, LesionList

from napari_smalltumor.lesions.canvas.navigation import is_shown, move_to
from napari_smalltumor.lesions.review.lesion_positions import LesionPosition, lesion_at
from napari_smalltumor.lesions.review.review_rings import ReviewRings
from napari_smalltumor.lesions.review.reviewed_segmentation import ReviewedSegmentation
from napari_smalltumor.lesions.review.steps import Step
from napari_smalltumor.lesions.search.specks import NO_SPECKS, SpeckRule, specks_of
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.switching.next_frame import next_frame

if TYPE_CHECKING:
    from napari.components import ViewerModel

SAME_LESION_MM = 5.0
"""After an edit, a lesion whose centre moved less than this counts as the same lesion."""


class ReviewLists:
    """The lesions and candidates of the segmentation under review, of which one is current.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    viewer : ViewerModel
    segmentation : ReviewedSegmentation
        Which segmentation and region are reviewed.
    lesions : list of Lesion
        The result of the last search, in the order of their ids.
    candidates : list of Lesion
        Those of the second look that are still to be decided on, the likeliest first.
    unfolded : bool
        Whether the specks are listed one by one.
    """

    source_changed = Signal()
    lesions_changed = Signal()
    current_changed = Signal()
    went_to_place = Signal()
    """Another dock shows a position; what is selected is not what is shown."""

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self.segmentation = ReviewedSegmentation(viewer)
        self.segmentation.chosen.connect(self._on_chosen)
        self._rings = ReviewRings(viewer)
        self._rule = NO_SPECKS
        self.unfolded = False
        self.lesions: list[Lesion] = []
        self.candidates: list[Lesion] = []
        self.open()

    @property
    def source(self) -> ViewerSegmentation | None:
        """The segmentation under review."""
        return self.segmentation.source

    @property
    def region(self) -> Region:
        """The region under review."""
        return self.segmentation.region

    @property
    def current(self) -> Lesion | None:
        """The lesion or candidate that the viewer was moved to."""
        return self.segmentation.progress.current

    def open(self) -> None:
        """Connect to the viewer, and review what is there now; does nothing if it is open."""
        self._rings.open()
        self.segmentation.open()

    def close(self) -> None:
        """Disconnect from the viewer and its layers, and remove the rings."""
        self.segmentation.close()
        self._rings.close()

    def _on_chosen(self) -> None:
        """List nothing of another segmentation or region until the next search."""
        self.lesions, self.candidates = [], []
        self._rings.erase()
        self.source_changed.emit()
        self.lesions_changed.emit()
        self.current_changed.emit()

    def set_lesions(self, lesions: Sequence[Lesion]) -> None:
        """Set the result of a search; the current lesion stays current if it is found again."""
        self.lesions = list(lesions)
        progress = self.segmentation.progress
        if not self.is_candidate(progress.current):
            progress.current = _nearest(progress.current, self.lesions)
        if not self.is_candidate(progress.sought):
            self._find_again(self.lesions)
        self._update()

    def set_candidates(self, candidates: Sequence[Lesion]) -> None:
        """Set the candidates that are still to be decided on."""
        self.candidates = list(candidates)
        if self.is_candidate(self.segmentation.progress.sought):
            self._find_again(self.candidates)
        self._update()

    def _find_again(self, among: Sequence[Lesion]) -> None:
        """Make the lesion current that was so when the review was paused."""
        progress = self.segmentation.progress
        if progress.sought is None or not among:
            return
        found, progress.sought = _nearest(progress.sought, among), None
        if progress.current is None and found is not None:
            progress.current = found
            next_frame(self.viewer).drop_input()  # keys until then are not meant for it

    def is_candidate(self, lesion: Lesion | None) -> bool:
        """Whether a lesion is a candidate and not a component of the mask."""
        return lesion is not None and lesion.list_name is LesionList.SECOND_LOOK

    @property
    def rule(self) -> SpeckRule:
        """Which components are specks; at first none."""
        return self._rule

    @rule.setter
    def rule(self, rule: SpeckRule) -> None:
        self._rule = rule
        self._update()

    def set_unfolded(self, unfolded: bool) -> None:
        """List the specks one by one, or fold them into one row."""
        self.unfolded = unfolded
        self._update()

    @property
    def from_network(self) -> bool:
        """Whether probabilities of the segmentation are known."""
        return self.source is not None and self.source.knows_probabilities(self.region)

    @property
    def specks(self) -> list[Lesion]:
        """The specks; a lesion that was accepted is none."""
        if self.source is None:
            return []
        return specks_of(self.source, self.region, self.lesions, self._rule)

    @property
    def listed(self) -> list[Lesion]:
        """The lesions that are listed one by one."""
        folded = set() if self.unfolded else set(self.specks)
        return [lesion for lesion in self.lesions if lesion not in folded]

    def is_folded(self, lesion: Lesion) -> bool:
        """Whether the lesion, listed or not, is a speck in the folded row."""
        return not self.unfolded and bool(
            self._rule.specks([lesion], from_network=self.from_network)
        )

    @property
    def small(self) -> list[Lesion]:
        """The small lesions that are listed one by one."""
        return [lesion for lesion in self.listed if lesion.is_small]

    @property
    def small_to_accept(self) -> list[Lesion]:
        """The small lesions that are listed one by one and not accepted."""
        return [lesion for lesion in self.small if not self.is_accepted(lesion)]

    @property
    def has_patient(self) -> bool:
        """Whether a patient is active."""
        return active_patient(self.viewer).current is not None

    @property
    def last_step(self) -> Step | None:
        """The step that `undo` would take back; None if there is none."""
        return self.segmentation.progress.steps.last

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return self.last_step is not None

    def go_to(self, lesion: Lesion) -> None:
        """Make a lesion current and move the viewer to it."""
        if self.source is None:
            return
        self.segmentation.progress.current = lesion
        move_to(self.viewer, self.source, lesion)
        self._update_rings()
        self.current_changed.emit()

    def go_on_to(self, lesion: Lesion) -> None:
        """Go to a lesion that was not asked for; keys until it is drawn are not meant for it."""
        self.go_to(lesion)
        next_frame(self.viewer).drop_input()

    def go_to_place(self, position: LesionPosition) -> bool:
        """Go to the lesion of ET at a position; if none is listed there, none is current.

        Returns
        -------
        bool
            Whether one is listed.
        """
        listed = self.candidates if position.kind is LesionList.SECOND_LOOK else self.listed
        lesions = listed if self.region is Region.ET else []
        lesion = None if self.source is None else lesion_at(self.source, lesions, position)
        self.went_to_place.emit()
        if lesion is None:
            self.leave()
        else:
            self.go_to(lesion)
        return lesion is not None

    def is_shown(self, lesion: Lesion) -> bool:
        """Whether a slice that is shown cuts a lesion."""
        return self.source is not None and is_shown(self.viewer, self.source, lesion)

    def leave(self) -> None:
        """Make no lesion current; the viewer stays where it is."""
        self.segmentation.progress.current = None
        self._update_rings()
        self.current_changed.emit()

    def step(self, lesions: Sequence[Lesion], by: int = 1) -> Lesion | None:
        """Go to the next or previous of these lesions; the first one follows the last one.

        The next one is one that is not accepted, while there is any; going back, each is visited.

        Parameters
        ----------
        lesions : sequence of Lesion
            In the order of the table.
        by : {1, -1}

        Returns
        -------
        Lesion or None
            The new current lesion; None if there are no lesions.
        """
        if not lesions:
            return None
        ahead = list(lesions if by > 0 else reversed(lesions))
        if self.current in ahead:
            start = ahead.index(self.current) + 1
            ahead = ahead[start:] + ahead[:start]
        undecided = (x for x in ahead if by < 0 or not self.is_accepted(x))
        found = next(undecided, ahead[0])
        self.go_to(found)
        return found

    def is_accepted(self, lesion: Lesion) -> bool:
        """Whether the user has accepted the lesion and has not edited it since."""
        return self.source is not None and self.source.is_accepted(self.region, lesion)

    def set_rings_visible(self, visible: bool) -> None:
        """Show or hide the rings around small lesions."""
        self._rings.visible = visible
        self._update_rings()

    def _update(self) -> None:
        """The lesions, their marks or the specks have changed."""
        if self.current is not None and self.current not in [*self.listed, *self.candidates]:
            self.segmentation.progress.current = None
        self._update_rings()
        self.lesions_changed.emit()

    def _update_rings(self) -> None:
        self._rings.draw(self.source, self.small, self.current, self.candidates)


def _nearest(lesion: Lesion | None, among: Sequence[Lesion]) -> Lesion | None:
    """The lesion that is nearest to one of the search before, if it is near enough."""
    if lesion is None or not among:
        return None
    distances = [
        float(np.linalg.norm(np.subtract(other.centroid_ras_mm, lesion.centroid_ras_mm)))
        for other in among
    ]
    nearest = int(np.argmin(distances))
    return among[nearest] if distances[nearest] < SAME_LESION_MM else None
