"""Where the regions in the window are from, as reports state it."""

from __future__ import annotations

from smalltumor.data.segmentation import Segmentation


def regions_origin(segmentation: Segmentation) -> str:
    """Whether a network made the regions in the window, and whether they were edited.

    Parameters
    ----------
    segmentation : Segmentation
        Of the region layers, with their edits.
    """
    made_by = segmentation.made_by
    if segmentation.run is None:
        opened = "regions drawn or opened in the window"
        return opened if made_by is None else f"{opened}; {made_by}"
    return f"regions of the network, {'edited' if were_edited(segmentation) else 'not edited'}"


def with_saved_state(origin: str, *, is_saved: bool) -> str:
    """The origin of regions, and whether they are in no file as they are."""
    return origin if is_saved else f"{origin}; not saved to a file"


def were_edited(segmentation: Segmentation) -> bool:
    """Whether the regions in the window are not as the network gave them."""
    made_by = segmentation.made_by
    return made_by is None or not made_by.is_unedited
