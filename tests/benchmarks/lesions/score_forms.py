"""Which form of the score of a component of the mask is right about patients it was not fitted on?

python tests/benchmarks/lesions/score_forms.py RUN... --data FOLDER --cache FOLDER

RUN and the cache are those of second_look.py. Each form is fitted without the patient whose
components it scores: logistic regressions on the logarithm of the volume, flat below a volume (a
hinge), with one feature more, and the share of real ones in four classes of volume, made monotone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from held_out import folds_of, output_of
from logistic_regression import fit_scorer
from reliability import (
    Floats,
    Scored,
    brier,
    calibration_error_text,
    drawn,
    interval,
    log_loss,
    means,
)
from scipy import ndimage
from scipy.spatial import cKDTree
from smalltumor import read_labels
from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.probabilities.cropped import CroppedProbabilities
from smalltumor.data.read_case import read_case_files
from smalltumor.geometry.boxes import bounding_box, padded
from smalltumor.labels.masks import Mask
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.lesions import Lesion, lesion_components, measure_lesions
from smalltumor.second_look import load_parameters
from smalltumor.second_look.coarse_maps import coarse_maps

HINGES = (1, 5, 10, 20, 50, 100, 200)
"""Volumes in mm3 below which a hinge is flat."""

OF_EARLIER = 200
"""The one that fits the shares of the five folds in the card best."""

CLASSES = (20, 200, 2000)
SHELL = (3, 6)
"""Distance in voxels of the surroundings that a contrast is to."""

PENALTY = 1.0


@dataclass(frozen=True)
class Component:
    """A component of a mask, what is measured of it, and whether it is real."""

    patient: str
    mm3: float
    mean: float
    largest: float
    contrast: float
    distance: float
    real: bool


Form = Callable[[Sequence[Component], Sequence[Component]], Floats]
"""Scores of the second components by a fit on the first."""


def components_of(case: Case, cropped: CroppedProbabilities) -> list[Component]:
    """Measure the components of a case."""
    truth = read_labels(case)[0] == TissueClass.ET
    et = cropped.to_classes() == TissueClass.ET
    lesions = measure_lesions(
        lesion_components(et, case.grid), case.grid, Region.ET, lookup=cropped.at
    )
    maps = coarse_maps(case, cropped)
    assert maps is not None
    images = (case.volumes[name].astype(np.float32) for name in ("t1ce", "t1"))
    enhancement = next(images) - np.float32(maps.slope) * next(images)
    outside = (case.volumes["t1ce"] > 0) & ~et
    largest = max(lesions, key=lambda x: x.mm3, default=None)
    return [
        Component(
            *(patient_of(case.name), x.mm3, x.mean_probability, x.max_probability),
            contrast_of(x, enhancement, outside) / maps.deviation,
            float(cKDTree(largest.indices).query(x.indices)[0].min()),
            bool(truth[tuple(x.indices.T)].any()),
        )
        for x in lesions
    ]


def contrast_of(lesion: Lesion, enhancement: Floats, outside: Mask) -> float:
    """Mean of a lesion less the median of its surroundings."""
    mask = np.zeros(outside.shape, bool)
    mask[tuple(lesion.indices.T)] = True
    box = padded(bounding_box(mask), [SHELL[1] + 1] * 3, mask.shape)
    distance = ndimage.distance_transform_edt(~mask[box])
    shell = outside[box] & (distance > SHELL[0]) & (distance <= SHELL[1])
    return float(enhancement[mask].mean() - np.median(enhancement[box][shell]))


def real_of(components: Sequence[Component]) -> np.ndarray:
    """Which are real."""
    return np.array([x.real for x in components])


def packaged(_: Sequence[Component], judged: Sequence[Component]) -> Floats:
    """The scores of the package."""
    return load_parameters().found(np.log([[x.mm3] for x in judged]), ("log_mm3",))


def constant(fitted: Sequence[Component], judged: Sequence[Component]) -> Floats:
    """The share of real ones."""
    return np.full(len(judged), real_of(fitted).mean())


def hinge(
    fitted: Sequence[Component], judged: Sequence[Component], mm3: float, *features: str
) -> Floats:
    """A logistic regression on the volume, flat below `mm3`, and on further features."""

    def values(components: Sequence[Component]) -> Floats:
        volumes = [max(x.mm3, mm3) for x in components]
        further = [[getattr(x, name) for x in components] for name in features]
        return np.stack([np.log(volumes), *further], axis=1)

    names = ("volume", *features)
    return fit_scorer(values(fitted), real_of(fitted), names, PENALTY)(values(judged), names)


def fitted_hinge(fitted: Sequence[Component], judged: Sequence[Component]) -> Floats:
    """The hinge that fits best."""

    def loss(mm3: float) -> float:
        scores = hinge(fitted, fitted, mm3)
        return float(log_loss(Scored(scores, real_of(fitted), ())).sum())

    return hinge(fitted, judged, min(HINGES, key=loss))


def monotone_classes(fitted: Sequence[Component], judged: Sequence[Component]) -> Floats:
    """The share in each class of volume, with one more component of the overall share."""
    real, number = real_of(fitted), np.digitize([x.mm3 for x in fitted], CLASSES)
    counts = [(number == n).sum() + 1.0 for n in range(len(CLASSES) + 1)]
    sums = [real[number == n].sum() + real.mean() for n in range(len(CLASSES) + 1)]
    shares = monotone(np.array(sums) / counts, np.array(counts))
    return shares[np.digitize([x.mm3 for x in judged], CLASSES)]


def monotone(values: Floats, weights: Floats) -> Floats:
    """The nearest values that do not fall: the largest mean before of the least mean after."""
    number = len(values)
    return np.array(
        [
            max(
                min(
                    np.average(values[i : j + 1], weights=weights[i : j + 1])
                    for j in range(n, number)
                )
                for i in range(n + 1)
            )
            for n in range(number)
        ]
    )


FORMS: dict[str, Form] = {
    "log volume": partial(hinge, mm3=1),
    "packaged": packaged,
    "constant": constant,
    "fitted hinge": fitted_hinge,
    f"hinge at {OF_EARLIER} mm3": partial(hinge, mm3=OF_EARLIER),
    "four classes, monotone": monotone_classes,
    **{
        f"log volume and {name}": lambda a, b, name=name: hinge(a, b, 1, name)
        for name in ("mean", "largest", "contrast", "distance")
    },
}


def left_out(components: Sequence[Component], form: Form) -> Scored:
    """Scores of a form, each fitted without the patient."""
    patients = [x.patient for x in components]
    scores = np.zeros(len(components))
    for patient in set(patients):
        its = np.array([p == patient for p in patients])
        inside, others = (
            [x for x, chosen in zip(components, which, strict=True) if chosen]
            for which in (its, ~its)
        )
        scores[its] = form(others, inside)
    return Scored(scores, real_of(components), patients)


def print_forms(components: Sequence[Component]) -> None:
    """Print how right each form is, and how far its log loss is from the first one's."""
    counts = drawn([x.patient for x in components])
    first: Floats | None = None
    for name, form in FORMS.items():
        scored = left_out(components, form)
        loss = log_loss(scored)
        first = loss if first is None else first
        more = loss - first
        print(
            f"{name}: log loss {loss.mean():.3f}, {more.mean():+.3f} "
            f"({interval(means(more, counts))}), Brier score {brier(scored).mean():.3f}, "
            f"{calibration_error_text(scored, counts)}"
        )


def main() -> None:
    """Measure the components, and compare the forms."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    files = {case.name: case for case in find_cases(options.data)}
    components = []
    for fold in folds_of(options.runs):
        for name in fold.held_out:
            case = read_case_files(files[name])
            cached = options.cache / fold.name / f"{name}.npz"
            components += components_of(case, output_of(case, fold.checkpoint, cached))
    print(f"{len(components)} components, {real_of(components).sum()} real")
    print_forms(components)


if __name__ == "__main__":
    main()
