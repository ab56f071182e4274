"""Find and outline small brain tumours in MRI.

Research software: not a medical device, not for diagnosis.

>>> from smalltumor import find_lesions, load_checkpoint, read_case, segment, write_segmentation
>>> case = read_case("BraTS2021_00019")
>>> segmentation = segment(case, load_checkpoint())
>>> lesions = find_lesions(segmentation, region="et")
>>> write_segmentation(segmentation, "BraTS2021_00019_seg.nii.gz")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smalltumor.data.case import Case, read_case
    from smalltumor.data.label_files import read_labels
    from smalltumor.data.sample import sample_case_folder
    from smalltumor.data.segmentation import Segmentation, write_segmentation
    from smalltumor.errors import SmalltumorError
    from smalltumor.inference import segment
    from smalltumor.labels.regions import Region
    from smalltumor.lesions import Lesion, find_lesions
    from smalltumor.models.checkpoint import Checkpoint, load_checkpoint, random_checkpoint

__all__ = [
    "Case",
    "Checkpoint",
    "Lesion",
    "Region",
    "Segmentation",
    "SmalltumorError",
    "find_lesions",
    "load_checkpoint",
    "random_checkpoint",
    "read_case",
    "read_labels",
    "sample_case_folder",
    "segment",
    "write_segmentation",
]

_HOMES = {
    "Case": "data.case",
    "Checkpoint": "models.checkpoint",
    "Lesion": "lesions",
    "Region": "labels.regions",
    "Segmentation": "data.segmentation",
    "SmalltumorError": "errors",
    "find_lesions": "lesions",
    "load_checkpoint": "models.checkpoint",
    "random_checkpoint": "models.checkpoint",
    "read_case": "data.case",
    "read_labels": "data.label_files",
    "sample_case_folder": "data.sample",
    "segment": "inference",
    "write_segmentation": "data.segmentation",
}


def __getattr__(name: str) -> object:
    # Importing on first use keeps `import smalltumor` free of torch, scipy and nibabel.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
