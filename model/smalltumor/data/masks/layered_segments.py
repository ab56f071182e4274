"""Label files whose segments overlap, each in a layer: WT, TC and ET as one label volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import LabelError
from smalltumor.labels.masks import Mask, compose_classes
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import DEFAULT_SCHEME, SCHEMES
from smalltumor.labels.segment_names import Meaning

_REGION_OF: dict[Meaning, Region] = {
    TissueClass.ET: Region.ET,
    Region.TC: Region.TC,
    Region.WT: Region.WT,
}


def without_layers(volume: Volume) -> Volume:
    """The label volume in which layers that are WT, TC and ET are nested.

    Parameters
    ----------
    volume : Volume

    Returns
    -------
    Volume
        3D, in the label scheme `DEFAULT_SCHEME`, which its header names; the same volume if it has
        no layers with segments.

    Raises
    ------
    LabelError
        If the segments are others.
    """
    if volume.data.ndim == 3 or not volume.segments:
        return volume
    masks: dict[Region, Mask] = {}
    for segment in volume.segments:
        meaning = segment.meaning
        if meaning is TissueClass.BACKGROUND:
            continue
        region = None if meaning is None else _REGION_OF.get(meaning)
        if region is None or region in masks or segment.layer >= volume.data.shape[3]:
            raise _not_nested_error(volume)
        masks[region] = np.asarray(volume.data[..., segment.layer] == segment.value)
    if set(masks) != set(Region):
        raise _not_nested_error(volume)
    classes = compose_classes(masks[Region.ET], masks[Region.TC], masks[Region.WT])
    header = volume.header.copy()
    header.set_data_shape(classes.shape)
    header.set_intent("label", name=DEFAULT_SCHEME)
    data = SCHEMES[DEFAULT_SCHEME].encode(classes)
    return replace(volume, data=data, header=header, segments=())


def _not_nested_error(volume: Volume) -> LabelError:
    names = ", ".join(f'"{segment.name}"' for segment in volume.segments)
    return LabelError(
        f"{volume.path} holds segments that overlap ({names}); such a file is read if its segments "
        "are ET, TC and WT by their names. Export it from 3D Slicer as a label map, in which each "
        "voxel is of one segment"
    )
