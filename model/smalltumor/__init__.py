"""Find and outline small brain tumours in MRI.

Research software: not a medical device, not for diagnosis.

>>> from smalltumor import find_lesions, load_checkpoint, read_case, segment, write_segmentation
>>> case = read_case("BraTS2021_00019")
>>> segmentation = segment(case, load_checkpoint())
>>> lesions = find_lesions(segmentation, region="et")
>>> write_segmentation(segmentation, "BraTS2021_00019_seg.nii.gz")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from smalltumor.data.case import Case as Case
    from smalltumor.data.masks.label_files import read_labels as read_labels
    from smalltumor.data.read_case import read_case as read_case
    from smalltumor.data.sample import sample_case_folder as sample_case_folder
    from smalltumor.data.segmentation import Segmentation as Segmentation
    from smalltumor.data.segmentation import write_segmentation as write_segmentation
    from smalltumor.errors import SmalltumorError as SmalltumorError
    from smalltumor.inference import segment as segment
    from smalltumor.labels.regions import Region as Region
    from smalltumor.lesions import Lesion as Lesion
    from smalltumor.lesions import find_lesions as find_lesions
    from smalltumor.models.checkpoint import Checkpoint as Checkpoint
    from smalltumor.models.checkpoint import load_checkpoint as load_checkpoint
    from smalltumor.models.checkpoint import random_checkpoint as random_checkpoint

# Names are imported on first use: `import smalltumor` loads neither numpy nor torch.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "data.case": ["Case"],
        "data.read_case": ["read_case"],
        "data.masks.label_files": ["read_labels"],
        "data.sample": ["sample_case_folder"],
        "data.segmentation": ["Segmentation", "write_segmentation"],
        "errors": ["SmalltumorError"],
        "inference": ["segment"],
        "labels.regions": ["Region"],
        "lesions": ["Lesion", "find_lesions"],
        "models.checkpoint": ["Checkpoint", "load_checkpoint", "random_checkpoint"],
    },
)
