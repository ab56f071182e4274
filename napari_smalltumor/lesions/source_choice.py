"""The segmentation and the region that are reviewed: two fields of a panel, and the review."""

from __future__ import annotations

from qtpy.QtCore import QObject
from smalltumor.labels.regions import Region

from napari_smalltumor.layers.metadata import region_of
from napari_smalltumor.lesions.panel import LesionsPanel
from napari_smalltumor.lesions.review.review import LesionReview
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.widgets.flag import Flag


class SourceChoice(QObject):
    """Keeps the fields of a panel and the review alike.

    Parameters
    ----------
    panel : LesionsPanel
        Becomes the parent.
    review : LesionReview
    """

    def __init__(self, panel: LesionsPanel, review: LesionReview) -> None:
        super().__init__(panel)
        self._panel, self._review = panel, review
        self._showing = Flag()
        panel.source_box.currentIndexChanged.connect(self._choose)
        panel.region_box.currentIndexChanged.connect(self._choose)
        review.segmentation.sources_changed.connect(self._show_all)
        review.source_changed.connect(self._show)
        self._show_all()

    def _show_all(self) -> None:
        with self._showing:
            self._panel.source_box.clear()
            for source in self._review.segmentation.sources:
                self._panel.source_box.addItem(self._title(source), source)
            self._show_chosen()

    def _title(self, source: ViewerSegmentation) -> str:
        """Name of a segmentation; one of no patient is listed beside those of the active one."""
        if source.patient is not None and region_of(source.any_layer) is not None:
            return self._review.segmentation.patient_title
        is_strange = source.patient is None and self._review.has_patient
        return f"{source.name} (no patient)" if is_strange else source.name

    def _show(self) -> None:
        with self._showing:
            self._show_chosen()

    def _show_chosen(self) -> None:
        panel, source = self._panel, self._review.source
        rows = [
            n for n, each in enumerate(self._review.segmentation.sources) if each.is_same(source)
        ]
        panel.source_box.setCurrentIndex(rows[0] if rows else -1)
        panel.set_regions(tuple(source.layers) if source is not None else ())
        panel.region_box.setCurrentIndex(panel.region_box.findData(self._review.region.value))

    def _choose(self) -> None:
        if self._showing:
            return
        source = self._panel.source_box.currentData()
        region = self._panel.region_box.currentData()
        self._review.segmentation.choose(source, None if region is None else Region(region))
        self._review.segmentation.show_layers()
