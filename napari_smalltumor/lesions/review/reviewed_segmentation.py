"""Which segmentation and region are reviewed: the user's choice, or the active patient's result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from smalltumor.labels.regions import INNERMOST_FIRST, Region

from napari_smalltumor.deferred_calls import when_idle
from napari_smalltumor.layers.editing.earlier_scan import is_earlier_scan
from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.lesions.review.paused_reviews import (
    PausedReview,
    ReviewProgress,
    paused_reviews,
)
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation, lesion_sources
from napari_smalltumor.patients.active_patient import active_patient

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class ReviewedSegmentation:
    """Follows the layers and the active patient of a viewer, once it is opened.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    sources : list of ViewerSegmentation
        The segmentations that can be reviewed.
    source, region
        The segmentation and the region under review.
    progress : ReviewProgress
        How far its review has come; kept while another patient is active.
    is_open : bool
        Whether the viewer is followed.
    """

    sources_changed = Signal()
    chosen = Signal()
    """Another segmentation or region is under review."""
    visible_changed = Signal()
    """A layer of the segmentation under review was shown or hidden."""
    scan_changed = Signal()
    """The images of an earlier scan were shown or hidden."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._patients = active_patient(viewer)
        self._patient = self._patients.current
        self._paused = paused_reviews(viewer)
        self.is_open = False
        self._connected: list[Layer] = []
        self.sources: list[ViewerSegmentation] = []
        self.source: ViewerSegmentation | None = None
        self.region = self._preferred_region = Region.ET
        self.progress = ReviewProgress()
        self._hidden: PausedReview | None = None
        self._is_waiting = False

    @property
    def title(self) -> str:
        """Name of the patient of the segmentation, or else its own, for the user."""
        if self.source is not None and self.source.patient is None:
            return self.source.name
        return self.patient_title

    @property
    def patient_title(self) -> str:
        """Name of the active patient for the user."""
        return self._patients.title

    def open(self) -> None:
        """Connect to the viewer, and review what is there now; does nothing if it is open."""
        if self.is_open:
            return
        self.is_open = True
        self._viewer.layers.events.inserted.connect(self._on_layers)
        self._viewer.layers.events.removed.connect(self._on_layers)
        self._patients.changed.connect(self._on_patient)
        self._patients.reassigned.connect(self._on_layers)
        self._connect_layers(list(self._viewer.layers))
        self._patient = self._patients.current
        self._start_patient()

    def close(self) -> None:
        """Disconnect from the viewer and its layers; the next review in it continues this one."""
        if not self.is_open:
            return
        self.is_open = False
        self._pause()
        self._viewer.layers.events.inserted.disconnect(self._on_layers)
        self._viewer.layers.events.removed.disconnect(self._on_layers)
        self._patients.changed.disconnect(self._on_patient, missing_ok=True)
        self._patients.reassigned.disconnect(self._on_layers, missing_ok=True)
        self._connect_layers([])

    def choose(self, source: ViewerSegmentation | None, region: Region | None = None) -> None:
        """Review another segmentation or region.

        A segmentation without a layer for the region is reviewed with the nearest one; the next
        segmentation that has such a layer is reviewed with this region again. The steps of the same
        segmentation can still be undone.
        """
        is_same = source is not None and source.is_same(self.source)
        progress = ReviewProgress(steps=self.progress.steps) if is_same else ReviewProgress()
        self._choose(source, region, progress)

    def _choose(
        self, source: ViewerSegmentation | None, region: Region | None, progress: ReviewProgress
    ) -> None:
        self._preferred_region = self._preferred_region if region is None else region
        self._hidden = None
        self.source, self.progress = source, progress
        self.region = self._preferred_region
        if source is not None and self.region not in source.layers:
            self.region = min(source.layers, key=self._steps_from_preferred)
        self.chosen.emit()

    def _choose_or_continue(
        self, source: ViewerSegmentation | None, hidden: PausedReview | None
    ) -> None:
        """Review a segmentation; go on with the review that waits while it is hidden, if any."""
        if source is not None and hidden is not None and source.is_same(hidden.source):
            self._choose(source, hidden.region, hidden.progress.continued())
        else:
            self.choose(source)

    def _steps_from_preferred(self, region: Region) -> int:
        """How many regions lie between one and the preferred one, from ET to WT."""
        number = INNERMOST_FIRST.index
        return abs(number(region) - number(self._preferred_region))

    def show_layers(self) -> None:
        """Show the layer under review, and all layers of a segmentation that is hidden."""
        if self.source is not None:
            layers = self.source.layers
            shown = [layers[self.region]] if self.source.is_visible else layers.values()
            for layer in shown:
                layer.visible = True

    def _on_layers(self, event: Any = None) -> None:
        """Layers were added, removed or renamed: stay with the segmentation under review.

        A region layer of a new segmentation switches the review to that segmentation.
        """
        is_insertion = getattr(event, "type", "") == "inserted"
        self._connect_layers(list(self._viewer.layers))
        before, self.sources = self.sources, self._open_sources()
        source = next((s for s in self.sources if s.is_same(self.source)), None)
        if is_insertion:
            source = self._new_result(event.value, before) or source
        source = source or self._topmost_shown or next(reversed(self.sources), None)
        if source is not None and self._is_same_layer(source):
            self.source = source
            self.sources_changed.emit()
            return
        self.sources_changed.emit()
        if source is not None or self.source is not None:
            self._choose_or_continue(source, self._hidden)

    def _on_patient(self) -> None:
        """Another patient is active: pause the review of the one before."""
        self._pause()
        self._patient = self._patients.current
        self._start_patient()

    def _pause(self) -> None:
        self._paused.keep(self._patient, self._review_now)

    @property
    def _review_now(self) -> PausedReview:
        return PausedReview(
            self.source, self._preferred_region, self.progress, self.sources, self._hidden
        )

    def _start_patient(self) -> None:
        """Continue the review of the active patient, or review its topmost segmentation."""
        self.sources = self._open_sources()
        self.sources_changed.emit()
        before = self._paused.take(self._patient)
        source = self._source_to_continue(before) if before is not None else None
        if before is None or source is None:
            hidden = before.hidden if before is not None else None
            last = next(reversed(self.sources), None)
            self._choose_or_continue(self._topmost_shown or last, hidden)
            return
        self._choose(source, before.region, before.progress.continued())
        self._hidden = before.hidden

    def _source_to_continue(self, before: PausedReview) -> ViewerSegmentation | None:
        """The segmentation of an interrupted review; None if another one is to be reviewed.

        That is a result which was added meanwhile, or one that is shown while the segmentation
        of the review is hidden.
        """
        source = next((s for s in self.sources if s.is_same(before.source)), None)
        last = self.sources[-1] if self.sources else None
        if source is None or last is None or last.is_same(source):
            return source
        is_new = not any(last.is_same(each) for each in before.sources)
        return None if is_new or (last.is_visible and not source.is_visible) else source

    def _open_sources(self) -> list[ViewerSegmentation]:
        """In the order of their layers; those of no patient never come before the patient's own."""
        found = lesion_sources(self._patients.layers_in_use)
        return sorted(found, key=lambda source: source.patient is not None)

    def _new_result(
        self, layer: Layer, before: Sequence[ViewerSegmentation]
    ) -> ViewerSegmentation | None:
        """The segmentation that a region layer is the first layer of, or None."""
        if region_of(layer) is None:
            return None
        source = next((s for s in self.sources if s.holds(layer)), None)
        is_new = source is not None and not any(source.is_same(s) for s in before)
        return source if is_new else None

    def _is_same_layer(self, source: ViewerSegmentation) -> bool:
        """Whether the layer under review is the same in a segmentation that gained a layer.

        A layer that was assigned to a patient has another grid, on which lesions are found again.
        """
        if self.source is None or self._preferred_region not in source.layers:
            return False
        if (source.case is None) != (self.source.case is None):
            return False
        layer = source.layers[self._preferred_region]
        return layer is self.source.layers.get(self._preferred_region)

    def _on_visible(self, event: Any) -> None:
        """A layer was shown or hidden; the command of the user may show and hide further ones."""
        if self.source is not None and self.source.holds(event.source):
            self.visible_changed.emit()
        elif is_earlier_scan(event.source):
            self.scan_changed.emit()
        if not self._is_waiting:
            self._is_waiting = True
            when_idle(self._follow_shown)

    def _follow_shown(self) -> None:
        """A mask that is shown takes the place of a hidden one, until that is shown again.

        It stays under review if its lesions were visited meanwhile. Layers that are hidden because
        another patient is active count as shown.
        """
        self._is_waiting = False
        if not self.is_open or self.source is None:
            return
        before, again = self._hidden, self._hidden_before
        is_hidden, is_visited = not self._is_shown(self.source), self.progress.is_begun
        if before is not None and again is not None and self._is_shown(again):
            if is_hidden or not is_visited:
                self._choose_or_continue(again, before)
        elif is_hidden and self._topmost_shown is not None:
            hidden = before or self._review_now
            self.choose(self._topmost_shown)
            self._hidden = hidden

    @property
    def _hidden_before(self) -> ViewerSegmentation | None:
        """The segmentation whose place was taken because it was hidden, if it is still open."""
        before = self._hidden
        if before is None:
            return None
        return next((s for s in self.sources if s.is_same(before.source)), None)

    @property
    def _topmost_shown(self) -> ViewerSegmentation | None:
        return next((s for s in reversed(self.sources) if self._is_shown(s)), None)

    def _is_shown(self, source: ViewerSegmentation) -> bool:
        return any(self._patients.is_shown(layer) for layer in source.layers.values())

    def _connect_layers(self, layers: list[Layer]) -> None:
        """Connect to the names and the visibility of these layers, and of no others."""
        for layer in self._connected:
            if not any(layer is other for other in layers):
                layer.events.name.disconnect(self._on_layers)
                layer.events.visible.disconnect(self._on_visible)
        for layer in layers:
            if not any(layer is other for other in self._connected):
                layer.events.name.connect(self._on_layers)
                layer.events.visible.connect(self._on_visible)
        self._connected = layers
