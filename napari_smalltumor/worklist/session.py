"""One case of a worklist at a time is open: it is opened, and saved as reviewed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from psygnal import Signal
from smalltumor.cohort.results.results import CaseResult
from smalltumor.cohort.reviews.listed_result import check_listed
from smalltumor.cohort.reviews.mask_to_review import MaskToReview
from smalltumor.cohort.reviews.review_table import Review
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.cohort.reviews.worklist import Worklist, WorklistEntry
from smalltumor.errors import OutputError, SmalltumorError
from smalltumor.text import pluralize

from napari_smalltumor import notify, questions
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.export.case_export import case_to_export, no_regions_text
from napari_smalltumor.export.dialogs.preconditions import confirm_regions
from napari_smalltumor.export.save_state import save_state
from napari_smalltumor.export.source_files import with_sources
from napari_smalltumor.layers.editing.nesting import ensure_nesting
from napari_smalltumor.layers.masks.region_masks import segmentation_of
from napari_smalltumor.layers.metadata import region_layers
from napari_smalltumor.layers.patient import Patient, layers_of_patient, patient_of
from napari_smalltumor.loading.jobs.job import LoadJob
from napari_smalltumor.loading.jobs.load import load
from napari_smalltumor.patients.active_patient import active_patient
from napari_smalltumor.patients.opened_layers import OpenedLayers
from napari_smalltumor.viewer import one_per_viewer
from napari_smalltumor.worklist.review_layers import layers_to_review
from napari_smalltumor.worklist.visited_places import VisitedPlaces

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from qtpy.QtWidgets import QWidget

    from napari_smalltumor.layers.create import LayerData


@dataclass(frozen=True)
class OpenReview:
    """The case that is being reviewed.

    Parameters
    ----------
    worklist : Worklist
    patient : Patient
    result : CaseResult
        What was listed of the case when it was opened.
    begun : MaskToReview
    opened : OpenedLayers
        The patient's layers. If its files are opened anew, that is no review.
    """

    worklist: Worklist
    patient: Patient
    result: CaseResult
    begun: MaskToReview
    opened: OpenedLayers


class ReviewSession:
    """Opens the cases of a worklist in a viewer, one at a time.

    The review of a patient whose layers were all removed by hand goes on if they are brought back.

    Parameters
    ----------
    viewer : ViewerModel
    """

    changed = Signal()
    """Another case is open or being opened, or none."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._patients = active_patient(viewer)
        self._open: OpenReview | None = None
        self.opening = ""
        """Name of the case whose files are being read; empty if there is none."""
        self.visited = VisitedPlaces(viewer, lambda: self.is_active)
        self._unvisited_places_confirmed = False

    @property
    def current(self) -> OpenReview | None:
        """What is being reviewed; None if its patient is not open."""
        viewer, review = self._viewer(), self._open
        if viewer is None or review is None:
            return None
        layers = layers_of_patient(viewer.layers, review.patient)
        return review if review.opened.continue_with(layers) else None

    @property
    def is_active(self) -> bool:
        """Whether the case that is being reviewed is the active patient."""
        active = self._patients.current
        return active is not None and self.is_of(active)

    def is_on(self, worklist: Worklist, entry: WorklistEntry) -> bool:
        """Whether a listed case is being reviewed, with what is listed of it."""
        current = self.current
        if current is None or current.worklist.folder != worklist.folder:
            return False
        return current.begun.case == entry.name and current.result.tells_the_same(entry.result)

    def is_of(self, patient: Patient) -> bool:
        """Whether a patient is being reviewed."""
        current = self.current
        return current is not None and current.patient == patient

    def reader_of(self, patient: Patient | None) -> str:
        """Who has saved the mask that a patient was opened with; empty if it is no review."""
        current = self.current
        if current is None or current.patient != patient or current.begun.review is None:
            return ""
        return current.begun.review.reader

    def open(self, worklist: Worklist, entry: WorklistEntry, parent: QWidget | None = None) -> bool:
        """Close the case that is open, and open another one with its latest mask.

        The case that is open already becomes active, unless there is a newer mask. While another
        one is read, no patient is active; if it cannot be opened, the user chooses one.

        Returns
        -------
        bool
            False if a case is being read, or the user wants to keep edits.
        """
        viewer = self._viewer()
        if viewer is None or self.opening or self._is_arriving:
            return False
        try:
            if self._is_open_as_it_is(worklist, entry):
                return True
            check_listed(worklist.folder, entry.result)
        except SmalltumorError as error:  # the edits of the open case are not left for it
            notify.report_error(error)
            return False
        if not self._close(viewer, parent):
            return False
        self.opening = entry.name
        begun: list[MaskToReview] = []

        def read() -> list[LayerData]:
            data, mask = layers_to_review(worklist, entry, list(viewer.layers))
            begun.append(mask)
            return data

        opened = partial(self._on_opened, worklist, entry, begun)
        key = ("review", str(worklist.folder), entry.name)
        self.changed.emit()
        load(viewer, LoadJob(entry.name, key, read, opened, self._on_failed))
        return True

    def save(self, reader: str, parent: QWidget | None = None) -> Review | None:
        """Save the mask with its edits as reviewed; None if the user cancels.

        Raises
        ------
        OutputError
            If another patient is active, or as `smalltumor.cohort.reviews.reviews.Reviews.save`.
        """
        viewer, current = self._viewer(), self.current
        if viewer is None or current is None:
            raise OutputError("no case of the worklist is open")
        name, case = current.begun.case, case_to_export(viewer)
        if self.is_active and case is None:
            raise OutputError(no_regions_text(viewer, "to save").rstrip("."))
        if not self.is_active or case is None:
            active = self._patients.title or "no patient"
            raise OutputError(f"{active} is active, not {name}, which is being reviewed")
        if not self._confirm_unvisited_places(parent, name):
            return None
        if not confirm_regions(parent, viewer, case, "Save anyway"):
            return None
        ensure_nesting(viewer).apply()
        composed = segmentation_of(viewer.layers, case)
        assert composed is not None
        reviews = Reviews(current.worklist.folder)
        autosave = ensure_autosave(viewer).autosave
        autosave.save()  # edits since the last time are those of the reader now
        edited_by = autosave.readers_of(case)
        mask = with_sources(composed, viewer.layers)
        review = reviews.save(current.begun, mask, reader, edited_by, self.visited.remaining)
        self._unvisited_places_confirmed = True
        autosave.mark_exported(region_layers(viewer.layers, case).values(), files=[])
        self._open = replace(current, begun=reviews.begin(name, current.begun.digests))
        save_state(viewer).keep(case, [self._open.begun.path])
        self.changed.emit()
        return review

    def _confirm_unvisited_places(self, parent: QWidget | None, case: str) -> bool:
        """Ask once per case whether to save it although listed places were not visited."""
        remaining, count = self.visited.remaining, self.visited.count
        if not remaining or self._unvisited_places_confirmed:
            return True
        verb = "was" if remaining == 1 else "were"
        return questions.confirm(
            parent,
            "Places not visited",
            f"{case}: {remaining} of {pluralize(count, 'place')} {verb} not visited. "
            "Mark as reviewed?",
            "Mark as reviewed",
        )

    @property
    def _is_arriving(self) -> bool:
        """Whether the open case has been read, but is not listed as open yet."""
        current = self.current
        return current is not None and self._patients.arrivals.holds(current.patient)

    def _is_open_as_it_is(self, worklist: Worklist, entry: WorklistEntry) -> bool:
        current = self.current
        if current is None or current.patient not in self._patients.patients:
            return False
        reviews, begun = Reviews(worklist.folder), current.begun
        if not self.is_on(worklist, entry) or reviews.begin(entry.name, begun.digests) != begun:
            return False
        self._patients.activate(current.patient)
        return True

    def _close(self, viewer: ViewerModel, parent: QWidget | None) -> bool:
        """Close the open case, and make no patient active, so that keys act on the next case only.

        Returns
        -------
        bool
            False if the user wants to keep edits.
        """
        current = self.current
        if current is None or current.patient not in self._patients.patients:
            self._patients.leave()
            return True
        return close_patient(viewer, current.patient, parent, opens_next=True)

    def _on_opened(
        self,
        worklist: Worklist,
        entry: WorklistEntry,
        begun: list[MaskToReview],
        layers: list[Layer],
    ) -> None:
        self.opening = ""
        viewer = self._viewer()
        patient = patient_of(layers[-1]) if layers else None
        if viewer is not None and patient is not None and begun:
            opened = OpenedLayers(layers_of_patient(viewer.layers, patient))
            self._open = OpenReview(worklist, patient, entry.result, begun[0], opened)
            self.visited.begin(entry.result.listed)
            self._unvisited_places_confirmed = False
            if (other := begun[0].of_others) is not None:
                notify.warn(
                    f"{other.reader} has reviewed {other.case} ({other.when}) on other images; the "
                    "network's mask is shown"
                )
            if begun[0].is_altered:
                notify.warn(
                    f"{begun[0].path} was changed by another program since it was reviewed; the "
                    "changed mask is shown"
                )
        self.changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self.opening = ""
        self.changed.emit()
        notify.report_error(error)


@one_per_viewer
def review_session(viewer: ViewerModel) -> ReviewSession:
    """The review of a viewer; all calls for a viewer return the same object."""
    return ReviewSession(viewer)
