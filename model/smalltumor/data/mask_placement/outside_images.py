"""Tumour where there is no image."""

from __future__ import annotations

import numpy as np

from smalltumor.data.case import Case
from smalltumor.labels.masks import Classes

DOUBTFUL = 0.01
"""Share of the tumour from which it is doubtful.

Of 51 experts' masks of BraTS 2021 and UPENN-GBM, none had 0.00005 outside the images, and of the
network's masks of these cases none had 0.0071. See docs/lab/input-checks.md.
"""


def outside_images_text(case: Case, classes: Classes) -> str:
    """A sentence about tumour voxels where every image is 0; empty below `DOUBTFUL`.

    Images that were not skull-stripped are 0 hardly anywhere.

    Parameters
    ----------
    case : Case
    classes : (i, j, k) uint8 array
        Tissue classes on the case's grid.
    """
    tumour = classes > 0
    total = int(np.count_nonzero(tumour))
    images = [volume[tumour] for volume in case.volumes.values()]
    outside = int(np.count_nonzero(np.logical_and.reduce([image == 0 for image in images])))
    if not total or outside < DOUBTFUL * total:
        return ""
    return f"{outside:,} of {total:,} tumour voxels lie outside the brain, where all images are 0"
