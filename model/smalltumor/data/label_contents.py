"""What a label file holds: by its header first, then its segments, then its name.

The values and the names of other files decide only where these tell nothing, see
`smalltumor.data.label_files`.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from smalltumor.data.naming.exported_masks import named_region
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import Action, LabelError, Remedy
from smalltumor.labels.masks import Mask, region_mask
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.labels.schemes import READ_SCHEMES, LabelScheme, integer_values
from smalltumor.labels.segments import region_of_segments, scheme_of_segments


def own_scheme(volume: Volume, values: Collection[int]) -> LabelScheme | None:
    """The scheme that a label file itself tells: by its header, its segments or as a mask of ET.

    Parameters
    ----------
    volume : Volume
    values : collection of int
        Its distinct values.

    Raises
    ------
    LabelError
        As `scheme_of_segments`, without the name of the file; or if it is named as the mask of TC
        or WT.
    """
    return _scheme_in_file(volume, values) or _scheme_of_region(volume.path, values)


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
    if _scheme_in_header(volume, values) is not None:
        return None
    region = region_of_segments(volume.segments, values)
    if region is not None or _scheme_in_file(volume, values) is not None:
        return region
    return _region_by_name(volume.path, values)


def mask_of_region(volume: Volume, region: Region) -> Mask:
    """The mask of a region, (i, j, k) bool, of a file that is named after it.

    Of a label file of this program with such a name, it is the region in it. One value may be what
    another program has cut out of such a file, with its header.
    """
    if volume.label_scheme in READ_SCHEMES:
        values = integer_values(volume.data)
        scheme = _scheme_in_header(volume, values)
        if scheme is not None and len(set(values) - {0}) > 1:
            return region_mask(scheme.decode(volume.data), region)
    return np.asarray(volume.data != 0)


def _scheme_in_file(volume: Volume, values: Collection[int]) -> LabelScheme | None:
    """The scheme that the header or the segments of a file tell."""
    return _scheme_in_header(volume, values) or scheme_of_segments(volume.segments, values)


def _scheme_in_header(volume: Volume, values: Collection[int]) -> LabelScheme | None:
    stored = READ_SCHEMES.get(volume.label_scheme)
    return stored if stored is not None and set(values) <= set(stored.classes) else None


def _region_by_name(path: Path, values: Collection[int]) -> Region | None:
    """The region that a name states, of a mask of one value."""
    return named_region(path) if len(set(values) - {0}) <= 1 else None


def _scheme_of_region(path: Path, values: Collection[int]) -> LabelScheme | None:
    """The scheme of a mask of one value that is named after a region; None for other files."""
    region, present = _region_by_name(path, values), set(values) - {0}
    if region is None or not present:
        return None
    if region is not Region.ET:
        raise LabelError(
            f"by its name it is the mask of the {REGION_NAMES[region]}, which does not tell the "
            "classes in it",
            Remedy(Action.READ_AS_MASK),
        )
    return LabelScheme("mask of ET", ncr=0, ed=0, et=present.pop())
