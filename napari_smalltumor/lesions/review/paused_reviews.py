"""Reviews that are to be continued: of patients who are not active, or while no dock is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smalltumor.labels.regions import Region
from smalltumor.lesions import Lesion

from napari_smalltumor.layers.patient import Patient
from napari_smalltumor.lesions.review.steps import StepHistory
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation
from napari_smalltumor.patients.active_patient import ActivePatient, active_patient
from napari_smalltumor.viewer import one_per_viewer

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass
class ReviewProgress:
    """How far the review of a segmentation has come.

    Parameters
    ----------
    current : Lesion or None
    sought : Lesion or None
        The lesion that was current when the review was paused, until it is listed again.
    steps : StepHistory
    """

    current: Lesion | None = None
    sought: Lesion | None = None
    steps: StepHistory = field(default_factory=StepHistory)

    @property
    def is_begun(self) -> bool:
        """Whether a lesion was visited or decided on."""
        return self.current is not None or self.steps.last is not None

    def continued(self) -> ReviewProgress:
        """The progress with which a paused review goes on; no lesion is listed yet."""
        return ReviewProgress(sought=self.current or self.sought, steps=self.steps)


@dataclass(frozen=True)
class PausedReview:
    """The review of one patient.

    Parameters
    ----------
    source : ViewerSegmentation or None
        The segmentation under review.
    region : Region
        The region that is to be reviewed if it has a layer.
    progress : ReviewProgress
    sources : sequence of ViewerSegmentation
        The segmentations that could be reviewed then.
    hidden : PausedReview, optional
        The review whose place this one took because its segmentation was hidden.
    """

    source: ViewerSegmentation | None
    region: Region
    progress: ReviewProgress
    sources: Sequence[ViewerSegmentation]
    hidden: PausedReview | None = None


class PausedReviews:
    """Keeps the paused review of each patient until the patient is closed.

    Parameters
    ----------
    patients : ActivePatient
    """

    def __init__(self, patients: ActivePatient) -> None:
        self._patients = patients
        self._paused: dict[Patient, PausedReview] = {}
        patients.patients_changed.connect(self._forget_closed)

    def keep(self, patient: Patient | None, review: PausedReview) -> None:
        """Keep the review of a patient; that of layers whose patient is not known is not kept."""
        if patient is not None:
            self._paused[patient] = review
            self._forget_closed()

    def take(self, patient: Patient | None) -> PausedReview | None:
        """Return the review of a patient, which is paused no longer; None if there is none."""
        return self._paused.pop(patient, None) if patient is not None else None

    def _forget_closed(self) -> None:
        for patient in self._paused.keys() - set(self._patients.patients):
            del self._paused[patient]


@one_per_viewer
def paused_reviews(viewer: ViewerModel) -> PausedReviews:
    """The paused reviews of a viewer; all calls for a viewer return the same object."""
    return PausedReviews(active_patient(viewer))
