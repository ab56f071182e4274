"""Reading a case and running the network on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smalltumor.cohort.results.derived_masks import check_replaceable
from smalltumor.cohort.results.results_folder import ResultsFolder

if TYPE_CHECKING:
    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.case import Case
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.lesions import Lesion
    from smalltumor.models.checkpoint import Checkpoint
    from smalltumor.progress import CancelCallback


@dataclass(frozen=True)
class Computed:
    """A case and its segmentation by the network."""

    case: Case
    result: Segmentation


def read_images(job: Job, settings: CohortSettings) -> Case | None:
    """Read the images of a case; None if only its mask is to be measured.

    Raises
    ------
    SmalltumorError
        If they cannot be read, or the result would replace a mask that was corrected.
    """
    from smalltumor.data.read_case import read_case_files

    if job.task == "measure":
        return None
    if job.task == "segment":
        check_replaceable(job.name, ResultsFolder(settings.output), settings.bids)
    return read_case_files(job.files, allow_missing=settings.allow_missing, with_contents=True)


def run_network(
    case: Case | None,
    checkpoint: Checkpoint,
    settings: CohortSettings,
    cancelled: CancelCallback,
) -> Computed | None:
    """Segment a case, if one was read."""
    from smalltumor import inference

    if case is None:
        return None
    result = inference.segment(
        case,
        checkpoint,
        device=settings.device,
        backend=settings.backend,
        flips=settings.flips,
        cancelled=cancelled,
    )
    return Computed(case, result)


def second_look_at(computed: Computed) -> tuple[list[Lesion], list[Lesion], str | None]:
    """The components of the mask, candidates, and what warns of them or their scores."""
    from smalltumor.data.midsagittal_plane import midsagittal_plane
    from smalltumor.errors import SecondLookError
    from smalltumor.lesions import find_lesions
    from smalltumor.second_look import score_warning, second_look

    case, result = computed.case, computed.result
    plane = midsagittal_plane(case)
    try:
        found, candidates = second_look(case, result, plane=plane)
    except SecondLookError as error:
        return find_lesions(result, plane=plane), [], str(error)
    return found, candidates, score_warning(result)
