"""The layer of a single 3D file: an image, labels, or the mask of a region."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
from smalltumor.data.brain.background import is_finite
from smalltumor.data.case import Case
from smalltumor.data.identity.image_digests import recorded_images
from smalltumor.data.loaded_images import LoadedImage, read_image
from smalltumor.data.loaded_labels import LoadedLabels
from smalltumor.data.made_by import recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume, rounded
from smalltumor.data.masks.layered_segments import without_layers
from smalltumor.data.naming.file_names import LABELS, parse_file_name
from smalltumor.data.naming.find_cases import label_scheme_hint
from smalltumor.data.volumes.header_checks import header_warnings
from smalltumor.data.volumes.nifti import Volume, stem
from smalltumor.labels.regions import Region

from napari_smalltumor import notify
from napari_smalltumor.layers.create import LayerData, image_layer
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.loading.labels.layers import labels_of

_REGION_ENDING = re.compile(r"^(?P<case>.+)[-_ ](?P<region>et|tc|wt)$", re.IGNORECASE)


def read_single_file(path: Path) -> LayerData:
    """Read an image or label file by itself, which also shows NaN and infinite voxels.

    Raises
    ------
    CaseError
        If it cannot be read.
    """
    volume = without_layers(read_image(path, allow_nonfinite=True))
    layer = layer_of_volume(volume)
    for warning in header_warnings([volume]):
        notify.warn(warning)
    if layer[2] == "image" and not is_finite(volume.data):
        notify.warn(
            f"{path.name} has NaN or infinite voxels in the brain; the case cannot be segmented "
            "with this image"
        )
    return layer


def layer_of_volume(volume: Volume) -> LayerData:
    """The layer of a single 3D file: a modality, a label volume, or the mask of a region."""
    name = stem(volume.path)
    region = _REGION_ENDING.match(name)
    if region and _is_mask(volume.data):
        case = single_file_case(region["case"], volume)
        case.folder = Path(os.path.normpath(volume.path.parent.absolute()))
        made_by = recorded_made_by(volume)
        return region_layer(
            case, Region(region["region"].lower()), volume.data != 0, made_by=made_by
        )
    case_name, role, _word = parse_file_name(volume.path) or (name, None, "")
    case = single_file_case(case_name or volume.path.resolve().parent.name, volume)
    labels = rounded(volume)
    if role == LABELS or (role is None and _is_label_volume(labels.data)):
        case.labels_path, case.loaded_labels = volume.path, LoadedLabels(labels, read_label_volume)
        case.scheme_hint = label_scheme_hint(volume.path)
        return labels_of(case, labels)
    case.volumes = {role or name: volume.data}
    case.paths = {role or name: volume.path}
    case.loaded_images = {volume.path: LoadedImage(volume)}
    return image_layer(case, role or name)


def single_file_case(name: str, volume: Volume) -> Case:
    """A case of a single file: its grid, its header, reasons to doubt them, recorded images."""
    return Case(
        name,
        {},
        volume.grid,
        volume.header,
        warnings=header_warnings([volume]),
        labels_made_of=recorded_images(volume),
    )


def _is_mask(data: npt.NDArray[np.generic]) -> bool:
    return data.dtype.kind in "ui" and int(data.max()) <= 1 and int(data.min()) >= 0


def _is_label_volume(data: npt.NDArray[np.generic]) -> bool:
    """Whether an array holds whole numbers from 0 to 4, in whichever type a program saved them."""
    return data.dtype.kind in "ui" and int(data.max()) <= 4 and int(data.min()) >= 0
