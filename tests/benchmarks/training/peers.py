r"""Out-of-fold scores of this network, with and without its auxiliary task, and of MONAI networks.

    python tests/benchmarks/training/peers.py DATA --study DIR --folds 5 --device cuda --epochs 60
    python tests/benchmarks/training/peers.py \
        DATA --study DIR --folds 3 --fold 0 --minutes 20 --crop 64
    python tests/benchmarks/training/peers.py DATA --study DIR --tables

DATA is a folder of cases with segmentations, or a pack. All networks are trained by this project's
recipe on the same folds, crops and augmentation, for the same number of steps or the same time.
The cases that a fold holds out are then segmented whole, one volume at a time without flips, on
the voxels that the training has prepared.

Each network has a folder in DIR, with a run folder for each fold and its scores as a CSV file;
the tables are in DIR/tables.txt. The same command resumes a study that was stopped or killed:
states are saved every minute, scores after each case. Ctrl-C saves at once. Dropout and the
autoencoder of SegResNetVAE draw other random numbers after a resume.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is loaded

from peer_networks import BASELINE, MULTI_TASK, NAMES, StudyNetwork, study_networks
from peer_tables import report
from smalltumor.errors import SmalltumorError
from smalltumor.evaluation.report.out_of_fold_report import Results
from smalltumor.evaluation.summaries.case_rows import CaseRow, case_row, read_rows, write_rows
from smalltumor.files.atomic import write_text
from smalltumor.training.config import PRESETS
from smalltumor.training.cross_validation.record import CrossValidation, is_cross_validation
from smalltumor.training.cross_validation.train_folds import train_folds
from smalltumor.training.data.dataset import labelled_cases, prepare_cases
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.optimisation.distributed import training_device
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_folder import RunFolder

SETTINGS, TABLES, SCORES = "study.json", "tables.txt", "whole_volume_scores.csv"
CHANGES = ("epochs", "minutes", "crop", "batch_size", "seed")


def main(arguments: list[str] | None = None) -> int:
    """Train and score what has not been trained and scored, and print the tables."""
    options = parse(arguments)
    try:
        settings = settle(options)
        networks = study_networks(PRESETS[settings["preset"]].with_changes(changes(settings)))
        if not options.tables:
            for name in options.networks:
                if not train(networks[name], settings, options):
                    print(f"{name} is not done; the same command resumes it")
                    return 0
                score(networks[name], options)
        text = tables(networks, options.study)
    except SmalltumorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command resumes the study", file=sys.stderr)
        return 130
    write_text(options.study / TABLES, text + "\n", overwrite=True)
    print(f"\n{text}")
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--study", type=Path, required=True, metavar="DIR", help="its folder")
    parser.add_argument("--folds", type=int, metavar="K", help="number of folds")
    parser.add_argument("--fold", type=int, metavar="I", help="one fold only, from 0")
    parser.add_argument("--networks", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--preset", choices=("paper", "starter"), help="starter")
    for name, kind in zip(CHANGES, (int, float, int, int, int), strict=True):
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, metavar="N", help="as for smalltumor train"
        )
    parser.add_argument("--device", default="auto", metavar="D")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="prepared volumes (DIR/cache)")
    parser.add_argument("--tables", action="store_true", help="only print the tables")
    return parser.parse_args(arguments)


def settle(options: argparse.Namespace) -> dict[str, Any]:
    """The settings of the study: what the first command said, which no later one may change."""
    said = {
        name: value
        for name in ("folds", "preset", *CHANGES)
        if (value := getattr(options, name)) is not None
    }
    path = options.study / SETTINGS
    if path.is_file():
        settings: dict[str, Any] = json.loads(path.read_text())
        for name, value in said.items():
            before = settings.get(name)
            if value != before:
                raise SmalltumorError(
                    f"{name} = {value}: the study was started with {before}, and its networks "
                    "would not be comparable; name another folder"
                )
        return settings
    if options.folds is None:
        raise SmalltumorError(f"{options.study} holds no study; say the number of --folds")
    options.study.mkdir(parents=True, exist_ok=True)
    settings = {"preset": "starter", **said}
    write_text(path, json.dumps(settings, indent=2) + "\n")
    return settings


def changes(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that differ from the preset."""
    return {name: settings[name] for name in CHANGES if name in settings}


def train(network: StudyNetwork, settings: dict[str, Any], options: argparse.Namespace) -> bool:
    """Train the folds that are not done; False if training was stopped."""
    print(f"\n{network.title}", flush=True)
    request = TrainingRequest(
        data=options.data,
        run=options.study / network.name,
        preset=settings["preset"],
        # The cases of the fold are validated on once, at the end, and influence nothing.
        changes={**changes(settings), **network.changes, "validation_interval": 10**6},
        cache=options.cache or options.study / "cache",
        device=options.device,
        resume=True,
    )
    return train_folds(
        request,
        settings["folds"],
        lambda line: print(line, flush=True),
        fold=options.fold,
        architecture=network.architecture,
    )


def score(network: StudyNetwork, options: argparse.Namespace) -> None:
    """Score the held-out cases of all folds that are done."""
    for run in CrossValidation.read(options.study / network.name).runs:
        if run.is_done:
            score_fold(network, run, options)


def score_fold(network: StudyNetwork, run: RunFolder, options: argparse.Namespace) -> None:
    record, path = RunRecord.read(run), run.path / SCORES
    key = hashlib.sha256(run.final.read_bytes()).hexdigest()[:12]
    rows = {row.case: row for row in fold_rows(run) if row.weights == key}
    cases = [
        case
        for case in labelled_cases(options.data)
        if case.name in record.request.validation_cases and case.name not in rows
    ]
    if not cases:
        return
    cache = options.cache or options.study / "cache"
    prepared = prepare_cases(cases, record.config.preprocessing, cache)
    device = training_device(options.device)
    predict = network.architecture.predictor(network.architecture.load(run.final), device)
    for number, case in enumerate(prepared, 1):
        print(f"{run.path.name}: scoring {number} of {len(prepared)}, {case.name}", flush=True)
        rows[case.name] = case_row(case.name, key, predict(case), case.classes.numpy())
        write_rows(rows.values(), path)


def fold_rows(run: RunFolder) -> list[CaseRow]:
    path = run.path / SCORES
    return read_rows(path) if path.is_file() else []


def tables(networks: dict[str, StudyNetwork], study: Path) -> str:
    """The tables of all networks that have scores, whose rows are also written as CSV files."""
    results = {}
    for name, network in networks.items():
        if not is_cross_validation(study / name):
            continue
        runs = CrossValidation.read(study / name).runs
        rows = [row for run in runs for row in fold_rows(run)]
        if rows:
            write_rows(rows, study / f"{name}.csv")
            results[name] = Results(network.title, tuple(rows))
    if not results:
        raise SmalltumorError(f"{study}: no network has been scored yet")
    parameters = [
        f"{network.title}: {millions(network):.1f} million parameters"
        for name, network in networks.items()
        if name in results
    ]
    reference = results.get(MULTI_TASK, results.get(BASELINE))
    return "\n".join([*parameters, "", report(list(results.values()), reference)])


def millions(network: StudyNetwork) -> float:
    return sum(p.numel() for p in network.architecture.inference_network().parameters()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
