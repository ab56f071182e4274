"""`smalltumor train`: learn from a folder of cases, from zero or from weights."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from smalltumor.errors import TrainingError

PRESETS = ("paper", "finetune", "starter")

DESCRIPTION = """\
Train the multi-task network of Ngo et al. 2020 on cases with segmentations. Label schemes are
detected case by case; --check shows what was found before hours are spent.

A run is a folder: config.json, events.jsonl (what happened), last.safetensors (to go on from)
and best.safetensors (weights for `smalltumor segment --weights`). It can be killed at any moment
and resumed. Ctrl-C finishes the step, saves, and says how to go on.
"""

EPILOG = """\
presets:
  paper     from zero, as published: crops of 128, batch 8, generalised Dice, 500 epochs
  finetune  from weights (the shipped ones by default), at a lower rate, for your own cases
  starter   from zero, fast on a CPU and for few cases; the shipped weights were made with it

examples:
  smalltumor train BraTS2021 --check
  smalltumor train BraTS2021 --run runs/paper
  smalltumor train my_cases --run runs/mine --preset finetune
  smalltumor train my_cases --run runs/mine --resume
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
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of cases with masks")
    parser.add_argument("--run", metavar="DIR", type=Path, dest="folder", help="the run's folder")
    parser.add_argument("--check", action="store_true", help="only list the cases and problems")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run")
    parser.add_argument("--preset", choices=PRESETS, default="paper", help="default paper")
    parser.add_argument("--weights", metavar="F", type=Path, help="checkpoint to start from")
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1 ...")
    parser.add_argument("--cache", metavar="DIR", type=Path, help="prepared volumes (DIR/cache)")
    parser.add_argument("--card", metavar="F.json", type=Path, help="facts for the model card")
    held = parser.add_argument_group("validation")
    held.add_argument("--validation", metavar="DIR", type=Path, help="cases never learnt from")
    held.add_argument("--folds", type=int, metavar="K", help="hold out every K-th case")
    held.add_argument("--fold", type=int, metavar="I", help="starting at case I, from 0")
    _add_changes(parser.add_argument_group("changes to the preset"))
    parser.set_defaults(run=run)


def _add_changes(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--epochs", type=int, metavar="N")
    group.add_argument("--crop", type=int, metavar="VOXELS", help="a multiple of 16")
    group.add_argument("--batch", type=int, metavar="N", help="crops a step, over all processes")
    group.add_argument("--rate", type=float, metavar="R", help="learning rate")
    group.add_argument("--seed", type=int, metavar="N")
    group.add_argument("--validate-every", type=int, metavar="EPOCHS", dest="validate_every")
    group.add_argument(
        "--no-reconstruction",
        action="store_const",
        const=False,
        dest="reconstruction",
        help="without the auxiliary task: the DMFNet baseline",
    )
    group.add_argument(
        "--freeze-encoder",
        action="store_const",
        const=True,
        dest="freeze_encoder",
        help="train the decoders only",
    )
    group.add_argument(
        "--freeze-norms",
        type=float,
        metavar="SHARE",
        dest="freeze_norms_at",
        help="keep the norms' statistics after this share of the steps; 0 from the start",
    )
    group.add_argument(
        "--patience", type=int, metavar="N", help="stop after N validations without a gain"
    )


CHANGES = (
    "epochs",
    "crop",
    "batch",
    "rate",
    "seed",
    "validate_every",
    "reconstruction",
    "freeze_encoder",
    "freeze_norms_at",
    "patience",
    "folds",
    "fold",
)


def run(options: argparse.Namespace) -> int:
    """Check, or train until done or stopped."""
    if options.check:
        return _check(options.data)
    if options.folder is None:
        raise TrainingError("name a folder for the run with --run DIR")
    # Threads that sleep while they wait lose nothing to other programs on the same cores; read
    # when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from smalltumor.training.request import TrainingRequest
    from smalltumor.training.run import train

    changes: dict[str, Any] = {
        name: value for name in CHANGES if (value := getattr(options, name)) is not None
    }
    request = TrainingRequest(
        data=options.data,
        run=options.folder,
        preset=options.preset,
        changes=changes,
        weights=options.weights,
        validation=options.validation,
        cache=options.cache,
        card=options.card,
        device=options.device,
        resume=options.resume,
    )
    train(request, report=_say)
    return 0


def _check(folder: Path) -> int:
    from smalltumor.training.data.dataset_check import (
        SURVEY_HEAD,
        survey,
        survey_line,
        survey_total,
    )

    _say(SURVEY_HEAD)
    cases = []
    for case in survey(folder):
        cases.append(case)
        _say(survey_line(case))
    _say(survey_total(cases))
    return 1 if any(case.problem for case in cases) else 0


def _say(line: str) -> None:
    print(line, flush=True)
