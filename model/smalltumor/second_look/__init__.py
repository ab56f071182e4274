"""The second look: spots that the network almost found, and scores of all lesions."""

from smalltumor.second_look.component_scores import with_scores
from smalltumor.second_look.grower import LesionGrower
from smalltumor.second_look.label_images import label_image, on_other_grid, write_label_image
from smalltumor.second_look.parameters import SecondLookParameters, load_parameters
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
