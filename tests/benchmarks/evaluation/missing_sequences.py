"""Dice of ET, TC and WT with all four sequences, and without T1, T2 or FLAIR.

    python tests/benchmarks/evaluation/missing_sequences.py DATA --results FOLDER
        [--weights FILE ...] [--device D] [--flips] [--limit N]

DATA is a folder of cases with an expert's masks. Each case is segmented with the first of the
weights that have not been trained on it, as their cards say, so that the weights of all folds give
the out-of-fold table; a case that all weights know is left out. Scores are written to FOLDER after
each case, and the same command continues after an interruption. Weights that were trained without
modality dropout are measured as well: the table shows what they lose.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from smalltumor.data.case import Case
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.naming.case_files import (
    MODALITIES,
    MODALITY_TITLES,
    OPTIONAL_MODALITIES,
    CaseFiles,
)
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.read_case import read_case_files
from smalltumor.evaluation.statistics.bootstrap import Estimate
from smalltumor.evaluation.summaries.case_rows import CaseRow, case_row, read_rows, write_rows
from smalltumor.evaluation.summaries.out_of_fold import differences, estimates
from smalltumor.inference import segment
from smalltumor.models.card import (
    MODALITY_DROPOUT,
    is_trained_with_modality_dropout,
    known_cases,
)
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.cross_validation.scoring import weights_key

VARIANTS: dict[str, tuple[str, ...]] = {
    "all four": MODALITIES,
    **{
        f"without {MODALITY_TITLES[missing]}": tuple(m for m in MODALITIES if m != missing)
        for missing in OPTIONAL_MODALITIES
    },
}
"""Names of the rows, and the sequences that the network sees."""

DICE = ("Dice ET", "Dice TC", "Dice WT")
"""Names of the measures in the table."""

Rows = dict[str, CaseRow]


class Scores:
    """A table of scores for each variant, in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = {name: folder / f"{name.replace(' ', '_')}.csv" for name in VARIANTS}
        self._rows = {name: self._read(path) for name, path in self._paths.items()}

    @staticmethod
    def _read(path: Path) -> Rows:
        return {row.case: row for row in read_rows(path)} if path.is_file() else {}

    def missing(self, case: str, weights: str) -> list[str]:
        """Variants of a case without a score of these weights."""
        known = {name: rows.get(case) for name, rows in self._rows.items()}
        return [name for name, row in known.items() if row is None or row.weights != weights]

    def add(self, variant: str, row: CaseRow) -> None:
        """Keep a score, and write its table."""
        self._rows[variant][row.case] = row
        write_rows(self._rows[variant].values(), self._paths[variant])

    def of(self, variant: str, cases: Sequence[str]) -> list[CaseRow]:
        """The scores of these cases."""
        return [self._rows[variant][case] for case in cases]


def assigned(
    cases: Sequence[CaseFiles], checkpoints: Sequence[Checkpoint]
) -> Iterator[tuple[CaseFiles, Checkpoint]]:
    """Each case with the first weights that have not been trained on it."""
    for files in cases:
        unknown = [c for c in checkpoints if files.name not in known_cases(c.card)]
        if unknown:
            yield files, unknown[0]
        else:
            print(f"{files.name} is left out: all weights have been trained on it")


def with_sequences(case: Case, sequences: Sequence[str]) -> Case:
    """The case without the other sequences."""
    return replace(case, volumes={m: case.volumes[m] for m in sequences})


def score(
    files: CaseFiles, checkpoint: Checkpoint, scores: Scores, options: argparse.Namespace
) -> None:
    """Segment and score the variants of a case that have no score yet."""
    key = weights_key(checkpoint) + ("-flips" if options.flips else "")
    variants = scores.missing(files.name, key)
    if not variants:
        return
    # The card only refuses cases: the network computes with zeros either way.
    may_miss = replace(checkpoint, card={**checkpoint.card, MODALITY_DROPOUT: 1.0})
    case = read_case_files(files)
    truth, _ = read_labels(case)
    for variant in variants:
        seen = with_sequences(case, VARIANTS[variant])
        predicted = segment(seen, may_miss, device=options.device, flips=options.flips).classes
        row = case_row(files.name, key, predicted, truth, case.grid.voxel.edges)
        scores.add(variant, row)
        dice = f"ET {row.et_dice:.3f} TC {row.tc_dice:.3f} WT {row.wt_dice:.3f}"
        print(f"{files.name} {variant}: {dice}", flush=True)


def table(scores: Scores, cases: Sequence[str]) -> str:
    """Mean Dice of each variant, and its difference from all four sequences, in Markdown."""
    lines = [
        f"{len(cases)} cases; differences with 95 % intervals, paired bootstrap over patients",
        "",
        "| sequences | Dice ET | Dice TC | Dice WT | ET lost | TC lost | WT lost |",
        "|---|---|---|---|---|---|---|",
    ]
    complete = scores.of("all four", cases)
    for variant in VARIANTS:
        rows = scores.of(variant, cases)
        means = [e.value for m, e in estimates(rows).items() if m.name in DICE]
        cells = [f"{mean:.4f}" for mean in means if mean is not None]
        if variant == "all four":
            cells += ["", "", ""]
        else:
            compared = differences(complete, rows)
            cells += [_lost(d.estimate) for d in compared if d.measure.name in DICE]
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _lost(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"


def main() -> None:
    """Print a line for each case and variant, and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", metavar="DATA", type=Path)
    parser.add_argument("--results", metavar="FOLDER", type=Path, required=True)
    parser.add_argument("--weights", metavar="FILE", type=Path, nargs="+", default=[None])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--flips", action="store_true")
    parser.add_argument("--limit", metavar="N", type=int, help="only the first N cases")
    options = parser.parse_args()
    checkpoints = [load_checkpoint(path) for path in options.weights]
    for checkpoint in checkpoints:
        trained = "with" if is_trained_with_modality_dropout(checkpoint.card) else "without"
        print(f"{checkpoint.name}: trained {trained} modality dropout")
    scores = Scores(options.results)
    cases = [files for files in find_cases(options.data) if files.labels and not files.missing]
    scored = []
    for files, checkpoint in assigned(cases[: options.limit], checkpoints):
        score(files, checkpoint, scores, options)
        scored.append(files.name)
    if scored:
        print(table(scores, scored))


if __name__ == "__main__":
    main()
