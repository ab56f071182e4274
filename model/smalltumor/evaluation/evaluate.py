"""Evaluation of predicted label files against the truth, for every case and region."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smalltumor.data.identity.case_names import states_other_case
from smalltumor.data.masks.label_files import decode_labels, on_grid, read_label_volume
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import GridMismatchError
from smalltumor.evaluation.candidate_files import candidates_beside
from smalltumor.evaluation.find_label_files import LabelFile
from smalltumor.evaluation.metrics.components import (
    TruthComponent,
    score_components,
)
from smalltumor.evaluation.metrics.froc import CaseCandidates
from smalltumor.evaluation.metrics.lesionwise import LesionScores, score_lesions
from smalltumor.evaluation.metrics.voxelwise import RegionScore, score_masks
from smalltumor.evaluation.pair_notes import PairNotes
from smalltumor.evaluation.pairing import Pairing, pair_label_files
from smalltumor.evaluation.schemes import schemes_of
from smalltumor.labels.masks import Classes, region_mask
from smalltumor.labels.regions import Region
from smalltumor.labels.schemes import LabelScheme


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
    """Scores of one case, by region."""

    name: str
    regions: Mapping[Region, RegionScores]


@dataclass(frozen=True)
class Evaluation:
    """Scores of a set of cases.

    Parameters
    ----------
    cases : list of CaseScores
        By name.
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
) -> CaseScores:
    """Score one case.

    Parameters
    ----------
    name : str
    prediction, truth : (i, j, k) uint8 array
        Tissue classes on one grid.
    voxel : three floats, or (3, 3) array
        Voxel size along i, j, k in mm, or the edges of a voxel, see `Voxel.of`.

    Raises
    ------
    GridMismatchError
        If the shapes differ.
    """
    require_same_shape(name, prediction, truth)
    return CaseScores(name, {r: _score_region(r, prediction, truth, voxel) for r in Region})


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
    progress: Callable[[float, str], None] | None = None,
) -> Evaluation:
    """Score label files against the truth, matched by the name of their case.

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
        If files cannot be matched or read, are on different grids, or fit several schemes.
    """
    pairing = pair_label_files(Path(predictions), Path(truth))
    predicted_files, true_files = zip(*pairing.pairs, strict=True)
    of_truth = schemes_of(true_files, truth_labels, None, "truth")
    of_predictions = schemes_of(predicted_files, labels, of_truth.only, "predictions")
    cases: list[CaseScores] = []
    candidates: list[CaseCandidates] = []
    notes = PairNotes()
    for number, (predicted_file, true_file) in enumerate(pairing.pairs):
        if progress is not None:
            progress(number / len(pairing.pairs), true_file.name)
        name = true_file.name
        pair = read_on_one_grid(predicted_file, true_file)
        notes.add(name, *pair, true_file.t1ce)
        predicted, true = (
            np.ascontiguousarray(decoded(volume, schemes.by_file[file.path], notes))
            for volume, file, schemes in zip(
                pair,
                (predicted_file, true_file),
                (of_predictions, of_truth),
                strict=True,
            )
        )
        grid = pair[1].grid
        cases.append(score_case(name, predicted, true, grid.voxel.edges))
        compared = candidates_beside(name, predicted_file.path, predicted, true, grid)
        candidates += [] if compared is None else [compared]
    texts = [*notes_on_pairing(pairing), *notes.texts, *_without_candidates(candidates, cases)]
    return Evaluation(cases, of_predictions.name, of_truth.name, texts, tuple(candidates))


def decoded(volume: Volume, scheme: LabelScheme, notes: PairNotes) -> Classes:
    """The tissue classes of a label volume; a header that names another scheme is noted."""
    classes, found = decode_labels(volume, scheme)
    notes.add_scheme(found)
    return classes


def read_on_one_grid(predicted_file: LabelFile, true_file: LabelFile) -> tuple[Volume, Volume]:
    """Read both label volumes of a case, on the larger of their grids if one was saved cropped."""
    prediction, truth = (read_label_volume(file.path) for file in (predicted_file, true_file))
    if np.prod(prediction.grid.shape) > np.prod(truth.grid.shape):
        truth = on_grid(truth, prediction.grid, str(prediction.path))  # saved cropped
    return on_grid(prediction, truth.grid, str(truth.path)), truth


def _without_candidates(
    candidates: Sequence[CaseCandidates], cases: Sequence[CaseScores]
) -> list[str]:
    have = {case.case for case in candidates}
    without = [case.name for case in cases if case.name not in have]
    if not candidates or not without:
        return []
    return [f"without candidates, and left out of the FROC: {', '.join(without)}"]


def notes_on_pairing(pairing: Pairing) -> list[str]:
    """Name the files that have no partner and are left out, and doubtful pairs."""
    same = [p.name for p, t in pairing.pairs if p.path.samefile(t.path)]
    notes = [f"prediction and truth are one file: {', '.join(same)}"] if same else []
    for ours, theirs in pairing.pairs:
        if states_other_case(ours.name, theirs.name) or states_other_case(theirs.name, ours.name):
            notes.append(
                f"by its name, {ours.path.name} is a mask of {ours.name}, and {theirs.path.name} "
                f"of {theirs.name}"
            )
    sides = (
        (pairing.without_truth, "predicted, but without a truth, and left out"),
        (pairing.without_prediction, "not predicted, and left out of the means"),
    )
    return notes + [
        f"{what}: " + ", ".join(file.name for file in files) for files, what in sides if files
    ]
