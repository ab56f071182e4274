"""The second look: spots that the network almost found, and scores of all lesions."""

from smalltumor.second_look.found import scored
from smalltumor.second_look.label_images import label_image, on_other_grid
from smalltumor.second_look.parameters import SecondLookParameters, load_parameters
from smalltumor.second_look.score_warning import NOT_POSSIBLE, score_warning
from smalltumor.second_look.second_look import SecondLook, second_look

__all__ = [
    "NOT_POSSIBLE",
    "SecondLook",
    "SecondLookParameters",
    "label_image",
    "load_parameters",
    "on_other_grid",
    "score_warning",
    "scored",
    "second_look",
]
