"""Whether a mask lies where the tumour is in the images."""

from __future__ import annotations

from smalltumor.data.case import Case
from smalltumor.data.mask_placement.flair_border import flair_border
from smalltumor.data.mask_placement.outside_images import outside_images_text
from smalltumor.labels.masks import Classes


def placement_text(case: Case, classes: Classes) -> str:
    """A sentence about a mask that seems to be mirrored, another patient's, or outside the brain.

    Empty if nothing speaks for it. A mask that FLAIR shows in its place may reach beyond the
    brain, as one drawn with a brush does, and is not said to be another patient's.

    Parameters
    ----------
    case : Case
        Without images, nothing is doubtful.
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.
    """
    if not case.volumes:
        return ""
    border = flair_border(case, classes)
    if border is not None and border.mirroring:
        return str(border)
    outside = outside_images_text(case, classes)
    if border is not None:
        return "; ".join(filter(None, (str(border), outside)))
    return f"{outside}; the mask may be mirrored or another patient's" if outside else ""
