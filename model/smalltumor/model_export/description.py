"""What a user of an exported network has to know, as plain values."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from smalltumor.labels.regions import TissueClass

if TYPE_CHECKING:
    from smalltumor.models.checkpoint import Checkpoint

CLASS_TITLES = {
    TissueClass.BACKGROUND: "background",
    TissueClass.NCR: "necrotic or non-enhancing tumour core",
    TissueClass.ED: "edema",
    TissueClass.ET: "enhancing tumour",
}
INPUT = (
    "Skull-stripped, co-registered images of 1 mm, axes to the patient's left, back and head; "
    "each clipped at percentiles of the brain, with mean 0 and standard deviation 1 in the brain "
    "and 0 outside; cropped so that each axis is a multiple of 16 voxels."
)
INTENDED_USE = "Research only. Not a medical device, not for diagnosis."


def class_titles() -> dict[str, str]:
    """Names of the output's channels by their number."""
    return {str(int(tissue)): title for tissue, title in CLASS_TITLES.items()}


def version() -> str:
    """The installed version of this package."""
    return metadata.version("napari-smalltumor")


def facts(checkpoint: Checkpoint) -> dict[str, Any]:
    """Card, preprocessing and classes of a network, plain JSON values."""
    return {
        "card": checkpoint.card,
        "preprocessing": checkpoint.preprocessing.to_dict(),
        "input": INPUT,
        "classes": class_titles(),
        "intended_use": INTENDED_USE,
        "made_by": f"napari-smalltumor {version()}",
        "weights_sha256": checkpoint.digest,
    }
