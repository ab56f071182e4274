"""The second look: lesions that the network almost found, and scores of all lesions.

A *peak* is a local maximum of enhancement or of the probability of ET. A *seed* is a voxel that a
lesion is grown from: a peak, or where the user has clicked. A *candidate* is a lesion that was
grown from a peak outside the mask.
"""

from smalltumor.second_look.component_scores import with_scores
from smalltumor.second_look.label_images import label_image, on_other_grid, write_label_image
from smalltumor.second_look.parameters import SecondLookParameters, load_parameters
from smalltumor.second_look.region_growing import LesionGrower
from smalltumor.second_look.score_warning import score_warning, warning_for_weights
from smalltumor.second_look.second_look import SecondLook, second_look
from smalltumor.second_look.stored import (
    StoredCandidates,
    StoredLesion,
    read_candidates,
    with_probabilities,
)

__all__ = [
    "LesionGrower",
    "SecondLook",
    "SecondLookParameters",
    "StoredCandidates",
    "StoredLesion",
    "label_image",
    "load_parameters",
    "on_other_grid",
    "read_candidates",
    "score_warning",
    "second_look",
    "warning_for_weights",
    "with_probabilities",
    "with_scores",
    "write_label_image",
]
