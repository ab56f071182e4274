"""The candidates of a case in a folder of results, for a reader who opens the case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.cohort.results.results import read_info
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.stored_mask import digest_of_file
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.files.existence import is_absent
from smalltumor.labels.regions import Region
from smalltumor.second_look import StoredCandidates, warning_for_weights
from smalltumor.second_look.stored import NoCandidatesError, read_candidates

if TYPE_CHECKING:
    from pathlib import Path

    from smalltumor.cohort.reviews.mask_to_review import MaskToReview
    from smalltumor.data.segmentation import Segmentation


def stored_candidates(
    folder: ResultsFolder, begun: MaskToReview, mask: Segmentation
) -> StoredCandidates:
    """Read the candidates of a case; where that is not possible, the reason takes their place.

    Parameters
    ----------
    folder : ResultsFolder
    begun : MaskToReview
        The review for which they are read, of the images that the mask was made of.
    mask : Segmentation
        The network's mask of the case.
    """
    case = begun.case
    try:
        record = CohortCaseRecord.read(folder.record(case))
        _check_weights(record, folder)
        stored = read_candidates(folder.candidates(case), folder.lesions(case), mask)
        _check_image(record, folder.candidates(case), mask)
        if digest_of_file(folder.mask(case)) != begun.network_digest:
            raise CaseError(f"{folder.mask(case).name} was changed while its candidates were read")
    except NoCandidatesError as error:
        return StoredCandidates(mask, problem=str(error), is_missing=True)
    except SmalltumorError as error:
        return StoredCandidates(mask, problem=str(error))
    warning = None if record is None else warning_for_weights(record.weights, record.digest)
    return replace(stored, score_warning=warning or "")


def _check_weights(record: CohortCaseRecord | None, folder: ResultsFolder) -> None:
    """Weights that are not the folder's have made a mask that is outdated."""
    digest = read_info(folder.path).digest
    if record is not None and digest and record.digest != digest:
        raise CaseError(f"the mask was made with other weights ({record.weights}) than the others")


def _check_image(record: CohortCaseRecord | None, image: Path, mask: Segmentation) -> None:
    """Check that the image of the candidates, and with it the table, is of this patient.

    The components of the table tell patients apart, but not those in whom nothing was found: their
    images are told by the record alone, which a mask that somebody put there does not have.
    """
    known = "" if record is None else record.candidates
    if known and not is_absent(image) and digest_of_file(image) != known:
        raise CaseError(f"{image.name} was replaced since")
    if mask.mask(Region.ET).any():
        return
    if is_absent(image):
        raise NoCandidatesError(f"{image.name} is missing")
    if not known:
        raise CaseError(
            f"{image.name} may be of another patient: the mask has no enhancing tumour, and no "
            "record identifies the image; if the network made the mask, delete it to have the case "
            "segmented again"
        )
