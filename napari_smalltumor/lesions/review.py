"""Going through the lesions of a segmentation: which is current, accepted, deleted.

Knows the viewer but no widget, so that it works, and is tested, without a display.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.lesions.edits import Change, delete_lesion, undo
from napari_smalltumor.lesions.navigation import fly_to
from napari_smalltumor.lesions.rings import LesionRings
from napari_smalltumor.lesions.source import LesionSource, lesion_sources

if TYPE_CHECKING:
    from napari.components import ViewerModel

SAME_PLACE_MM = 5.0
"""A lesion whose centre moved less than this is the one that was current before an edit."""


class LesionReview:
    """The review of one viewer's lesions.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    sources : list of LesionSource
        What can be reviewed.
    source, region
        What is being reviewed.
    lesions : list of Lesion
        As last found, in the order of their ids.
    current : Lesion or None
    """

    sources_changed = Signal()
    source_changed = Signal()
    listed = Signal()
    moved = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._rings = LesionRings(viewer)
        self._ringing = True
        self._deleted: list[list[Change]] = []
        self.sources: list[LesionSource] = []
        self.source: LesionSource | None = None
        self.region = self._wanted = Region.ET
        self.lesions: list[Lesion] = []
        self.current: Lesion | None = None
        viewer.layers.events.inserted.connect(self._on_layers)
        viewer.layers.events.removed.connect(self._on_layers)
        for layer in viewer.layers:
            layer.events.name.connect(self._on_layers)
        self._on_layers()

    def close(self) -> None:
        """Let go of the viewer and take the rings away."""
        self._viewer.layers.events.inserted.disconnect(self._on_layers)
        self._viewer.layers.events.removed.disconnect(self._on_layers)
        self._rings.close()

    def choose(self, source: LesionSource | None, region: Region | None = None) -> None:
        """Review another segmentation or region; a region gives way as long as it has no layer."""
        self._wanted = self._wanted if region is None else region
        there = source is None or self._wanted in source.layers
        self.source = source
        self.region = self._wanted if there else next(iter(source.layers))
        self.lesions, self.current, self._deleted = [], None, []
        if source is None:
            self._ring()
        self.source_changed.emit()

    def take(self, lesions: Sequence[Lesion]) -> None:
        """Lesions were found anew: list them, and stay with the current one if it is there."""
        self.lesions = list(lesions)
        self.current = self._again(self.current)
        self._ring()
        self.listed.emit()

    @property
    def small(self) -> list[Lesion]:
        """The small lesions."""
        return [lesion for lesion in self.lesions if lesion.small]

    def go_to(self, lesion: Lesion) -> None:
        """Make a lesion current and take the viewer there."""
        if self.source is None:
            return
        self.current = lesion
        fly_to(self._viewer, self.source, lesion)
        self._ring()
        self.moved.emit()

    def step(self, lesions: Sequence[Lesion], by: int = 1) -> Lesion | None:
        """Go to the next of these lesions, or to the one before; after the last comes the first.

        Parameters
        ----------
        lesions : sequence of Lesion
            In the order of the table.
        by : {1, -1}

        Returns
        -------
        Lesion or None
            None if there is none to go to.
        """
        if not lesions:
            return None
        if self.current in lesions:
            place = (lesions.index(self.current) + by) % len(lesions)
        else:
            place = 0 if by > 0 else len(lesions) - 1
        self.go_to(lesions[place])
        return lesions[place]

    def is_accepted(self, lesion: Lesion) -> bool:
        """Whether the user has accepted the lesion as it is; an edit takes that back."""
        return self.source is not None and self.source.is_accepted(self.region, lesion)

    def accept(self, accepted: bool = True) -> None:
        """Accept the current lesion, or take that back."""
        if self.current is None or self.source is None:
            return
        self.source.accept(self.region, self.current, accepted)
        self.listed.emit()

    def reviewed(self, lesions: Sequence[Lesion]) -> list[Lesion]:
        """The lesions, each with whether it is accepted, as a table that is kept says it."""
        return [replace(lesion, accepted=self.is_accepted(lesion)) for lesion in lesions]

    def delete(self) -> bool:
        """Take the current lesion out of the segmentation.

        Returns
        -------
        bool
            False if there is none, or it has been edited since it was listed.
        """
        if self.source is None or self.current is None:
            return False
        changes = delete_lesion(self.source, self.region, self.current)
        if changes:
            self._deleted.append(changes)
            self.current = None
        return bool(changes)

    @property
    def can_undo(self) -> bool:
        """Whether there is a deletion to undo."""
        return bool(self._deleted)

    def undo(self) -> bool:
        """Put back the lesion that was deleted last."""
        if not self._deleted:
            return False
        undo(self._deleted.pop())
        return True

    def ring(self, on: bool) -> None:
        """Show the rings around small lesions, or hide them."""
        self._ringing = on
        self._ring()

    def _ring(self) -> None:
        if not self._ringing or self.source is None:
            self._rings.hide()
            return
        ringed = self.small
        if self.current is not None and self.current not in ringed:
            ringed.append(self.current)
        self._rings.show(self.source, ringed, self.current)

    def _again(self, lesion: Lesion | None) -> Lesion | None:
        """The same lesion, or the one it has become."""
        if lesion is None or not self.lesions:
            return None
        apart = [
            float(np.linalg.norm(np.subtract(other.centroid_ras_mm, lesion.centroid_ras_mm)))
            for other in self.lesions
        ]
        nearest = int(np.argmin(apart))
        return self.lesions[nearest] if apart[nearest] < SAME_PLACE_MM else None

    def _on_layers(self, event: Any = None) -> None:
        """Layers came or went: keep what is reviewed, unless a new segmentation arrives."""
        before = self.sources
        self.sources = lesion_sources(self._viewer.layers)
        came = getattr(event, "value", None) if getattr(event, "type", "") == "inserted" else None
        if came is not None:
            came.events.name.connect(self._on_layers)
        fresh = came is not None and region_of(came) is not None
        kept = next((s for s in self.sources if s.is_same(self.source)), None)
        new = next((s for s in self.sources if came is not None and s.holds(came)), None)
        if fresh and new is not None and not any(new.is_same(s) for s in before):
            kept = new
        if kept is None and self.sources:
            kept = self.sources[-1]
        if kept is not None and self._goes_on_in(kept):
            self.source = kept
            self.sources_changed.emit()
            return
        self.sources_changed.emit()
        if kept is not None or self.source is not None:
            self.choose(kept)

    def _goes_on_in(self, source: LesionSource) -> bool:
        """Whether what is reviewed is the same layer still, whatever has come beside it."""
        if self.source is None or self._wanted not in source.layers:
            return False
        return source.layers[self._wanted] is self.source.layers.get(self._wanted)
