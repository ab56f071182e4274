"""Whether a mask lies where the tumour is in the images."""

from __future__ import annotations

from smalltumor.data.case import Case
from smalltumor.labels.masks import Classes
from smalltumor.training.data.flair_edge import flair_edge_text
from smalltumor.training.data.outside_images import outside_images_text


def placement_warnings(case: Case, classes: Classes) -> list[str]:
    """What makes it likely that a mask is mirrored or another patient's; at most one sentence.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.
    """
    text = outside_images_text(case, classes) or flair_edge_text(case, classes)
    return [text] if text else []
