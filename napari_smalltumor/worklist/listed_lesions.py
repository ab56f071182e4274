"""Go to the candidates and small lesions of a case, as the network's run has listed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.cohort.results.results import CaseResult, ListedLesion
from smalltumor.cohort.reviews.worklist import WorklistEntry
from smalltumor.lesions import LesionList

from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.lesions.canvas.navigation import move_to_voxel
from napari_smalltumor.lesions.canvas.rings import LesionRings
from napari_smalltumor.lesions.review.lesion_positions import LesionPosition
from napari_smalltumor.lesions.review.review import open_reviews, review_lesion_at
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.worklist import texts

if TYPE_CHECKING:
    from napari.components import ViewerModel

NAME = "Lesion of the worklist"


class ListedLesionSteps:
    """Goes to the listed lesions of a case one after another, from the last to the first again.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._ring: ListedLesionRing | None = None
        self._last: tuple[CaseResult | None, int] = None, 0
        """The case, as listed, and number of the lesion that was shown last."""

    def open(self) -> None:
        """Connect to the viewer."""
        self._ring = ListedLesionRing(self._viewer)

    def close(self) -> None:
        """Remove the ring, and disconnect from the viewer; the next step stays the same."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def next(self, entry: WorklistEntry) -> str:
        """Go to the next lesion of a case that is open; what it is, for the user."""
        listed = entry.result.listed
        if not listed:
            return texts.nothing_to_check(entry)
        result, last = self._last
        number = (last + 1) % len(listed) if result is entry.result else 0
        self._last = entry.result, number
        if self._ring is not None:
            self._ring.show(listed[number])
        return texts.about_lesion(listed[number], number + 1, len(listed))


class ListedLesionRing:
    """Moves canvas and planes to a lesion of the active patient, and rings it there.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._rings = LesionRings(viewer, NAME)
        self._patients = active_patient(viewer)
        self._patients.changed.connect(self._rings.erase)

    def show(self, lesion: ListedLesion) -> None:
        """Go to a lesion, make it current where it is under review, and ring it if it is not."""
        case = case_to_export(self._viewer)
        if case is None:
            return
        layers = region_layers(self._patients.layers, case)
        source = ViewerSegmentation(case.name, layers, case)
        diameter = 2 * (3 * lesion.mm3 / (4 * np.pi)) ** (1 / 3)
        box = _box_of(source, lesion, diameter)
        self._rings.show_boxes(source, box, np.array([diameter]), np.array([True]))
        move_to_voxel(self._viewer, source, lesion.centre, diameter)
        if review_lesion_at(self._viewer, _position_of(source, lesion)):
            self._rings.erase()  # the review has its own
        for review in open_reviews(self._viewer):
            review.current_changed.connect(self._on_current, unique=True)

    def close(self) -> None:
        """Remove the ring, and disconnect from the viewer."""
        self._patients.changed.disconnect(self._rings.erase, missing_ok=True)
        for review in open_reviews(self._viewer):
            review.current_changed.disconnect(self._on_current, missing_ok=True)
        self._rings.close()

    def _on_current(self) -> None:
        """Leave one ring for what is current: that of the lesion to which a review has gone."""
        if any(review.current is not None for review in open_reviews(self._viewer)):
            self._rings.erase()


def _position_of(source: ViewerSegmentation, lesion: ListedLesion) -> LesionPosition:
    is_candidate = lesion.kind == "candidate"
    kind = LesionList.SECOND_LOOK if is_candidate else LesionList.FOUND
    return LesionPosition(source.world_of(lesion.centre), lesion.mm3, kind)


def _box_of(
    source: ViewerSegmentation, lesion: ListedLesion, diameter: float
) -> npt.NDArray[np.int_]:
    """The box of a ball of the lesion's volume, (1, 3, 2)."""
    centre = source.to_data(lesion.centre)
    radius = diameter / 2 / np.abs(np.asarray(source.any_layer.scale)[-3:])
    first, last = np.rint(centre - radius), np.rint(centre + radius)
    return np.stack([first, last + 1], axis=-1).astype(int)[None]
