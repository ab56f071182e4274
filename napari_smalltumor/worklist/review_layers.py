"""The layers of a case of a worklist: its images, and the mask that is reviewed as regions.

The layer of ET has the candidates that the cohort's run has stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smalltumor.cohort.results.records import CohortCaseRecord, has_other_files, sha256_of_images
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.stored_mask import digest_of_file, read_stored_mask
from smalltumor.cohort.reviews.listed_result import check_listed
from smalltumor.cohort.reviews.mask_to_review import MaskToReview
from smalltumor.cohort.reviews.reviews import Reviews
from smalltumor.cohort.reviews.stored_candidates import stored_candidates
from smalltumor.cohort.reviews.worklist import Worklist, WorklistEntry
from smalltumor.errors import CaseError, SmalltumorError
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.layers.create import LayerData
from napari_smalltumor.layers.metadata import source_role_of, with_candidates
from napari_smalltumor.loading.files.case_layers import layers_of_case

if TYPE_CHECKING:
    from napari.layers import Layer
    from smalltumor.data.case import Case
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.second_look import StoredCandidates


def layers_to_review(
    worklist: Worklist, entry: WorklistEntry, layers: Sequence[Layer]
) -> tuple[list[LayerData], MaskToReview]:
    """Read the images and the latest mask of a listed case; an expert's mask is left out.

    Parameters
    ----------
    worklist : Worklist
    entry : WorklistEntry
    layers : sequence of layers
        What is open.

    Raises
    ------
    SmalltumorError
        If the images are not those that the mask was made of, the cohort was run again and what is
        listed is not of its mask any more, or a file cannot be read.
    """
    name = entry.name
    if entry.files is None or entry.result.failed:
        raise CaseError(f"{name} has no {'mask' if entry.result.failed else 'images'} to open")
    check_listed(worklist.folder, entry.result)
    record = CohortCaseRecord.read(ResultsFolder(worklist.folder).record(name))
    digests = sha256_of_images(entry.files)
    if has_other_files(record, entry.files, digests):
        raise CaseError(f"the images of {name} have changed since its mask was made")
    begun = Reviews(worklist.folder).begin(name, digests)
    mask = read_stored_mask(begun.path, name, begun.scheme)
    if digest_of_file(begun.path) != begun.digest:
        raise CaseError(f"{begun.path} was changed while it was read; open {name} again")
    files = replace(entry.files, name=entry.files.own_name)  # as it is opened by itself
    data = layers_of_case(files, layers=layers, with_labels=False, regions=mask, with_contents=True)
    if any(case.digests != digests for case in _cases_of(data)):
        raise CaseError(f"{name}: its images were replaced while they were read; open it again")
    stored = _candidates(ResultsFolder(worklist.folder), begun, mask)
    return [_with_candidates(each, stored) for each in data], begun


def _cases_of(data: Sequence[LayerData]) -> Iterator[Case]:
    for _, attributes, _ in data:
        role = source_role_of(attributes["metadata"])
        if role is not None and role.case is not None:
            yield role.case


def _candidates(
    folder: ResultsFolder, begun: MaskToReview, mask: Segmentation
) -> StoredCandidates | None:
    """What is stored of a case, also beside a reviewed mask; a fault of the files is warned of."""
    if begun.review is not None:
        try:
            mask = read_stored_mask(folder.mask(begun.case), begun.case, begun.scheme)
        except SmalltumorError as error:
            notify.warn(f"{begun.case} has no second look: {error}")
            return None
    stored = stored_candidates(folder, begun, mask)
    if stored.problem and not stored.is_missing:
        notify.warn(f"{begun.case} has no second look: {stored.problem}")
    # in a mask that was reviewed, a component that the network doubts may have been accepted
    return stored if begun.review is None else replace(stored, found=())


def _with_candidates(data: LayerData, stored: StoredCandidates | None) -> LayerData:
    values, attributes, kind = data
    role = source_role_of(attributes["metadata"])
    if stored is None or role is None or role.region is not Region.ET:
        return data
    metadata = with_candidates(attributes["metadata"], stored)
    return values, {**attributes, "metadata": metadata}, kind
