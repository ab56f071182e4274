"""Evaluation of label files as the BraTS challenges count them from 2024."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from smalltumor.data.volumes.nifti import Volume
from smalltumor.evaluation.evaluate import decoded, notes_on_pairing, read_on_one_grid
from smalltumor.evaluation.metrics.one_to_one import NO_OVERLAP_MM, OneToOneScores, score_one_to_one
from smalltumor.evaluation.pair_notes import PairNotes
from smalltumor.evaluation.pairing import pair_label_files
from smalltumor.evaluation.report.text_table import text_table
from smalltumor.evaluation.schemes import schemes_of
from smalltumor.labels.masks import Mask, class_mask, region_mask
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import LabelScheme
from smalltumor.text import pluralize

CAVITY_SCHEME, CAVITY = "brats2024", 4

CaseRegions = Mapping[str, OneToOneScores]


def evaluate_challenge(
    predictions: Path,
    truth: Path,
    *,
    labels: str | None = None,
    truth_labels: str | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[dict[str, CaseRegions], list[str]]:
    """Score label files; arguments and errors are those of `evaluate.evaluate`.

    Returns
    -------
    scores : dict
        By case and by region: et, tc, wt, netc (necrosis and non-enhancing tumour), snfh (edema)
        and, if both sides tell it, rc (resection cavity).
    notes : list of str
        Files that were left out, and doubtful pairs.
    """
    pairing = pair_label_files(predictions, truth)
    pairs = pairing.pairs
    predicted_files, true_files = zip(*pairs, strict=True)
    of_truth = schemes_of(true_files, truth_labels, None, "truth")
    of_predictions = schemes_of(predicted_files, labels, of_truth.only, "predictions")
    with_cavity = of_predictions.name == of_truth.name == CAVITY_SCHEME
    found: dict[str, CaseRegions] = {}
    pair_notes = PairNotes()
    for number, (predicted_file, true_file) in enumerate(pairs):
        if progress is not None:
            progress(number / len(pairs), true_file.name)
        prediction, true = read_on_one_grid(predicted_file, true_file)
        pair_notes.add(true_file.name, prediction, true, true_file.t1ce)
        sides = (
            _masks(prediction, of_predictions.by_file[predicted_file.path], pair_notes),
            _masks(true, of_truth.by_file[true_file.path], pair_notes),
        )
        found[true_file.name] = {
            region: score_one_to_one(mask, sides[1][region], true.grid.voxel.edges)
            for region, mask in sides[0].items()
            if region != "rc" or with_cavity
        }
    notes = [*notes_on_pairing(pairing), *pair_notes.texts]
    schemes = (*of_predictions.by_file.values(), *of_truth.by_file.values())
    if not with_cavity and any(scheme.name == CAVITY_SCHEME for scheme in schemes):
        notes.append("RC is left out: not all files are in a scheme with the resection cavity")
    return found, notes


def _masks(volume: Volume, scheme: LabelScheme, notes: PairNotes) -> dict[str, Mask]:
    classes = decoded(volume, scheme, notes)
    cavity = np.asarray(volume.data == CAVITY) & (scheme.name == CAVITY_SCHEME)
    return {
        **{str(region): region_mask(classes, region) for region in Region},
        "netc": class_mask(classes, TissueClass.NCR),
        "snfh": class_mask(classes, TissueClass.ED),
        "rc": cavity,
    }


def challenge_text(cases: Mapping[str, CaseRegions]) -> str:
    """Counts and means of each region over the cases, as a table."""
    head = ("region", "found", "missed", "false", "F1", "lesion Dice", "NSD", "HD95 mm")
    rows = []
    for region in next(iter(cases.values())):
        scores = [regions[region] for regions in cases.values()]
        counts = [sum(getattr(s, what) for s in scores) for what in ("matched", "missed", "false")]
        lesions = [s.lesions for s in scores if s.lesions is not None]
        means = [_mean([getattr(x, what) for x in lesions]) for what in ("dice", "nsd", "hd95")]
        f1 = _mean([s.f1 for s in scores if s.f1 is not None])
        rows.append((region.upper(), *counts, f1, *means))
    title = (
        f"Lesions as BraTS counts them from 2024, {pluralize(len(cases), 'case')} (matched one to "
        "one; means over cases with the region on either side; without an overlap Dice 0 and "
        f"HD95 {NO_OVERLAP_MM:g})"
    )
    return text_table(title, head, rows)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
