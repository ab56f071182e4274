"""Fit the scores of the second look, and judge them on patients that no network was trained on.

python tests/benchmarks/lesions/second_look.py RUN... --data FOLDER --cache FOLDER
    [--packaged] [--plot FILE.png] [--write FILE.json]

RUN is the run folder of a fold, or the folder of a cross-validation. The output of each fold's
network for its held-out cases is kept in the cache. Scores are judged nested by fold: those of a
fold's patients come from a fit on the patients of the others. `--packaged` judges the scores of the
package instead; `--plot` draws them beside those of the five folds on which they were fitted, whose
networks no longer exist. `--write` writes a fit on all patients. Instead of RUN, `--shipped` judges
the package's scores with the shipped network on all cases, on which it was trained, and
`--network FILE` with another network on those that it was not trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from held_out import Fold, folds_of, output_of, shipped_fold, unseen_fold
from logistic_regression import fit_scorer
from reliability import Bin, Scored, bins_of, plot, print_reliability
from smalltumor import read_labels
from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.read_case import read_case_files
from smalltumor.evaluation.metrics.froc import CaseCandidates, at_rates, case_candidates, froc_curve
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.lesions import lesion_components, measure_lesions
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.second_look import (
    SecondLook,
    SecondLookParameters,
    component_scores,
    label_image,
    load_parameters,
)
from smalltumor.second_look import features as candidate_features
from smalltumor.second_look.parameters import as_json

CANDIDATES = ("log_odds_et", "enhancement", "tube", "mm_to_tumour", "mm_to_et", "mirrored")
PENALTIES = {"candidates": 3.0, "found": 1.0}
MIN_LOG_ODDS, MAX_BY_IMAGE, MIN_SCORE, MAX_SPOTS, MIN_MM3 = -0.9, 1, 0.04, 8, 3.0

EARLIER = {
    "components of the mask": (
        *((6, 0.19, 0.50), (48, 0.32, 0.48), (44, 0.49, 0.36)),
        *((24, 0.70, 0.50), (16, 0.86, 0.69), (46, 0.95, 1.00)),
    ),
    "candidates": ((49, 0.03, 0.04), (41, 0.08, 0.22), (45, 0.13, 0.13), (22, 0.27, 0.05)),
}
"""Number, mean score and share of real ones by score, of the five folds out of fold."""


@dataclass
class Measured:
    """A held-out case: what is measured at its spots and components, and which are real."""

    fold: int
    name: str
    spots: np.ndarray
    real_spots: np.ndarray
    components: np.ndarray
    real_components: np.ndarray


def measured(fold: int, case: Case, cropped: CroppedProbabilities) -> Measured:
    """Measure a case; a spot that touches the mask is not measured."""
    truth = read_labels(case)[0] == TissueClass.ET
    et = cropped.to_classes() == TissueClass.ET
    look = SecondLook.of(case, cropped, load_parameters())
    assert look is not None
    spots, real = [], []
    for seed, values in zip(look.seeds, look.features, strict=True):
        voxels = look.grow(seed, et, apart=True)
        if len(voxels) < MIN_MM3:
            continue
        spots.append(values)
        real.append(bool(truth[tuple(voxels.T)].any()))
    lesions = measure_lesions(
        lesion_components(et, case.grid), case.grid, Region.ET, lookup=cropped.at
    )
    return Measured(
        *(fold, case.name, np.array(spots), np.array(real)),
        component_scores.found_features(lesions),
        np.array([bool(truth[tuple(x.indices.T)].any()) for x in lesions]),
    )


def fitted(cases: Sequence[Measured], weights: str, digest: str) -> SecondLookParameters:
    """Fit both scores."""
    columns = [candidate_features.FEATURES.index(name) for name in CANDIDATES]
    spots = np.concatenate([case.spots for case in cases])[:, columns]
    real = np.concatenate([case.real_spots for case in cases])
    components = np.concatenate([case.components for case in cases])
    real_components = np.concatenate([case.real_components for case in cases])
    return SecondLookParameters(
        fit_scorer(spots, real, CANDIDATES, PENALTIES["candidates"]),
        fit_scorer(components, real_components, component_scores.FEATURES, PENALTIES["found"]),
        *(MIN_LOG_ODDS, MAX_BY_IMAGE, MIN_SCORE, MAX_SPOTS, MIN_MM3, weights, digest),
    )


def candidates_of(
    case: Case, cropped: CroppedProbabilities, parameters: SecondLookParameters
) -> CaseCandidates:
    """The candidates of a case, compared with the expert's mask."""
    et = cropped.to_classes() == TissueClass.ET
    look = SecondLook.of(case, cropped, parameters)
    assert look is not None
    candidates = look.candidates(et)
    scores = {x.id: x.score or 0.0 for x in candidates}
    truth = read_labels(case)[0] == TissueClass.ET
    return case_candidates(case.name, et, truth, label_image(candidates, case.grid), scores)


def judged(
    cases: Sequence[Measured],
    load: Callable[[str], tuple[Case, CroppedProbabilities]],
    packaged: SecondLookParameters | None,
) -> tuple[list[CaseCandidates], Scored]:
    """Candidates of each case, and the scored components of the masks.

    Scores are the package's, or fitted on the other folds.
    """
    candidates, scores = [], []
    for fold in sorted({case.fold for case in cases}):
        parameters = packaged or fitted([case for case in cases if case.fold != fold], "", "")
        for case in (case for case in cases if case.fold == fold):
            candidates.append(candidates_of(*load(case.name), parameters))
            scores.append(parameters.found(case.components, component_scores.FEATURES))
    ordered = sorted(cases, key=lambda case: case.fold)
    return candidates, Scored(
        np.concatenate(scores),
        np.concatenate([case.real_components for case in ordered]),
        [patient_of(case.name) for case in ordered for _ in case.components],
    )


def scored_candidates(cases: Sequence[CaseCandidates]) -> Scored:
    """The scores of all candidates."""
    listed = [(candidate, case.patient) for case in cases for candidate in case.candidates]
    return Scored(
        np.array([candidate.score for candidate, _ in listed]),
        np.array([not candidate.false_positive for candidate, _ in listed]),
        [patient for _, patient in listed],
    )


def print_curve(candidates: Sequence[CaseCandidates]) -> None:
    """Print what the mask and candidates find, by false positives per case."""
    curve = froc_curve(candidates)
    print("least score, false positives per case, found of components, sensitivity (95 % interval)")
    for point in (*at_rates(curve), curve[-1]):
        s = point.sensitivity
        print(
            f"  {point.least_score}  {point.false_positives_per_case:.2f}  {point.found} of "
            f"{point.components}  {s.value:.3f} ({s.low:.3f} to {s.high:.3f})"
        )
    print(
        f"false components of the mask a case: {np.mean([c.false_in_mask for c in candidates]):.2f}"
    )


def drawn_beside_earlier(path: Path, kinds: dict[str, Scored], now: str) -> None:
    """Plot scores beside those of the five folds."""
    plot(
        path,
        {
            kind: {
                "50 patients, 5 folds, earlier": [
                    Bin(0, 0, number, score, real, real, real)
                    for number, score, real in EARLIER[kind]
                ],
                now: bins_of(scored),
            }
            for kind, scored in kinds.items()
        },
    )


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="*")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--network", type=Path)
    parser.add_argument("--packaged", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--weights", type=Path, help="the network to be named; default: starter")
    parser.add_argument("--write", type=Path)
    return parser.parse_args()


def main() -> None:
    """Measure, judge, and write."""
    options = parsed()
    files = {case.name: case for case in find_cases(options.data)}
    folds = folds_of(options.runs)
    if options.shipped:
        folds = [shipped_fold(files)]
    elif options.network is not None:
        folds = [unseen_fold(options.network, files)]
    fold_of: dict[str, Fold] = {name: fold for fold in folds for name in fold.held_out}

    def load(name: str) -> tuple[Case, CroppedProbabilities]:
        case, fold = read_case_files(files[name]), fold_of[name]
        return case, output_of(case, fold.checkpoint, options.cache / fold.name / f"{name}.npz")

    cases = [measured(n, *load(name)) for n, fold in enumerate(folds) for name in fold.held_out]
    packaged = load_parameters() if options.packaged or len(folds) == 1 else None
    candidates, components = judged(cases, load, packaged)
    kinds = {"components of the mask": components, "candidates": scored_candidates(candidates)}
    for title, scored in kinds.items():
        print_reliability(title, scored)
    print_curve(candidates)
    if options.plot is not None:
        now = f"{len(cases)} patients, {len(folds)} folds"
        drawn_beside_earlier(options.plot, kinds, now)
    if options.write is not None:
        network = load_checkpoint(options.weights)
        options.write.write_text(as_json(fitted(cases, network.name, network.digest)))


if __name__ == "__main__":
    main()
