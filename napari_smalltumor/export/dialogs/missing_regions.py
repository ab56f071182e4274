"""What a file holds of a case whose regions have not all a layer, for the question before it."""

from __future__ import annotations

from collections.abc import Collection

from smalltumor.labels.regions import Region


def without_text(region: Region, missing: Collection[Region]) -> str:
    """What becomes of the tissue of a missing region.

    It counts as that of the next larger region which is there, see
    `smalltumor.labels.masks.compose_classes`.

    Parameters
    ----------
    region : Region
        One of `missing`.
    missing : collection of Region
        All regions without a layer; not every region.
    """
    has_core, has_whole = Region.TC not in missing, Region.WT not in missing
    if region is Region.ET:
        tissue = "necrosis" if has_core else "edema"
        return f"there will be no enhancing tumour, and its tissue will count as {tissue}"
    if region is Region.TC:
        return "necrosis will count as edema" if has_whole else "there will be no necrosis"
    return "there will be no edema"
