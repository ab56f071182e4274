"""Keeps the volumes and lesions in the Segment dock equal to the regions in the viewer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal
from smalltumor.data.case import Case
from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion
from superqt.utils import QSignalDebouncer

from napari_smalltumor import settings
from napari_smalltumor.export.case_export import case_to_export
from napari_smalltumor.layers.editing.region_edits import EDIT_EVENTS
from napari_smalltumor.layers.masks.region_masks import (
    is_edited,
    is_outdated,
    made_by_of,
    read_from_among,
    result_of,
    volumes_ml,
)
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.lesions.decisions import acceptance
from napari_smalltumor.lesions.search.specks import chosen_rule, specks_of
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.lesions.texts import counts
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.case_title import case_title
from napari_smalltumor.segment.placement_check import PlacementCheck
from napari_smalltumor.segment.results import ResultView
from napari_smalltumor.workers import run_in_thread

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

_DEBOUNCE_MS = 250
"""The numbers follow when a stroke has ended, and do not slow the brush down."""

_STALE_MS = 400
"""Earlier numbers of lesions stay for so long while they are counted again."""

_COUNTING = "Counting the enhancing components ..."

_COUNTING_SETTINGS = ("threshold", "speck_below_mm3", "speck_probability")
_EVENTS = (*EDIT_EVENTS, "metadata")


class ShownResult(QObject):
    """Shows the case that *Export* would write, with its regions as they are now.

    Parameters
    ----------
    viewer : ViewerModel
    view : ResultView
        Becomes the parent.
    """

    exportable_changed = Signal(bool)
    """Whether there are regions to export."""

    def __init__(self, viewer: ViewerModel, view: ResultView) -> None:
        super().__init__(view)
        self._viewer, self._view = viewer, view
        self._patients = active_patient(viewer)
        self._layers: list[Labels] = []
        self._search_number = 0
        self._placement = PlacementCheck(self)
        self._placement.found.connect(view.show_placement)
        self._debouncer = QSignalDebouncer(parent=self)
        self._debouncer.setTimeout(_DEBOUNCE_MS)
        self._debouncer.triggered.connect(self.update)
        self._stale = QTimer(self)
        self._stale.setSingleShot(True)
        self._stale.setInterval(_STALE_MS)
        self._stale.timeout.connect(lambda: view.show_lesions(_COUNTING))
        events = viewer.layers.events
        self._layer_events = (events.inserted, events.removed)
        self._is_open = False
        self.destroyed.connect(partial(_close, ref(self)))
        self.open()

    def open(self) -> None:
        """Connect to the viewer and show its regions; does nothing if it is connected."""
        if self._is_open:
            return
        self._is_open = True
        for event in self._layer_events:
            event.connect(self._on_change)
        self._patients.changed.connect(self._on_patient)
        settings.changed.connect(self._on_setting)
        acceptance.changed.connect(self._on_change)
        self._view.show_placement("")  # another patient may have become active
        self.update()

    def close(self) -> None:
        """Disconnect from the viewer and its layers; may be called twice."""
        if not self._is_open:
            return
        self._is_open = False
        for event in self._layer_events:
            event.disconnect(self._on_change)
        self._patients.changed.disconnect(self._on_patient, missing_ok=True)
        settings.changed.disconnect(self._on_setting)
        acceptance.changed.disconnect(self._on_change)
        self._follow([])
        self._abandon_search()
        self._placement.forget()

    def update(self) -> None:
        """Show the regions as they are now; the lesions follow from a thread."""
        if not self._is_open:
            return
        case = case_to_export(self._viewer)
        self.exportable_changed.emit(case is not None)
        if case is None:
            self._follow([])
            self._abandon_search()
            self._placement.forget()
            self._view.setVisible(False)
            return
        layers = region_layers(self._viewer.layers, case)
        self._follow(list(layers.values()))
        result = result_of(layers)
        self._view.show_regions(
            case,
            volumes_ml(layers, case),
            title=case_title(self._viewer, case),
            run=result.run if result is not None else None,
            made_by=made_by_of(layers.values()),
            read_from=read_from_among(layers.values()),
            edited=is_edited(layers.values(), case),
            outdated=is_outdated(layers.values(), case),
        )
        self._search_lesions(case, layers)
        self._placement.start(case, layers)

    def _search_lesions(self, case: Case, layers: dict[Region, Labels]) -> None:
        self._search_number += 1
        if Region.ET not in layers:
            self._abandon_search()
            self._view.show_lesions("")
            return
        if not self._stale.isActive():  # strokes that follow each other do not put it off
            self._stale.start()
        source = ViewerSegmentation(case.name, layers, case)
        run_in_thread(
            partial(source.snapshot(Region.ET).lesions, int(settings.get("threshold"))),
            self,
            partial(self._on_lesions, self._search_number, source),
            partial(self._on_failure, self._search_number),
            name="search for lesions",
        )

    def _abandon_search(self) -> None:
        """Show nothing of a search that is in progress."""
        self._search_number += 1
        self._stale.stop()

    def _on_lesions(self, number: int, source: ViewerSegmentation, lesions: list[Lesion]) -> None:
        if number != self._search_number:
            return
        self._stale.stop()
        if not lesions:
            self._view.show_lesions("No enhancing component")
            return
        rule = chosen_rule()
        specks = specks_of(source, Region.ET, lesions, rule)
        self._view.show_lesions(
            counts(lesions, specks, "enhancing"),
            f"Small: below {settings.get('threshold')} mm³ and no speck. Specks: below {rule.mm3} "
            f"mm³, with a mean probability below {rule.probability:.2f}. The Lesions dock lists "
            "them and sets the limits.",
        )

    def _on_failure(self, number: int, error: Exception) -> None:
        if number == self._search_number:
            self._stale.stop()
            self._view.show_lesions(f"The search for lesions failed: {error}")

    def _follow(self, layers: list[Labels]) -> None:
        """Connect to the edits of these layers, and of no others."""
        for layer in self._layers:
            if layer not in layers:
                for name in _EVENTS:
                    getattr(layer.events, name).disconnect(self._on_change)
        for layer in layers:
            if layer not in self._layers:
                for name in _EVENTS:
                    getattr(layer.events, name).connect(self._on_change)
        self._layers = layers

    def _on_change(self, event: Any = None) -> None:
        if isalive(self):
            self._debouncer.throttle()

    def _on_patient(self) -> None:
        """Remove the numbers of the patient before; those of the active one follow."""
        if isalive(self):
            self._abandon_search()  # it is of the patient before
            self._placement.forget()
            self._view.show_lesions("")
            self._view.show_placement("")
            self._view.setVisible(False)
            self._on_change()

    def _on_setting(self, name: str, value: Any) -> None:
        if name in _COUNTING_SETTINGS:
            self._on_change()


def _close(result: ref[ShownResult]) -> None:
    # By reference: the signal would keep the panel of a closed dock in memory.
    existing = result()
    if existing is not None:
        existing.close()
