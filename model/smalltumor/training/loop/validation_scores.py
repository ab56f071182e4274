"""Scores of a network on whole volumes, by region and by size of the enhancing tumour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from smalltumor.evaluation.metrics.components import component_dice
from smalltumor.evaluation.metrics.voxelwise import dice
from smalltumor.labels.masks import region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.training.data.training_case import TrainingCase
from smalltumor.training.data.whole_volumes import Predict


def score_cases(predict: Predict, cases: Sequence[TrainingCase]) -> list[dict[str, Any]]:
    """Whole-volume Dice of every case.

    Parameters
    ----------
    predict : callable
    cases : sequence of TrainingCase

    Returns
    -------
    list of dict
        ``case``, Dice as ``et``, ``tc``, ``wt`` (an empty truth: 1 if the prediction is empty
        too, else 0), the enhancing tumour's voxels, true and predicted, and the Dice of each of
        its components below `SMALL_LESION_VOXELS`, see `component_dice`.
    """
    scores = []
    for case in cases:
        predicted, truth = predict(case), case.classes.cpu().numpy()
        score: dict[str, Any] = {"case": case.name}
        for region in Region:
            masks = region_mask(predicted, region), region_mask(truth, region)
            score[region.value] = round(dice(*masks), 4)
        score["et_voxels"] = int(region_mask(truth, Region.ET).sum())
        score["et_predicted"] = int(region_mask(predicted, Region.ET).sum())
        enhancing = region_mask(predicted, Region.ET), region_mask(truth, Region.ET)
        small = [value for _, value in component_dice(*enhancing, SMALL_LESION_VOXELS)]
        score["small_lesions"] = [round(value, 4) for value in small]
        scores.append(score)
    return scores


def mean_scores(scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean Dice by region over all cases, and of ET where it is small or absent.

    Parameters
    ----------
    scores : sequence of dict
        As `score_cases` returns them.

    Returns
    -------
    dict
        ``score`` (mean of the three regions), ``et``, ``tc``, ``wt``, ``et_small`` (enhancing
        tumour below `SMALL_LESION_VOXELS`, None without such a case), ``small_lesions`` (mean
        Dice of the small components of all cases, None if there are none), ``cases``.
    """
    means = {r.value: float(np.mean([s[r.value] for s in scores])) for r in Region}
    small = [s["et"] for s in scores if 0 < s["et_voxels"] < SMALL_LESION_VOXELS]
    lesions = [value for s in scores for value in s["small_lesions"]]
    return {
        "score": round(float(np.mean(list(means.values()))), 4),
        **{name: round(value, 4) for name, value in means.items()},
        "et_small": round(float(np.mean(small)), 4) if small else None,
        "small_lesions": round(float(np.mean(lesions)), 4) if lesions else None,
        "cases": len(scores),
    }
