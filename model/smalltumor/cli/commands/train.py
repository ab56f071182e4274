"""`smalltumor train`: train on a folder of cases, from random weights or from a checkpoint."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from smalltumor.cli import arguments
from smalltumor.cli.messages import show_warning
from smalltumor.cli.progress import ProgressBar
from smalltumor.cli.train_settings import add_settings
from smalltumor.errors import TrainingError

if TYPE_CHECKING:
    from smalltumor.training.request import TrainingRequest

PRESETS = ("paper", "finetune", "starter")

DESCRIPTION = """\
Train the multi-task network of Ngo et al. 2020 on cases with segmentations. Label schemes are
detected case by case; --check lists the cases, their labels and problems without training.

A run is a folder: config.json, events.jsonl (the log), last.safetensors (the state to resume from)
and best.safetensors (weights for `smalltumor segment --weights`). It can be killed at any moment
and resumed. Ctrl-C finishes the step, saves, and prints the command that resumes the run.

With --folds and without --fold, all folds are trained one after the other, each in a run folder
inside --run. Every case is then scored by the network that was not trained on it, and the
out-of-fold table is printed (again with `smalltumor folds`).
"""

EPILOG = """\
presets:
  paper     from random weights, as published: crops of 128, batch 8, generalised Dice, 500 epochs
  finetune  from weights (by default the shipped ones), at a lower learning rate
  starter   from random weights, for few cases and a CPU; the shipped weights were made with it,
            --crop 128, --batch-size 4 and --modality-dropout 0.1

examples:
  smalltumor train BraTS2021 --check
  smalltumor train BraTS2021 --run runs/paper
  smalltumor train my_cases --run runs/mine --preset finetune
  smalltumor train my_cases --run runs/mine --resume
  smalltumor train my_cases --run runs/recipe --preset starter --folds 5
  torchrun --nproc-per-node 4 --no-python smalltumor train BraTS2021 --run runs/paper
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "train",
        help="train or fine-tune a network on your cases",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "data", metavar="DATA", type=arguments.path_argument, help="folder of cases with masks"
    )
    parser.add_argument(
        "--run", metavar="DIR", type=arguments.path_argument, dest="folder", help="the run folder"
    )
    parser.add_argument("--check", action="store_true", help="only list the cases and problems")
    parser.add_argument("--resume", action="store_true", help="resume the run in --run")
    parser.add_argument("--preset", choices=PRESETS, help="recipe; default paper")
    parser.add_argument(
        "--weights", metavar="F", type=arguments.path_argument, help="weights file to start from"
    )
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1 ...")
    parser.add_argument(
        "--cache",
        metavar="DIR",
        type=arguments.path_argument,
        help="prepared volumes (RUN/cache)",
    )
    parser.add_argument(
        "--card", metavar="F.json", type=arguments.path_argument, help="facts for the model card"
    )
    add_settings(parser)
    parser.set_defaults(run=run)
    # Without a help text a command is not listed: this one is for processes that are launched.
    request = commands.add_parser(
        "train-request", description="Train as a file in a run folder says."
    )
    request.add_argument("file", metavar="FILE", type=arguments.path_argument)
    request.set_defaults(run=run_request)


def run(options: argparse.Namespace) -> int:
    """Check, or train until done or stopped."""
    if options.check:
        return _check(options.data)
    if options.folder is None:
        raise TrainingError("name a folder for the run with --run DIR")
    from smalltumor.data.identity.patients import read_patients
    from smalltumor.training.request import TrainingRequest

    _check_resume(options)
    all_folds = _trains_all_folds(options)
    folds = options.changes.pop("folds", None) if all_folds else None
    request = TrainingRequest(
        data=options.data,
        run=options.folder,
        preset=options.preset or "paper",
        changes=options.changes,
        weights=options.weights,
        validation_folder=options.validation,
        patients=read_patients(options.patients) if options.patients else {},
        cache=options.cache,
        card=options.card,
        device=options.device,
        resume=options.resume,
    )
    return _train_folds(request, folds) if all_folds else _train(request)


def _check_resume(options: argparse.Namespace) -> None:
    """Refuse ``--resume`` without a recipe where there is nothing to resume.

    A mistyped folder, or a further fold before the first process has written the folder of the
    cross-validation, would start a run of the default preset.
    """
    from smalltumor.training.cross_validation.record import is_cross_validation
    from smalltumor.training.runs.run_folder import RunFolder

    has_recipe = options.preset or options.weights or options.changes.get("folds")
    if not options.resume or has_recipe or is_cross_validation(options.folder):
        return
    run = RunFolder(options.folder)
    if not run.has(run.config):
        raise TrainingError(
            f"{options.folder} holds no run to resume; to start one, name --preset, --weights or "
            "--folds too"
        )


def _trains_all_folds(options: argparse.Namespace) -> bool:
    """Whether a cross-validation is to be started, or resumed in its folder."""
    from smalltumor.training.cross_validation.record import is_cross_validation
    from smalltumor.training.runs.run_folder import RunFolder

    single = "fold" in options.changes
    if is_cross_validation(options.folder):
        if single:
            raise TrainingError(
                f"{options.folder} holds all folds of a cross-validation; name another folder for "
                "a run of one fold"
            )
        return True
    run = RunFolder(options.folder)
    return bool(options.changes.get("folds")) and not single and not run.has(run.config)


def run_request(options: argparse.Namespace) -> int:
    """Train as a request file says."""
    from smalltumor.training.request import TrainingRequest

    return _train(TrainingRequest.read(options.file))


def _train_folds(request: TrainingRequest, folds: int | None) -> int:
    _yield_cores()
    from smalltumor.evaluation.report.estimate_text import INTERVAL
    from smalltumor.evaluation.report.out_of_fold_report import results_text
    from smalltumor.training.cross_validation.results import ScoringSettings
    from smalltumor.training.cross_validation.train_folds import score_folds, train_folds
    from smalltumor.training.data.pack import Pack

    if not train_folds(request, folds, log=_say, warn=show_warning):
        _say(_resume_text(request))
    elif Pack.is_in(request.data):
        _say(f"a pack cannot be scored; with the images: smalltumor folds {request.run} --data DIR")
    else:
        _say("scoring the validation cases of the folds")
        with ProgressBar() as progress:
            settings = ScoringSettings(request.device, progress=progress, warn=progress.warn)
            results = score_folds(request.run, settings)
        _say(f"\n{results_text(results)}\n\n{INTERVAL}")
    return 0


def _train(request: TrainingRequest) -> int:
    _yield_cores()
    from smalltumor.training.execution.train import train

    finished = train(request, log=_say, warn=show_warning)
    if not finished and os.environ.get("RANK", "0") == "0":  # once, under torchrun
        _say(_resume_text(request))
    return 0


def _resume_text(request: TrainingRequest) -> str:
    return f"to resume: smalltumor train {request.data} --run {request.run} --resume"


def _yield_cores() -> None:
    """Let threads sleep while they wait; must be set before torch is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def _check(folder: Path) -> int:
    from smalltumor.training.data.dataset_check import (
        CHECK_HEADER,
        check_row,
        check_summary,
        check_training_cases,
    )

    _say(CHECK_HEADER)
    cases = []
    for case in check_training_cases(folder):
        cases.append(case)
        _say(check_row(case))
    _say(check_summary(cases))
    return 1 if any(case.problem for case in cases) else 0


def _say(line: str) -> None:
    print(line, flush=True)
