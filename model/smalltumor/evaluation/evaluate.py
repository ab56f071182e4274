"""Evaluation of predicted label files against the truth, for every case and region."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy.typing as npt

from smalltumor.errors import GridMismatchError
from smalltumor.evaluation.candidate_files import candidates_beside
from smalltumor.evaluation.label_pairs import LabelPairs
from smalltumor.evaluation.metrics.components import TruthComponent, score_components
from smalltumor.evaluation.metrics.froc import CaseCandidates
from smalltumor.evaluation.metrics.lesionwise import LesionScores, score_lesions
from smalltumor.evaluation.metrics.voxelwise import RegionScore, score_masks
from smalltumor.labels.masks import Classes, region_mask
from smalltumor.labels.regions import Region, known_regions
from smalltumor.progress import ProgressCallback


@dataclass(frozen=True)
class RegionScores:
    """Scores of one region of one case.

    Parameters
    ----------
    overlap : RegionScore
        Voxelwise scores.
    lesions : LesionScores
        Lesion-wise scores of BraTS 2023.
    components : list of TruthComponent
        Every 26-connected component of the truth.
    """

    overlap: RegionScore
    lesions: LesionScores
    components: list[TruthComponent]


@dataclass(frozen=True)
class CaseScores:
    """Scores of one case.

    Parameters
    ----------
    name : str
    regions : mapping of Region to RegionScores
        Those that prediction and truth tell, see `smalltumor.labels.regions.known_regions`: ET,
        and if they also tell its other parts, TC and WT.
    """

    name: str
    regions: Mapping[Region, RegionScores]


@dataclass(frozen=True)
class Evaluation:
    """Scores of a set of cases.

    Parameters
    ----------
    cases : list of CaseScores
        By name; without those of which no region can be scored.
    prediction_scheme, truth_scheme : str
        Name of the label scheme of the files of a side; several with "and" between them.
    notes : list of str
        Remarks for the report, such as cases left out.
    candidates : tuple of CaseCandidates
        Of the cases beside whose masks there are candidates for a second look.
    """

    cases: list[CaseScores]
    prediction_scheme: str
    truth_scheme: str
    notes: list[str]
    candidates: tuple[CaseCandidates, ...] = ()


def score_case(
    name: str,
    prediction: Classes,
    truth: Classes,
    voxel: npt.ArrayLike = (1.0, 1.0, 1.0),
    *,
    regions: Collection[Region] = tuple(Region),
) -> CaseScores:
    """Score one case.

    Parameters
    ----------
    name : str
    prediction, truth : (i, j, k) uint8 array
        Tissue classes on one grid.
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.
    regions : collection of Region
        Those that prediction and truth tell; the others are not scored.

    Raises
    ------
    GridMismatchError
        If the shapes differ.
    """
    require_same_shape(name, prediction, truth)
    return CaseScores(name, {r: _score_region(r, prediction, truth, voxel) for r in regions})


def require_same_shape(name: str, prediction: Classes, truth: Classes) -> None:
    """Raise a `GridMismatchError` that names the case if the shapes differ."""
    if prediction.shape != truth.shape:
        raise GridMismatchError(
            f"{name}: the prediction has shape {prediction.shape} and the truth {truth.shape}"
        )


def _score_region(
    region: Region,
    prediction: Classes,
    truth: Classes,
    voxel: npt.ArrayLike,
) -> RegionScores:
    predicted, actual = region_mask(prediction, region), region_mask(truth, region)
    return RegionScores(
        overlap=score_masks(predicted, actual, voxel),
        lesions=score_lesions(predicted, actual, voxel),
        components=score_components(predicted, actual),
    )


def evaluate(
    predictions: str | Path,
    truth: str | Path,
    *,
    labels: str | None = None,
    truth_labels: str | None = None,
    progress: ProgressCallback | None = None,
) -> Evaluation:
    """Score label files against the truth, matched by the name of their case.

    A region is scored if the label schemes of prediction and truth tell all its classes; notes
    name the cases of which it is not.

    Parameters
    ----------
    predictions, truth : path
        A file or a folder each.
    labels, truth_labels : str, optional
        Names of the label schemes. By default the header of a file, and the label values and file
        names of a side decide. If those of the predictions fit several schemes, the truth's scheme
        is used.
    progress : callable, optional
        Called with the fraction done and the name of the current case.

    Raises
    ------
    CaseError, GridMismatchError, LabelError
        If files cannot be matched or read, are on different grids, or fit several schemes, or no
        region of any case can be scored.
    """
    pairs = LabelPairs.find(Path(predictions), Path(truth), labels, truth_labels)
    cases: list[CaseScores] = []
    candidates: list[CaseCandidates] = []
    for pair in pairs.read(progress):
        predicted, true = pair.prediction.classes, pair.truth.classes
        regions = known_regions(pair.known)
        if not regions:
            continue
        edges = pair.grid.voxel.edges
        cases.append(score_case(pair.name, predicted, true, edges, regions=regions))
        compared = candidates_beside(pair.name, pair.path, predicted, true, pair.grid)
        candidates += [] if compared is None else [compared]
    pairs.require_scores(cases)
    return Evaluation(
        cases,
        prediction_scheme=pairs.prediction_schemes.name,
        truth_scheme=pairs.truth_schemes.name,
        notes=[*pairs.notes, *_without_candidates(candidates, cases)],
        candidates=tuple(candidates),
    )


def _without_candidates(
    candidates: Sequence[CaseCandidates], cases: Sequence[CaseScores]
) -> list[str]:
    have = {case.case for case in candidates}
    without = [case.name for case in cases if case.name not in have]
    if not candidates or not without:
        return []
    return [f"without candidates, and left out of the FROC: {', '.join(without)}"]
