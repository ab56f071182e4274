"""The files of an evaluation: the report, every number as JSON and CSV, and the figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from smalltumor.errors import OutputError
from smalltumor.evaluation.evaluate import CaseScores, Evaluation, RegionScores
from smalltumor.evaluation.metrics.froc import FrocPoint, froc_curve
from smalltumor.evaluation.metrics.voxelwise import EMPTY_MASK_SCORES, NSD_TOLERANCE_MM
from smalltumor.evaluation.report.estimate_text import INTERVAL, differences_json, estimate_json
from smalltumor.evaluation.report.figures import can_draw, draw_dice_by_size, draw_volumes, png
from smalltumor.evaluation.report.froc_figure import draw_froc
from smalltumor.evaluation.report.text_report import report_text
from smalltumor.evaluation.summaries.comparison import Comparison, estimates
from smalltumor.evaluation.summaries.summary import (
    SMALL_TUMOUR_LIMITS,
    by_size,
    lesion_means,
    means,
    overlaps,
    scored_regions,
    small_tumours,
)
from smalltumor.files.atomic import check_output_folder, write_bytes, write_text
from smalltumor.files.tables import Cell, csv_text
from smalltumor.files.transactions.recovery import check_outputs
from smalltumor.files.transactions.replacement import write_together
from smalltumor.labels.regions import Region

REPORT, SCORES, CASES, COMPONENTS = "report.txt", "scores.json", "cases.csv", "components.csv"
FIGURES = {"volumes.png": draw_volumes, "dice_by_size.png": draw_dice_by_size}
FROC, FROC_FIGURE = "froc.csv", "froc.png"
"""Written if there are candidates."""
BASELINE_CASES = "baseline_cases.csv"
"""Written if there is a baseline."""
FILES = frozenset((REPORT, SCORES, CASES, COMPONENTS, *FIGURES, FROC, FROC_FIGURE, BASELINE_CASES))


def check_report(folder: Path, *, overwrite: bool = False) -> None:
    """Check before an evaluation that its files can be written.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    overwrite : bool
        Whether files of an earlier evaluation may be replaced.

    Raises
    ------
    OutputError
        If the folder cannot be created, or a file exists and `overwrite` is false.
    """
    check_output_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be created: {error.strerror or error}") from error
    check_outputs((folder / name for name in sorted(FILES)), overwrite=overwrite)


def write_report(
    evaluation: Evaluation,
    folder: Path,
    *,
    comparison: Comparison | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write the report, the numbers and, if matplotlib is installed, the figures: all or none.

    Parameters
    ----------
    evaluation : Evaluation
    folder : Path
        Gets the `FILES`, those of candidates and of a baseline only if there are any.
    comparison : Comparison, optional
        With other predictions of the same cases.
    overwrite : bool
        Whether files of an earlier evaluation may be replaced.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        As `check_report`, or if a file cannot be written.
    """
    check_report(folder, overwrite=overwrite)
    texts = {
        REPORT: report_text(evaluation, comparison) + "\n",
        SCORES: json.dumps(as_json(evaluation, comparison), indent=1, allow_nan=False) + "\n",
        CASES: csv_text(_CASE_COLUMNS, _case_rows(evaluation.cases)),
        COMPONENTS: csv_text(_COMPONENT_COLUMNS, _component_rows(evaluation.cases)),
    }
    if comparison is not None:
        texts[BASELINE_CASES] = csv_text(_CASE_COLUMNS, _case_rows(comparison.baseline.cases))
    figures = dict(FIGURES)
    if evaluation.candidates:
        texts[FROC] = csv_text(tuple(_FROC_CELLS), _froc_rows(evaluation))
        figures[FROC_FIGURE] = draw_froc
    if not can_draw():
        figures.clear()
    contents: dict[Path, Callable[[Path], object]] = {
        folder / name: partial(write_text, content=text) for name, text in texts.items()
    }
    for name, draw in figures.items():
        contents[folder / name] = partial(write_bytes, content=png(draw(evaluation)))
    of_an_earlier_one = [folder / name for name in FILES - texts.keys() - figures.keys()]
    return write_together(contents, of_an_earlier_one, overwrite=overwrite)


def as_json(evaluation: Evaluation, comparison: Comparison | None = None) -> dict[str, object]:
    """Return every number of the evaluation as plain dicts, lists and numbers.

    Only regions that were scored are in it.
    """
    regions = scored_regions(evaluation.cases)
    content: dict[str, object] = {
        "definition": {
            "empty": EMPTY_MASK_SCORES,
            "lesions": "BraTS 2023, gliomas",
            "nsd_tolerance_mm": NSD_TOLERANCE_MM,
            "interval": INTERVAL,
        },
        "prediction_scheme": evaluation.prediction_scheme,
        "truth_scheme": evaluation.truth_scheme,
        "notes": evaluation.notes,
        "means": {r.value: asdict(means(overlaps(evaluation.cases, r))) for r in regions},
        "small_enhancing_tumours": {
            str(limit): asdict(means(small_tumours(evaluation, limit)))
            for limit in SMALL_TUMOUR_LIMITS
        },
        "lesions": {r.value: asdict(lesion_means(evaluation.cases, r)) for r in regions},
        "components_by_size": {r.value: _sizes_json(evaluation, r) for r in regions},
        "cases": {case.name: _case_json(case) for case in evaluation.cases},
        "intervals": [
            {"measure": measure.name, **estimate_json(estimate, "value")}
            for measure, estimate in estimates(evaluation.cases).items()
        ],
    }
    if comparison is not None:
        content["differences"] = differences_json(comparison.differences)
    return content


def _sizes_json(evaluation: Evaluation, region: Region) -> list[dict[str, object]]:
    classes = by_size(evaluation.cases, region)
    return [asdict(size) | {"sensitivity": size.sensitivity} for size in classes]


def _case_json(case: CaseScores) -> dict[str, object]:
    return {
        region.value: {
            **asdict(scores.overlap),
            "false_ml": scores.overlap.false_ml,
            "lesions": asdict(scores.lesions)
            | {
                "found": scores.lesions.found,
                "missed": scores.lesions.missed,
                "dice": scores.lesions.dice,
                "hd95": scores.lesions.hd95,
            },
            "components": [asdict(c) | {"found": c.found} for c in scores.components],
        }
        for region, scores in case.regions.items()
    }


_REGION_CELLS: Mapping[str, Callable[[RegionScores], Cell]] = {
    "dice": lambda scores: scores.overlap.dice,
    "nsd": lambda scores: scores.overlap.nsd,
    "tpr": lambda scores: scores.overlap.tpr,
    "fpr": lambda scores: scores.overlap.fpr,
    "hd95_mm": lambda scores: scores.overlap.hd95,
    "truth_voxels": lambda scores: scores.overlap.truth_voxels,
    "predicted_voxels": lambda scores: scores.overlap.predicted_voxels,
    "false_voxels": lambda scores: scores.overlap.false_voxels,
    "false_ml": lambda scores: scores.overlap.false_ml,
    "lesions": lambda scores: len(scores.lesions.lesions),
    "found": lambda scores: scores.lesions.found,
    "missed": lambda scores: scores.lesions.missed,
    "false_lesions": lambda scores: scores.lesions.false_lesions,
    "ignored": lambda scores: scores.lesions.ignored,
    "lesion_dice": lambda scores: scores.lesions.dice,
    "lesion_hd95_mm": lambda scores: scores.lesions.hd95,
}
_CASE_COLUMNS = ("case", "region", *_REGION_CELLS)
_COMPONENT_COLUMNS = ("case", "region", "voxels", "covered", "found")


def _case_rows(cases: Iterable[CaseScores]) -> Iterable[tuple[Cell, ...]]:
    """A row for each case and region, with empty cells if it was not scored."""
    for case in cases:
        for region in Region:
            scores = case.regions.get(region)
            cells = (None if scores is None else cell(scores) for cell in _REGION_CELLS.values())
            yield case.name, region.value, *cells


def _component_rows(cases: Iterable[CaseScores]) -> Iterable[tuple[Cell, ...]]:
    for case in cases:
        for region, scores in case.regions.items():
            for part in scores.components:
                yield case.name, region.value, part.voxels, part.covered, part.found


_FROC_CELLS: Mapping[str, Callable[[FrocPoint], Cell]] = {
    "least_score": lambda point: point.least_score,
    "false_positives_per_case": lambda point: point.false_positives_per_case,
    "found": lambda point: point.found,
    "components": lambda point: point.components,
    "sensitivity": lambda point: point.sensitivity.value,
    "sensitivity_low": lambda point: point.sensitivity.low,
    "sensitivity_high": lambda point: point.sensitivity.high,
}


def _froc_rows(evaluation: Evaluation) -> Iterable[tuple[Cell, ...]]:
    for point in froc_curve(evaluation.candidates):
        yield tuple(cell(point) for cell in _FROC_CELLS.values())
