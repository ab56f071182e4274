"""Scores of the components of the mask: specks score low.

Of size, probability and contrast, only size told real components from false ones on patients that
the network had not been trained on (docs/lab/second-look.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.lesions import without_probability_if_painted

if TYPE_CHECKING:
    from smalltumor.lesions import Lesion
    from smalltumor.second_look.parameters import SecondLookParameters

FEATURES = ("log_mm3",)
"""Names of the features."""

_MIN_MM3 = 1e-3


def found_features(lesions: Sequence[Lesion]) -> npt.NDArray[np.float64]:
    """Measure components of a mask.

    Returns
    -------
    (n, 1) float64 array
        The natural logarithm of the volume in mm3.
    """
    volumes = [max(lesion.mm3, _MIN_MM3) for lesion in lesions]
    return np.log(np.array(volumes, dtype=np.float64))[:, None]


def with_scores(lesions: Sequence[Lesion], parameters: SecondLookParameters) -> list[Lesion]:
    """Give components of the mask their scores, by their size alone.

    Those that were painted, or whose probabilities are unknown, have none.

    Parameters
    ----------
    lesions : sequence of Lesion
        Components of enhancing tumour.
    parameters : SecondLookParameters
    """
    of_network = map(without_probability_if_painted, lesions)
    known = [x for x in of_network if x.mean_probability is not None]
    scores = parameters.found(found_features(known), FEATURES)
    by_id = {x.id: float(score) for x, score in zip(known, scores, strict=True)}
    return [replace(x, score=by_id.get(x.id)) for x in lesions]
