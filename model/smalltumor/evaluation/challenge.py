"""Evaluation of label files as the BraTS challenges count them from 2024."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from smalltumor.evaluation.label_pairs import LabelPair, LabelPairs, Labels
from smalltumor.evaluation.metrics.one_to_one import NO_OVERLAP_MM, OneToOneScores, score_one_to_one
from smalltumor.evaluation.pair_notes import REGIONS, Regions
from smalltumor.evaluation.report.text_table import text_table
from smalltumor.labels.masks import Mask, class_mask, region_mask
from smalltumor.labels.regions import Region, TissueClass, known_parts
from smalltumor.progress import ProgressCallback
from smalltumor.text import pluralize

CAVITY_SCHEME, CAVITY = "brats2024", 4

_REGIONS: Regions = {**REGIONS, "netc": (TissueClass.NCR,), "snfh": (TissueClass.ED,)}
_ALL = (*_REGIONS, "rc")

CaseRegions = Mapping[str, OneToOneScores]


def evaluate_challenge(
    predictions: Path,
    truth: Path,
    *,
    labels: str | None = None,
    truth_labels: str | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[dict[str, CaseRegions], list[str]]:
    """Score label files; arguments and errors are those of `evaluate.evaluate`.

    Returns
    -------
    scores : dict
        By case and by region, of those that both sides tell: et, tc, wt, netc (necrosis and
        non-enhancing tumour), snfh (edema) and rc (resection cavity).
    notes : list of str
        Files that were left out, and doubtful pairs.
    """
    pairs = LabelPairs.find(predictions, truth, labels, truth_labels, _REGIONS)
    schemes = pairs.prediction_schemes, pairs.truth_schemes
    with_cavity = all(each.name == CAVITY_SCHEME for each in schemes)
    of_pairs = {pair.name: _score(pair, with_cavity) for pair in pairs.read(progress)}
    scores = {name: regions for name, regions in of_pairs.items() if regions}
    pairs.require_scores(scores)
    notes = pairs.notes
    files = (scheme for each in schemes for scheme in each.by_file.values())
    if not with_cavity and any(scheme.name == CAVITY_SCHEME for scheme in files):
        notes.append("RC is left out: not all files are in a scheme with the resection cavity")
    return scores, notes


def _score(pair: LabelPair, with_cavity: bool) -> CaseRegions:
    predicted, true = _masks(pair.prediction), _masks(pair.truth)
    told = (*known_parts(_REGIONS, pair.known), *(["rc"] if with_cavity else []))
    return {
        region: score_one_to_one(predicted[region], true[region], pair.grid.voxel.edges)
        for region in told
    }


def _masks(labels: Labels) -> dict[str, Mask]:
    cavity = np.asarray(labels.volume.data == CAVITY) & (labels.scheme.name == CAVITY_SCHEME)
    return {
        **{str(region): region_mask(labels.classes, region) for region in Region},
        "netc": class_mask(labels.classes, TissueClass.NCR),
        "snfh": class_mask(labels.classes, TissueClass.ED),
        "rc": cavity,
    }


def challenge_text(cases: Mapping[str, CaseRegions]) -> str:
    """Counts and means of each region over the cases, as a table."""
    head = ("region", "found", "missed", "false", "F1", "lesion Dice", "NSD", "HD95 mm")
    rows = []
    for region in _ALL:
        scores = [regions[region] for regions in cases.values() if region in regions]
        if not scores:
            continue
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
