"""Fit the scores of the second look, and judge them on patients that no network was trained on.

python tests/benchmarks/second_look.py RUNS --data FOLDER --cache FOLDER [--write FILE.json]

RUNS is the folder of a cross-validation. The output of each fold's network for its held-out cases
is kept in the cache. Scores are judged nested by fold: those of a fold's patients come from a fit
on the patients of the others. `--write` writes a fit on all patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from smalltumor import read_labels, segment
from smalltumor.data.case import Case, read_case_files
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.network_output import HalfResolutionLogits
from smalltumor.data.probabilities import CroppedProbabilities
from smalltumor.evaluation.froc import CaseOffers, at_rates, case_offers, froc_curve
from smalltumor.geometry.network_grid import NetworkGrid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.lesions import lesion_components, measure_lesions
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.second_look import SecondLook, SecondLookParameters, label_image, load_parameters
from smalltumor.second_look import features as candidate_features
from smalltumor.second_look import found as found_features
from smalltumor.second_look.fitting import fit_scorer
from smalltumor.second_look.parameters import as_json
from smalltumor.training.cross_validation.record import CrossValidation
from smalltumor.training.runs.current_weights import final_checkpoint

CANDIDATES = ("log_odds_et", "enhancement", "tube", "mm_to_tumour", "mm_to_et", "mirrored")
PENALTIES = {"candidates": 3.0, "found": 1.0}
LEAST_LOG_ODDS, MOST_BY_IMAGE, LEAST_SCORE, MOST, LEAST_MM3 = -0.9, 1, 0.04, 8, 3.0
BINS = (0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.01)


@dataclass
class Measured:
    """A held-out case: what is measured at its spots and components, and which are real."""

    fold: int
    name: str
    spots: np.ndarray
    real_spots: np.ndarray
    components: np.ndarray
    real_components: np.ndarray


def output_of(case: Case, checkpoint: Checkpoint, cached: Path) -> CroppedProbabilities:
    """The network's output for a case, from the cache or computed and kept."""
    grid = NetworkGrid(case.grid)
    assert grid.lossless, "images are resampled around the brain"
    if not cached.exists():
        cropped = segment(case, checkpoint, device="cpu").cropped
        assert cropped is not None and isinstance(cropped.output, HalfResolutionLogits)
        logits = cropped.output.logits.astype(np.float16)
        np.savez(cached, logits=logits, start=cropped.start)
    with np.load(cached) as file:
        logits = file["logits"].astype(np.float32)
        start = tuple(int(n) for n in file["start"])
    shape = tuple(
        min(2 * n, size - first)
        for n, size, first in zip(logits.shape[1:], grid.grid.shape, start, strict=True)
    )
    return CroppedProbabilities(HalfResolutionLogits(logits, shape), start, grid)


def measured(fold: int, case: Case, cropped: CroppedProbabilities) -> Measured:
    """Measure a case; a spot that touches the mask is not measured."""
    truth = read_labels(case)[0] == TissueClass.ET
    et = cropped.to_classes() == TissueClass.ET
    look = SecondLook.of(case, cropped, load_parameters())
    assert look is not None
    spots, real = [], []
    for seed, values in zip(look.seeds, look.features, strict=True):
        voxels = look.grow(seed, et, apart=True)
        if len(voxels) < LEAST_MM3:
            continue
        spots.append(values)
        real.append(bool(truth[tuple(voxels.T)].any()))
    lesions = measure_lesions(
        lesion_components(et, case.grid), case.grid, Region.ET, look_up=cropped.at
    )
    return Measured(
        *(fold, case.name, np.array(spots), np.array(real)),
        found_features.found_features(lesions),
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
        fit_scorer(components, real_components, found_features.FEATURES, PENALTIES["found"]),
        *(LEAST_LOG_ODDS, MOST_BY_IMAGE, LEAST_SCORE, MOST, LEAST_MM3, weights, digest),
    )


def print_reliability(title: str, scores: Iterable[float], real: Iterable[bool]) -> None:
    """Print the share of real ones by score."""
    values, truth = np.array(list(scores)), np.array(list(real))
    print(f"{title}: score, number, mean score, share real")
    for low, high in pairwise(BINS):
        inside = (values >= low) & (values < high)
        if inside.any():
            print(
                f"  {low:.2f} to {min(high, 1):.2f}  {inside.sum():4d}  "
                f"{values[inside].mean():.3f}  {truth[inside].mean():.3f}"
            )


def offers_of(
    case: Case, cropped: CroppedProbabilities, parameters: SecondLookParameters
) -> CaseOffers:
    """The offers of a case, compared with the expert's mask."""
    et = cropped.to_classes() == TissueClass.ET
    look = SecondLook.of(case, cropped, parameters)
    assert look is not None
    candidates = look.candidates(et)
    scores = {x.id: x.score or 0.0 for x in candidates}
    truth = read_labels(case)[0] == TissueClass.ET
    return case_offers(case.name, et, truth, label_image(candidates, case.grid), scores)


def judged(
    cases: Sequence[Measured], load: Callable[[str], tuple[Case, CroppedProbabilities]]
) -> list[CaseOffers]:
    """Offers of each case with scores that were fitted on the other folds; print reliability."""
    offers, found_scores, found_real = [], [], []
    for fold in sorted({case.fold for case in cases}):
        parameters = fitted([case for case in cases if case.fold != fold], "")
        for case in (case for case in cases if case.fold == fold):
            offers.append(offers_of(*load(case.name), parameters))
            found_scores += parameters.found(case.components, found_features.FEATURES).tolist()
            found_real += case.real_components.tolist()
    print_reliability("found", found_scores, found_real)
    listed = [offer for case in offers for offer in case.offers]
    print_reliability("offered", [o.score for o in listed], [not o.false for o in listed])
    return offers


def main() -> None:
    """Measure, judge, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="the network to be named; default: starter")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    files = {case.name: case for case in find_cases(options.data)}
    record = CrossValidation.read(options.runs)
    folds = {name: n for n, names in enumerate(record.folds.held_out) for name in names}
    networks = [final_checkpoint(record.fold(n).path) for n in range(len(record.runs))]

    def load(name: str) -> tuple[Case, CroppedProbabilities]:
        case = read_case_files(files[name])
        return case, output_of(case, networks[folds[name]], options.cache / f"{name}.npz")

    cases = [measured(fold, *load(name)) for name, fold in folds.items()]
    offers = judged(cases, load)
    print("least score, false offers a case, found of components, sensitivity (95 % interval)")
    for point in (*at_rates(froc_curve(offers)), froc_curve(offers)[-1]):
        s = point.sensitivity
        print(
            f"  {point.least_score}  {point.false_offers:.2f}  {point.found} of "
            f"{point.components}  {s.value:.3f} ({s.low:.3f} to {s.high:.3f})"
        )
    print(f"false components of the mask a case: {np.mean([c.false_in_mask for c in offers]):.2f}")
    if options.write is not None:
        network = load_checkpoint(options.weights)
        options.write.write_text(as_json(fitted(cases, network.name, network.digest)))


if __name__ == "__main__":
    main()
