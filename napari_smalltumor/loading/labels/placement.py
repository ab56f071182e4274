"""What is said of a mask that is opened and does not lie where the tumour is."""

from __future__ import annotations

from smalltumor.data.case import Case
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.labels.masks import Classes

from napari_smalltumor import notify


def warn_if_misplaced(case: Case, file: str, classes: Classes) -> str:
    """Warn of a mask that seems to be mirrored, another patient's, or outside the brain.

    Parameters
    ----------
    case : Case
        A case without images, which is that of a mask alone, tells nothing.
    file : str
        Name of the file or files.
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.

    Returns
    -------
    str
        The warning; empty without one.
    """
    text = placement_text(case, classes)
    warning = f"{file}: {text}" if text else ""
    if warning:
        notify.warn(warning)
    return warning
