"""What fine-tuning gains if the least certain cases are corrected first.

    python tests/benchmarks/training/active_learning.py RUN ... --data FOLDER --study DIR

Each RUN is the run of a fold. Of the cases that it held out, every other one is in a pool and the
rest are for testing, then the other way round. From each pool two cases are chosen, those of which
the network is least or most certain (expected Dice, mean of the regions), or at random; the
network of the fold is fine-tuned on them with their expert's masks, and the cases for testing are
segmented. Each of them is scored once for each choice, and for each share of the starting weights
in the result (`starting_weights_share` of a training's settings, which does not change the training
itself). The cases that were trained on are scored too.

The same command resumes a study that was stopped.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from smalltumor import read_labels, segment
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.probabilities.expected_dice import expected_dice
from smalltumor.data.read_case import read_case_files
from smalltumor.evaluation.report.out_of_fold_report import Results, comparison_text, results_text
from smalltumor.evaluation.summaries.case_rows import CaseRow, case_row, read_rows, write_rows
from smalltumor.files.tables import read_table, write_table
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint
from smalltumor.training.cross_validation.scoring import weights_key
from smalltumor.training.cross_validation.validation_cases import find_validation_cases
from smalltumor.training.execution.train import train
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.current_weights import final_checkpoint
from smalltumor.training.runs.run_folder import RunFolder

CHOSEN = 2
CHOICES: dict[str, Callable[[list[str], random.Random], list[str]]] = {
    "least certain": lambda names, _: names[:CHOSEN],
    "random, first draw": lambda names, draw: draw.sample(names, CHOSEN),
    "random, second draw": lambda names, draw: draw.sample(names, CHOSEN),
    "most certain": lambda names, _: names[-CHOSEN:],
}
"""Choices from the names of a pool, the least certain first."""

BEFORE = "before"
OWN = "the cases themselves"


def main() -> None:
    """Run what has not been run, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=list(CHOICES))
    parser.add_argument("--shares", nargs="+", type=float, default=[0.75])
    options = parser.parse_args()
    changes = {
        "epochs": options.epochs,
        "crop": options.crop,
        "learning_rate": options.learning_rate,
        "starting_weights_share": 0.0,
    }
    rows: dict[str, list[CaseRow]] = {}
    for run in options.runs:
        cases = sorted(find_validation_cases(run, options.data).cases, key=lambda case: case.name)
        for half in (0, 1):
            folder = options.study / f"{run.name}_{half}"
            pool, testing = cases[half::2], cases[1 - half :: 2]
            network = run / "final.safetensors"
            study = Study(folder, network, pool, testing, changes)
            for name, scored in study.scores(options.choices, options.shares):
                rows.setdefault(name, []).extend(scored)
    report(rows)


@dataclass(frozen=True)
class Study:
    """Fine-tuning of one network on cases of a pool, and the cases that test it."""

    folder: Path
    weights: Path
    pool: Sequence[CaseFiles]
    testing: Sequence[CaseFiles]
    changes: dict[str, object]

    def scores(
        self, choices: Sequence[str], shares: Sequence[float]
    ) -> Iterator[tuple[str, list[CaseRow]]]:
        """Scores of the cases for testing, before and after fine-tuning, and of those chosen."""
        self.folder.mkdir(parents=True, exist_ok=True)
        initial = load_checkpoint(self.weights)
        yield BEFORE, scores(self.folder / "before.csv", initial, self.testing)
        names = least_certain_first(self.folder / "certainty.csv", initial, self.pool)
        draw = random.Random(f"{self.folder.name}")
        for choice, choose in CHOICES.items():
            chosen = choose(names, draw)
            if choice not in choices:
                continue
            run = self.folder / choice.replace(", ", "_").replace(" ", "_")
            cases = [case for case in self.pool if case.name in chosen]
            self._train(run, cases)
            own = f"{choice}, {OWN}"
            yield f"{own}, before", scores(run / "own_before.csv", initial, cases)
            for share in shares:
                weights = with_starting_weights_share(initial, final_checkpoint(run), share)
                title = f"share {share:g}"
                file = run / f"share_{share:g}.csv"
                yield f"{choice}, {title}", scores(file, weights, self.testing)
                file = run / f"own_share_{share:g}.csv"
                yield f"{own}, {title}", scores(file, weights, cases)

    def _train(self, run: Path, cases: Sequence[CaseFiles]) -> None:
        print(f"{run}: {', '.join(case.name for case in cases)}", flush=True)
        data = links(cases, run / "cases")
        if RunFolder(run).is_done:
            return
        request = TrainingRequest(
            data,
            run,
            "finetune",
            self.changes,
            self.weights,
            cache=self.folder / "cache",
            resume=True,
        )
        if not train(request, lambda _: None):
            raise SystemExit("stopped; the same command resumes the study")


def with_starting_weights_share(
    initial: Checkpoint, trained: Checkpoint, share: float
) -> Checkpoint:
    """The network that a run would give with another `starting_weights_share`."""
    before, after = initial.tensors(), trained.tensors()
    tensors = {name: share * before[name] + (1 - share) * after[name] for name in after}
    digest = sha256(f"{initial.digest} {trained.digest} {share}".encode()).hexdigest()
    return Checkpoint(trained.config, trained.preprocessing, {}, digest, None, tensors)


def least_certain_first(path: Path, weights: Checkpoint, pool: Sequence[CaseFiles]) -> list[str]:
    """Names of the cases, the lowest expected Dice first; kept in a table."""
    if not path.is_file():
        expected = sorted((certainty(case, weights), case.name) for case in pool)
        write_table(path, ("expected_dice", "case"), expected)
    return [row["case"] for row in read_table(path, ("case",))]


def certainty(case: CaseFiles, weights: Checkpoint) -> float:
    """Mean of the regions' expected Dice."""
    cropped = segment(read_case_files(case), weights, device="cpu").cropped
    assert cropped is not None
    return float(np.mean([dice for dice in expected_dice(cropped.output).values() if dice]))


def links(cases: Sequence[CaseFiles], folder: Path) -> Path:
    """A folder of links to the folders of cases."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        link = folder / case.name
        if not link.exists():
            link.symlink_to(case.modalities["t1ce"][0].parent.absolute())
    return folder


def scores(path: Path, weights: Checkpoint, cases: Sequence[CaseFiles]) -> list[CaseRow]:
    """Scores of whole volumes, kept in a table."""
    if path.is_file():
        return read_rows(path)
    key, rows = weights_key(weights), []
    for files in cases:
        case = read_case_files(files)
        prediction = segment(case, weights, device="cpu").classes
        truth, voxel = read_labels(case)[0], case.grid.voxel.edges
        rows.append(case_row(files.name, key, prediction, truth, voxel))
    write_rows(rows, path)
    return rows


def report(rows: dict[str, list[CaseRow]]) -> None:
    """Print the scores of each choice and share, and the differences on the cases for testing."""
    results = {name: Results(name, tuple(scored)) for name, scored in rows.items()}
    for result in results.values():
        print(results_text(result), end="\n\n")
    before, first, *others = (r for name, r in results.items() if OWN not in name)
    for other in (before, *others):
        print(comparison_text(first, other), end="\n\n")


if __name__ == "__main__":
    main()
