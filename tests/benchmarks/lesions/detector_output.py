"""Does a light output on the network's early features find more small lesions than the second look?

python tests/benchmarks/lesions/detector_output.py RUN... --pack PACK --data FOLDER --cache FOLDER
    [--decoder] [--no-transplants] [--steps N] [--seed N]

RUN is the run folder of a fold: its final weights, and the split that says which cases it holds
out. PACK has the prepared cases to train on, FOLDER those to judge on. For each fold, the network
is frozen and a small head is trained on its features of the training cases: on the stem's output,
that of encoder 1, and T1CE minus T1. Components of enhancing tumour of 3 to 1999 voxels are its
lesions and count alike; larger ones are ignored. Its spots on the held-out cases are grown and
matched as the candidates of the second look. `--decoder` adds the output of the last decoder,
`--no-transplants` leaves out the mirrored copies with lesions of other training cases.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from detector_training import MIN_VOXELS, Example, Head, examples, features, trained
from held_out import Fold, output_of
from scipy import ndimage
from smalltumor import read_labels
from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.preprocessing import preprocess
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.probabilities.network_output import HalfResolutionLogits
from smalltumor.data.read_case import read_case_files
from smalltumor.evaluation.metrics.components import MIN_COMPONENT_VOXELS
from smalltumor.evaluation.metrics.froc import (
    RATES,
    CaseCandidates,
    ScoredCandidate,
    case_candidates,
)
from smalltumor.labels.components import connected_components
from smalltumor.labels.masks import Mask
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.second_look import SecondLook, label_image, load_parameters
from smalltumor.second_look.coarse_maps import CoarseMaps, Map
from smalltumor.training.data.pack import packed_cases

MAX_CANDIDATES, MAX_PEAKS, IN_BRAIN = 15, 300, 0.7
SIZES = (MIN_COMPONENT_VOXELS, MIN_VOXELS)
"""Least numbers of voxels of a component, each with a table of its own."""

CANDIDATES, DETECTOR, BOTH = "mask + candidates", "mask + detector", "all three"
DETECTOR_ALONE, ODDS_ALONE, ENHANCEMENT_ALONE = "detector map", "odds of ET map", "enhancement map"

Labels = npt.NDArray[np.uint16]
Judged = dict[int, dict[str, CaseCandidates]]
"""Candidates of a case, by the least size of a component and by method."""


def head_of(fold: Fold, options: argparse.Namespace) -> Head:
    """The head of a fold; print what its map finds on the training cases as they are."""
    patients, head = examples_and_head(fold, options)
    cases = [training_candidates(head, patient[0]) for patient in patients]
    found = ", ".join(str(counts(cases, rate)[0]) for rate in RATES)
    total = sum(case.components for case in cases)
    print(f"{fold.name}, training cases: {found} of {total} at {RATES} false", flush=True)
    return head


@torch.no_grad()
def training_candidates(head: Head, example: Example) -> CaseCandidates:
    """The peaks of the head on a training case."""
    fine, coarse = (torch.from_numpy(a.astype(np.float32)) for a in (example.fine, example.coarse))
    return target_candidates(head(fine[None], coarse[None])[0].numpy(), example.target)


def target_candidates(heat: Map, target: npt.NDArray[np.int16]) -> CaseCandidates:
    """The peaks of a map against a target, as `peak_candidates`; none next to larger ET."""
    candidates = []
    for peak in peaks_of(heat, target >= 0, MAX_PEAKS):
        box = tuple(slice(max(n - 1, 0), n + 2) for n in peak)
        finds = tuple(int(n) - 1 for n in np.unique(target[box]) if n > 0)
        candidates.append(ScoredCandidate(float(heat[tuple(peak)]), not finds, finds))
    return CaseCandidates("", "", int(target.max()), (), 0, tuple(candidates))


def examples_and_head(fold: Fold, options: argparse.Namespace) -> tuple[list[list[Example]], Head]:
    """What the head of a fold is trained on, and the head, trained or read from the cache."""
    kind = "decoder" if options.decoder else "early"
    name = f"{kind}{'' if options.transplants else '-plain'}-{options.steps}-{options.seed}"
    cache = options.cache / fold.name
    cases = {case.name: case for case in packed_cases(options.pack)}
    patients = examples(
        fold.training,
        lambda name: cases[name].load(fold.checkpoint.preprocessing),
        fold.checkpoint,
        cache / kind,
        decoder=options.decoder,
        transplants=options.transplants,
    )
    kept = cache / f"{name}.npz"
    if kept.exists():
        first = patients[0][0]
        head = Head(first.fine.shape[0], first.coarse.shape[0])
        with np.load(kept) as file:
            head.load_state_dict({key: torch.from_numpy(file[key]) for key in file})
        return patients, head.eval()
    print(f"{fold.name}: {sum(len(p[0].lesions) for p in patients)} lesions to train on")
    head = trained(patients, options.steps, options.seed)
    np.savez(kept, allow_pickle=False, **{k: v.numpy() for k, v in head.state_dict().items()})
    return patients, head


@torch.no_grad()
def heat_of(case: Case, checkpoint: Checkpoint, head: Head, decoder: bool, cached: Path) -> Map:
    """The head's logits on the maps of a case; the features are kept in the cache."""
    path = cached.with_suffix(".features.npz")
    if not path.exists():
        array = np.ascontiguousarray(preprocess(case, checkpoint.preprocessing).array)
        channels = checkpoint.preprocessing.channels
        inputs = features(checkpoint.network, torch.from_numpy(array), channels, decoder)
        np.savez(path, allow_pickle=False, **inputs)
    with np.load(path) as file:
        fine, coarse = (torch.from_numpy(file[key]).float()[None] for key in ("fine", "coarse"))
    heat: Map = head(fine, coarse)[0].numpy()
    return heat


def peaks_of(values: Map, allowed: Mask, most: int) -> npt.NDArray[np.int64]:
    """The highest local maxima, descending."""
    highest = allowed & (values == ndimage.maximum_filter(values, 3))
    where = np.argwhere(highest)
    return where[np.argsort(-values[tuple(where.T)], kind="stable")[:most]]


def candidates_of(look: SecondLook, heat: Map, taken: Mask) -> tuple[Labels, dict[int, float]]:
    """A label image of the head's spots outside what is taken, and their scores."""
    allowed = (look.maps.brain > IN_BRAIN) & ~look.maps.et
    peaks = peaks_of(heat, allowed, 3 * MAX_CANDIDATES)
    taken, labels = taken.copy(), np.zeros(taken.shape, np.uint16)
    scores: dict[int, float] = {}
    for peak, seed in zip(peaks, look.maps.to_source(peaks), strict=True):
        voxels = look.grow(seed, taken, apart=True)
        if len(voxels) * look.case.grid.voxel_volume < look.parameters.least_mm3:
            continue
        taken[tuple(voxels.T)] = True
        labels[tuple(voxels.T)] = len(scores) + 1
        scores[len(scores) + 1] = float(heat[tuple(peak)])
        if len(scores) == MAX_CANDIDATES:
            break
    return labels, scores


def peak_candidates(
    name: str, maps: CoarseMaps, values: Map, truth: Mask, least: int
) -> CaseCandidates:
    """The peaks of a map as candidates, without the mask and without growing.

    A peak finds a component that is within one voxel of the maps, and is false if no ET is.
    """
    components = connected_components(truth).voxels
    numbers = np.zeros((2, *values.shape), np.int32)
    small = [v for v in components if least <= len(v) < SMALL_LESION_VOXELS]
    for voxels in components:
        numbers[0][on_maps(maps, voxels)] = 1
    for number, voxels in enumerate(small, start=1):
        numbers[1][on_maps(maps, voxels)] = number
    candidates = []
    for peak in peaks_of(values, maps.brain > IN_BRAIN, MAX_PEAKS):
        box = tuple(slice(max(n - 1, 0), n + 2) for n in peak)
        finds = tuple(int(n) - 1 for n in np.unique(numbers[1][box]) if n)
        candidates.append(
            ScoredCandidate(float(values[tuple(peak)]), not numbers[0][box].any(), finds)
        )
    return CaseCandidates(name, patient_of(name), len(small), (), 0, tuple(candidates))


def on_maps(maps: CoarseMaps, voxels: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Where voxels of the case's grid are on its maps."""
    places = np.rint(maps.from_source(voxels)).astype(np.int64)
    return tuple(np.clip(places, 0, np.array(maps.brain.shape) - 1).T)


def odds_of(cropped: CroppedProbabilities) -> Map:
    """Logit of ET less that of the likeliest other class, which has no plateaus."""
    assert isinstance(cropped.output, HalfResolutionLogits)
    logits = np.ascontiguousarray(cropped.output.logits)
    odds: Map = logits[TissueClass.ET] - logits[: TissueClass.ET].max(axis=0)
    return odds


def judged(case: Case, look: SecondLook, heat: Map, cropped: CroppedProbabilities) -> Judged:
    """The candidates of each method on a case, by the least size of a component."""
    et = cropped.to_classes() == TissueClass.ET
    truth = read_labels(case)[0] == TissueClass.ET
    listed = look.candidates(et)
    image = label_image(listed, case.grid)
    with_candidates = et | (image > 0)
    grown = {
        CANDIDATES: (et, image, {x.id: x.score or 0.0 for x in listed}),
        DETECTOR: (et, *candidates_of(look, heat, et)),
        BOTH: (with_candidates, *candidates_of(look, heat, with_candidates)),
    }
    maps = {
        DETECTOR_ALONE: heat,
        ODDS_ALONE: odds_of(cropped),
        ENHANCEMENT_ALONE: ndimage.gaussian_filter(look.maps.enhancement, 1.0),
    }
    return {
        least: {
            name: case_candidates(case.name, mask, truth, labels, scores, least_voxels=least)
            for name, (mask, labels, scores) in grown.items()
        }
        | {
            name: peak_candidates(case.name, look.maps, values, truth, least)
            for name, values in maps.items()
        }
        for least in SIZES
    }


def judged_fold(fold: Fold, options: argparse.Namespace) -> list[Judged]:
    """The held-out cases of a fold."""
    head = head_of(fold, options)
    files = {case.name: case for case in find_cases(options.data)}
    kept = options.cache / fold.name / ("held-out-decoder" if options.decoder else "held-out")
    kept.mkdir(exist_ok=True)
    result = []
    for name in fold.held_out:
        case = read_case_files(files[name])
        cropped = output_of(case, fold.checkpoint, options.cache / fold.name / f"{name}.npz")
        heat = heat_of(case, fold.checkpoint, head, options.decoder, kept / name)
        look = SecondLook.of(case, cropped, load_parameters())
        assert look is not None and look.maps.brain.shape == heat.shape
        result.append(judged(case, look, heat, cropped))
    return result


def least_score(cases: Sequence[CaseCandidates], rate: float) -> float:
    """The lowest score with at most a number of false positives per case."""
    false = sorted(
        (x.score for case in cases for x in case.candidates if x.false_positive), reverse=True
    )
    allowed = int(rate * len(cases))
    scores = [x.score for case in cases for x in case.candidates]
    above = false[allowed] if allowed < len(false) else -np.inf
    return min((score for score in scores if score > above), default=np.inf)


def counts(cases: Sequence[CaseCandidates], rate: float) -> tuple[int, int]:
    """Components found at a rate of false positives, and patients with one beyond the mask's."""
    least = least_score(cases, rate)
    gained = {case.patient for case in cases if case.found(least) > len(case.found_by_mask)}
    return sum(case.found(least) for case in cases), len(gained)


def false_before(cases: Sequence[CaseCandidates], case: CaseCandidates, number: int) -> str:
    """False positives per case at which a component is found."""
    if number in case.found_by_mask:
        return "mask"
    scores = [x.score for x in case.candidates if number in x.finds]
    if not scores:
        return "none"
    return f"{sum(each.false_positives(max(scores)) for each in cases) / len(cases):.2f}"


def print_counts(methods: dict[str, list[CaseCandidates]]) -> None:
    """Components found by each method, and by how many patients more than by the mask."""
    first = next(iter(methods.values()))
    total, patients = sum(c.components for c in first), sum(c.components > 0 for c in first)
    print(f"{total} components in {patients} of {len(first)} patients")
    print(f"mask: {sum(len(c.found_by_mask) for c in first)} found")
    for name, cases in methods.items():
        false = sum(case.false_positives(-np.inf) for case in cases) / len(cases)
        at = [f"{found} ({gained})" for found, gained in (counts(cases, r) for r in RATES)]
        everything = sum(case.found(-np.inf) for case in cases)
        print(f"{name}: {', '.join(at)} at {RATES} false; {everything} at {false:.2f}")


def print_leave_outs(methods: dict[str, list[CaseCandidates]], rate: float) -> None:
    """Components found at a rate without each patient who has any."""
    cases = methods[DETECTOR]
    for left_out in sorted({case.patient for case in cases if case.components}):
        rest = {
            name: [case for case in each if case.patient != left_out]
            for name, each in methods.items()
        }
        found = ", ".join(f"{name} {counts(each, rate)[0]}" for name, each in rest.items())
        mask = sum(len(case.found_by_mask) for case in rest[DETECTOR])
        total = sum(case.components for case in rest[DETECTOR])
        print(f"  without {left_out}: of {total}, mask {mask}, {found}")


def print_components(methods: dict[str, list[CaseCandidates]]) -> None:
    """For each component the false positives per case at which each method finds it."""
    print(f"false positives per case at which a component is found: {', '.join(methods)}")
    for position, case in enumerate(methods[DETECTOR]):
        for number in range(case.components):
            cells = [false_before(all_, all_[position], number) for all_ in methods.values()]
            print(f"  {case.case}, {number}: {', '.join(cells)}")


def print_tables(cases: Sequence[Judged]) -> None:
    """What each method finds, without each patient, and for each component."""
    for least in SIZES:
        methods = {name: [case[least][name] for case in cases] for name in cases[0][least]}
        print(f"\ncomponents of {least} to {SMALL_LESION_VOXELS - 1} voxels")
        print("found (patients with more than by the mask)")
        print_counts(methods)
        print_leave_outs(methods, RATES[1])
        print_components(methods)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--decoder", action="store_true")
    parser.add_argument("--no-transplants", dest="transplants", action="store_false")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Train the folds' heads, judge them, and print the tables."""
    options = parsed()
    torch.set_num_threads(1)
    print_tables([case for run in options.runs for case in judged_fold(Fold.of(run), options)])


if __name__ == "__main__":
    main()
