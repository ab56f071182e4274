"""The files beside an existing mask: those that are missing, or of the mask as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from smalltumor.cohort.results.derived_masks import (
    digests_of_masks,
    mask_in_dataset,
    was_edited_apart,
)
from smalltumor.cohort.results.rows import reason_of
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.data.naming.export_names import region_paths
from smalltumor.errors import SmalltumorError
from smalltumor.labels.lesion_list import LesionList
from smalltumor.text import list_text

if TYPE_CHECKING:
    from pathlib import Path

    from smalltumor.cohort.pipeline.existing_mask import ExistingMask
    from smalltumor.cohort.pipeline.network_stage import Computed
    from smalltumor.cohort.results.results_folder import ResultsFolder
    from smalltumor.cohort.settings import CohortSettings
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.labels.regions import Region

NOT_ITS_OWN = (
    "no candidates written: the mask differs from the network's; it was corrected, or made on "
    "another device"
)
CANDIDATES_WRITTEN = "candidates written"


class Beside(NamedTuple):
    """What `write_beside` did.

    Parameters
    ----------
    notes : list of str
        On what was written, and what was kept.
    derived : dict of str to str
        Digests of the masks that were written, by their names.
    """

    notes: list[str]
    derived: dict[str, str]


def write_beside(existing: ExistingMask, folder: ResultsFolder, settings: CohortSettings) -> Beside:
    """Write the table, region masks and BIDS files of a mask that are missing or outdated.

    Candidates of the mask as it was before are removed.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    from smalltumor.data.bids.write import write_bids
    from smalltumor.data.segmentation import write_regions
    from smalltumor.lesions import write_csv

    mask, name = existing.mask, existing.mask.name
    written: list[str] = []
    derived: list[Path] = []
    if existing.has_outdated_files:
        folder.candidates(name).unlink(missing_ok=True)
    if existing.has_outdated_files or not folder.has(folder.lesions(name)):
        write_csv(existing.lesions, folder.lesions(name), overwrite=True)
        written.append("lesion table")
    recorded = {} if existing.record is None else existing.record.derived
    corrected = [
        path
        for region, path in region_paths(folder.mask(name)).items()
        if was_edited_apart(path, recorded) and not _is_region_of(mask, region, path)
    ]
    notes = [f"{path.name} was corrected by itself, and was kept" for path in corrected]
    if not corrected and _lacks_regions(existing, folder, settings):
        derived += write_regions(mask, folder.mask(name), overwrite=True)
        written.append("region masks")
    if settings.bids is not None:
        in_dataset = mask_in_dataset(name, settings.bids)
        is_there = _is_stored(mask, in_dataset, settings.scheme)
        if not is_there and folder.has(in_dataset) and was_edited_apart(in_dataset, recorded):
            notes.append(f"{in_dataset} was corrected, differs from this mask and was kept")
        elif existing.has_outdated_files or not is_there:
            image, *_ = write_bids(
                mask,
                settings.bids,
                scheme=settings.scheme,
                authors=settings.authors,
                overwrite=True,
            )
            derived.append(image)
            written.append("BIDS files")
    if existing.has_outdated_files:
        notes.insert(0, f"{existing.state.value}: {list_text(written)} written from it")
    else:
        notes = [*(f"{files} written from the mask" for files in written), *notes]
    return Beside(notes, digests_of_masks(derived))


def _lacks_regions(existing: ExistingMask, folder: ResultsFolder, settings: CohortSettings) -> bool:
    name = existing.mask.name
    if existing.has_outdated_files:
        return settings.regions or folder.has_any_region(name)
    return settings.regions and not folder.has_regions(name)


def _is_region_of(mask: Segmentation, region: Region, path: Path) -> bool:
    """Whether a file holds a region of a mask."""
    from smalltumor.data.volumes.nifti import read_nifti

    try:
        return np.array_equal(read_nifti(path).data != 0, mask.mask(region))
    except SmalltumorError:
        return False


def _is_stored(mask: Segmentation, path: Path, scheme: str) -> bool:
    """Whether a file holds the classes of a mask, which may have been corrected since."""
    try:
        stored = read_stored_mask(path, mask.name, scheme)
    except SmalltumorError:
        return False
    return np.array_equal(stored.classes, mask.classes)


def write_candidates(
    computed: Computed | Exception, mask: Segmentation, folder: ResultsFolder
) -> str:
    """Write the label image of candidates, if its values are the ids of the lesion table.

    Returns
    -------
    str
        `CANDIDATES_WRITTEN`, or why not.
    """
    from smalltumor.cohort.pipeline.network_stage import second_look_at
    from smalltumor.files.tables import read_table
    from smalltumor.second_look import write_label_image

    if isinstance(computed, Exception):
        return f"no candidates written: {reason_of(computed)}"
    result = computed.result
    if not np.array_equal(result.classes, mask.classes):
        return NOT_ITS_OWN
    candidates = second_look_at(computed)[1]
    rows = read_table(folder.lesions(mask.name), ("id", "list"))
    listed = {row["id"] for row in rows if row["list"] == LesionList.SECOND_LOOK}
    if listed != {str(candidate.id) for candidate in candidates}:
        return "no candidates written: the lesion table lists others"
    write_label_image(candidates, result, folder.candidates(mask.name), overwrite=True)
    return CANDIDATES_WRITTEN
