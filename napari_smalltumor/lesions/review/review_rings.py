"""The rings of a review: around its small lesions, and the current one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from smalltumor.lesions import Lesion

from napari_smalltumor.lesions.canvas.rings import LesionRings
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation, lesion_sources

if TYPE_CHECKING:
    from napari.components import ViewerModel


class ReviewRings:
    """Draws the rings, unless they are hidden.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    visible : bool
        Whether the user wants to see them; `draw` follows it.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._rings = LesionRings(viewer)
        self.visible = True

    def open(self) -> None:
        """Connect to the viewer."""
        self._rings.open()

    def close(self) -> None:
        """Disconnect from the viewer, and remove the rings."""
        self._rings.close()

    def draw(
        self,
        source: ViewerSegmentation | None,
        small: Sequence[Lesion],
        current: Lesion | None,
        candidates: Sequence[Lesion],
    ) -> None:
        """Ring the small lesions of a segmentation and the current one; none without a source.

        If the current one is a candidate, the planes draw its outline as well.
        """
        if not self.visible:
            self._rings.hide()
        elif source is None:
            self.erase()
        else:
            ringed = list(small)
            if current is not None and current not in ringed:
                ringed.append(current)
            candidate = current if current in candidates else None
            self._rings.show(source, ringed, current, candidate)

    def erase(self) -> None:
        """Erase the rings until the next search; remove their layer with the last segmentation."""
        if lesion_sources(self._viewer.layers):
            self._rings.erase()
        else:
            self._rings.hide_with_masks()
