"""The files beside an existing mask: those that are missing, or of the mask as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from smalltumor.cohort.results.rows import reason_of
from smalltumor.cohort.results.stored_mask import read_stored_mask
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

NOT_ITS_OWN = (
    "no candidates written: the mask differs from the network's; it was corrected, or made on "
    "another device"
)
CANDIDATES_WRITTEN = "candidates written"


def write_beside(
    existing: ExistingMask, folder: ResultsFolder, settings: CohortSettings
) -> list[str]:
    """Write the table, region masks and BIDS files of a mask that are missing or outdated.

    Candidates of the mask as it was before are removed.

    Returns
    -------
    list of str
        Notes on what was written.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    from smalltumor.data.bids.names import bids_paths
    from smalltumor.data.bids.write import write_bids
    from smalltumor.data.masks.corrected_masks import was_changed
    from smalltumor.data.segmentation import write_regions
    from smalltumor.lesions import write_csv

    mask, name, written = existing.mask, existing.mask.name, []
    if existing.has_outdated_files:
        folder.candidates(name).unlink(missing_ok=True)
    if existing.has_outdated_files or not folder.has(folder.lesions(name)):
        write_csv(existing.lesions, folder.lesions(name), overwrite=True)
        written.append("lesion table")
    corrected = [path for path in folder.regions(name) if was_changed(path)]
    notes = [f"{path.name} was corrected by itself, and was kept" for path in corrected]
    if not corrected and _lacks_regions(existing, folder, settings):
        write_regions(mask, folder.mask(name), overwrite=True)
        written.append("region masks")
    if settings.bids is not None:
        in_dataset = bids_paths(name, settings.bids)[0]
        is_there = _is_in_dataset(mask, settings.bids, settings.scheme)
        if not is_there and was_changed(in_dataset):
            notes.append(f"{in_dataset} was corrected, differs from this mask and was kept")
        elif existing.has_outdated_files or not is_there:
            write_bids(
                *(mask, settings.bids),
                scheme=settings.scheme,
                authors=settings.authors,
                overwrite=True,
            )
            written.append("BIDS files")
    if existing.has_outdated_files:
        return [f"{existing.state.value}: {list_text(written)} written from it", *notes]
    return [*(f"{files} written from the mask" for files in written), *notes]


def _lacks_regions(existing: ExistingMask, folder: ResultsFolder, settings: CohortSettings) -> bool:
    name = existing.mask.name
    if existing.has_outdated_files:
        return settings.regions or folder.has_any_region(name)
    return settings.regions and not folder.has_regions(name)


def _is_in_dataset(mask: Segmentation, dataset: Path, scheme: str) -> bool:
    """Whether a dataset holds a mask, which may have been corrected since it was written there."""
    from smalltumor.data.bids.names import bids_paths

    try:
        stored = read_stored_mask(bids_paths(mask.name, dataset)[0], mask.name, scheme)
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
