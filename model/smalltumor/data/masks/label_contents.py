"""What a label file holds: by its header first, then its segments, then its name.

The same order decides on the scheme of its classes, see `smalltumor.data.masks.label_scheme`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from smalltumor.data.masks.label_scheme import region_by_name, scheme_in_file, scheme_in_header
from smalltumor.data.volumes.nifti import Volume
from smalltumor.labels.masks import Mask, region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import integer_values, scheme_of_header
from smalltumor.labels.segments import region_of_segments


def region_of_volume(volume: Volume, values: Collection[int]) -> Region | None:
    """The region whose mask a label file is; None for a file of several classes.

    What the file holds goes before its name: a label file of this program is no mask of ET, even if
    its name ends in ``-ET``.

    Parameters
    ----------
    volume : Volume
    values : collection of int
        Its distinct values.

    Raises
    ------
    LabelError
        As `scheme_of_segments`, without the name of the file.
    """
    if scheme_in_header(volume, values) is not None:
        return None
    region = region_of_segments(volume.segments, values)
    if region is not None or scheme_in_file(volume, values) is not None:
        return region
    return region_by_name(volume.path, values)


def mask_of_region(volume: Volume, region: Region) -> Mask:
    """The mask of a region, (i, j, k) bool, of a file that is named after it.

    Of a label file of this program with such a name, it is the region in it. One value may be what
    another program has cut out of such a file, with its header.
    """
    if scheme_of_header(volume.label_scheme) is not None:
        values = integer_values(volume.data)
        scheme = scheme_in_header(volume, values)
        if scheme is not None and len(set(values) - {0}) > 1:
            return region_mask(scheme.decode(volume.data), region)
    return np.asarray(volume.data != 0)
