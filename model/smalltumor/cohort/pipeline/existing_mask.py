"""The mask of a case as a later run finds it, and what happened to it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from smalltumor.cohort.results.records import CohortCaseRecord, has_other_files
from smalltumor.cohort.results.stored_mask import digest_of_classes, read_stored_mask
from smalltumor.cohort.results.table_of_mask import lists_lesions
from smalltumor.errors import CaseError, SmalltumorError

if TYPE_CHECKING:
    from smalltumor.cohort.results.results_folder import ResultsFolder
    from smalltumor.data.naming.case_files import CaseFiles
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.lesions import Lesion


class MaskState(Enum):
    """What happened to a mask, see `state_of`."""

    UNCHANGED = "unchanged"
    CORRECTED = "the mask was corrected"
    OF_ANOTHER_TABLE = "the lesion table was not that of the mask"
    IMAGES_REPLACED = (
        "its images have changed since its mask in the folder of results was made; delete the mask "
        "to have it segmented again"
    )
    OF_OTHER_IMAGES = (
        "the mask in the folder of results was made of other images, such as another patient's; "
        "delete it to have the case segmented"
    )


@dataclass(frozen=True, eq=False)
class ExistingMask:
    """A mask that is in the folder of results already.

    Parameters
    ----------
    mask : Segmentation
    lesions : list of Lesion
        Its components of enhancing tumour.
    digest : str
        `digest_of_classes` of the mask.
    record : CohortCaseRecord or None
        How it was made; None of a mask that somebody else put there.
    state : MaskState
        No state in which a mask is refused.
    """

    mask: Segmentation
    lesions: list[Lesion]
    digest: str
    record: CohortCaseRecord | None
    state: MaskState

    @property
    def has_outdated_files(self) -> bool:
        """Whether the files beside the mask are not those of the mask as it is now."""
        return self.state is not MaskState.UNCHANGED


def read_existing_mask(
    files: CaseFiles, folder: ResultsFolder, scheme: str, seen: Mapping[str, str] | None
) -> ExistingMask:
    """Read the mask of a case in a folder of results.

    Parameters
    ----------
    files : CaseFiles
    folder : ResultsFolder
    scheme : str
        Label scheme of the masks of the folder.
    seen : mapping of str to str, optional
        SHA-256 of the images that the network saw, of which candidates would be.

    Raises
    ------
    SmalltumorError
        If it cannot be read, or is not of the images of the case.
    """
    from smalltumor.lesions import find_lesions

    record = CohortCaseRecord.read(folder.record(files.name))
    try:
        mask = read_stored_mask(folder.mask(files.name), files.name, scheme)
    except SmalltumorError as error:
        raise CaseError(f"{error}; delete it to have it segmented again") from error
    lesions, digest = find_lesions(mask), digest_of_classes(mask.classes)
    state = state_of(mask, lesions, digest, record, files, folder, seen)
    if state in (MaskState.IMAGES_REPLACED, MaskState.OF_OTHER_IMAGES):
        raise CaseError(f"{files.name}: {state.value}")
    return ExistingMask(mask=mask, lesions=lesions, digest=digest, record=record, state=state)


def state_of(
    mask: Segmentation,
    lesions: Sequence[Lesion],
    digest: str,
    record: CohortCaseRecord | None,
    files: CaseFiles,
    folder: ResultsFolder,
    seen: Mapping[str, str] | None = None,
) -> MaskState:
    """What happened to a mask since the files beside it were written.

    ======================  ============================  ====================  ================
    Images of the case now  The mask                      Lesion table          State
    ======================  ============================  ====================  ================
    not those of the record any                           any                   IMAGES_REPLACED
    the same, or no record  names other images; classes   any                   OF_OTHER_IMAGES
                            are not those of the record
    the same                classes are not those of the  any                   CORRECTED
                            record
    the same, or no record  any other                     of other lesions      OF_ANOTHER_TABLE
    the same, or no record  any other                     of these, or missing  UNCHANGED
    ======================  ============================  ====================  ================

    The record knows the classes from which the files were written. The table also tells if the mask
    has another place or voxel size, and is all that tells of a mask without a record.
    """
    if has_other_files(record, files, seen):
        return MaskState.IMAGES_REPLACED
    is_recorded = record is not None and record.classes == digest
    if not is_recorded and _is_of_other_images(mask, files):
        return MaskState.OF_OTHER_IMAGES
    if record is not None and not is_recorded:
        return MaskState.CORRECTED
    table = folder.lesions(files.name)
    if folder.has(table) and not lists_lesions(table, lesions):
        return MaskState.OF_ANOTHER_TABLE
    return MaskState.UNCHANGED


def _is_of_other_images(mask: Segmentation, files: CaseFiles) -> bool:
    from smalltumor.data.case import REFERENCE
    from smalltumor.data.identity.image_digests import are_other_images, digests_of_t1ce

    images = files.modalities.get(REFERENCE)
    if not mask.made_of or not images:
        return False
    return are_other_images(mask.made_of, digests_of_t1ce(images[0]))
