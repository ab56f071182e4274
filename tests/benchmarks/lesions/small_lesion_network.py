"""Does a small network of its own find more small lesions than the second look?

python tests/benchmarks/lesions/small_lesion_network.py WEIGHTS --state FILE --data FOLDER
    --cache FOLDER [--pack PACK]

WEIGHTS is the segmentation network, judged on the cases of FOLDER that it was not trained on; FILE
is what small_lesion_training.py has written. Spots are grown and matched as in detector_output.py.
With PACK, only its cases outside FOLDER are judged, by the peaks of the map.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from detector_output import Judged, counts, judged, print_tables, target_candidates
from detector_training import targets
from held_out import Fold, output_of, unseen_fold
from small_lesion_training import SmallLesionNetwork, inputs_of
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.preprocessing import preprocess
from smalltumor.data.read_case import read_case_files
from smalltumor.evaluation.metrics.froc import RATES
from smalltumor.second_look import SecondLook, load_parameters
from smalltumor.second_look.coarse_maps import Map
from smalltumor.training.data.pack import packed_cases
from torch import Tensor


def network_of(state: Path) -> SmallLesionNetwork:
    """The moving average of a training."""
    kept = torch.load(state, weights_only=True)
    print(f"{state.name}: step {kept['step']}")
    network = SmallLesionNetwork()
    network.load_state_dict(kept["average"])
    return network.eval()


@torch.no_grad()
def heat_of(network: SmallLesionNetwork, image: Tensor, channels: tuple[str, ...]) -> Map:
    """The network's logits for a normalised case."""
    heat: Map = network(inputs_of(image[None], channels))[0].numpy()
    return heat


def print_training(network: SmallLesionNetwork, pack: Path, fold: Fold) -> None:
    """What the peaks of the map find on training cases."""
    preprocessing = fold.checkpoint.preprocessing
    cases = []
    for packed in packed_cases(pack):
        if packed.name in fold.held_out:
            continue
        case = packed.load(preprocessing)
        image = case.intensities()
        heat = heat_of(network, image, tuple(preprocessing.channels))
        cases.append(target_candidates(heat, targets(case.classes.numpy(), image)["target"]))
    found = ", ".join(str(counts(cases, rate)[0]) for rate in RATES)
    total = sum(case.components for case in cases)
    print(f"{len(cases)} training cases: {found} of {total} at {RATES} false", flush=True)


def judged_cases(network: SmallLesionNetwork, fold: Fold, data: Path, cache: Path) -> list[Judged]:
    """The held-out cases."""
    files = {case.name: case for case in find_cases(data)}
    preprocessing = fold.checkpoint.preprocessing
    result = []
    for name in fold.held_out:
        case = read_case_files(files[name])
        cropped = output_of(case, fold.checkpoint, cache / fold.name / f"{name}.npz")
        image = np.ascontiguousarray(preprocess(case, preprocessing).array)
        heat = heat_of(network, torch.from_numpy(image), tuple(preprocessing.channels))
        look = SecondLook.of(case, cropped, load_parameters())
        assert look is not None and look.maps.brain.shape == heat.shape
        result.append(judged(case, look, heat, cropped))
    return result


def main() -> None:
    """Judge a trained network, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--pack", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    fold = unseen_fold(options.weights, (case.name for case in find_cases(options.data)))
    network = network_of(options.state)
    if options.pack:
        print_training(network, options.pack, fold)
        return
    print_tables(judged_cases(network, fold, options.data, options.cache))


if __name__ == "__main__":
    main()
