"""Options of `smalltumor train` that change the settings of a preset."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from smalltumor.cli.arguments import path_argument, positive_integer, positive_number
from smalltumor.cli.parser import StoreOnce

AUGMENTATIONS = ("paper", "standard", "strong")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options; each sets the field of `TrainingConfig` that is its destination.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Its namespaces get a dict ``changes``, of field and value.
    """
    validation = parser.add_argument_group("validation")
    validation.add_argument(
        "--validation", metavar="DIR", type=path_argument, help="cases that are never trained on"
    )
    for setting in _FOLDS:
        setting.add_to(validation)
    validation.add_argument(
        "--patients",
        metavar="F.csv",
        type=path_argument,
        help="table of case and patient, if names do not show whose scan each case is",
    )
    group = parser.add_argument_group("changes to the preset")
    for change in _CHANGES:
        change.add_to(group)
    parser.set_defaults(changes={})


class _Change(StoreOnce):
    """Collect an option of the preset's settings in ``options.changes``."""

    def store(self, namespace: argparse.Namespace, value: Any) -> None:
        """Store the value, or that of a switch, under the name of its field."""
        value = self.const if self.nargs == 0 else value
        namespace.changes = {**namespace.changes, self.dest: value}


@dataclass(frozen=True)
class _Setting:
    """An option with a value, of a field of `TrainingConfig`."""

    option: str
    field: str
    kind: Callable[[str], Any]
    metavar: str
    help: str
    choices: Sequence[str] | None = None

    def add_to(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            self.option,
            dest=self.field,
            type=self.kind,
            choices=self.choices,
            metavar=self.metavar,
            help=self.help,
            action=_Change,
            default=argparse.SUPPRESS,
        )


@dataclass(frozen=True)
class _Switch:
    """An option without a value, which gives a field of `TrainingConfig` this one."""

    option: str
    field: str
    value: bool
    help: str

    def add_to(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            self.option,
            dest=self.field,
            nargs=0,
            const=self.value,
            help=self.help,
            action=_Change,
            default=argparse.SUPPRESS,
        )


_FOLDS = (
    _Setting(
        "--folds", "folds", positive_integer, "K", "train K networks, each validated on its fold"
    ),
    _Setting(
        "--fold",
        "fold",
        int,
        "I",
        "with --folds: train this fold only; the folds are numbered from 0 to K - 1",
    ),
)

_CHANGES = (
    _Setting("--epochs", "epochs", int, "N", "length of the run; default by the preset"),
    _Setting(
        "--minutes",
        "minutes",
        positive_number,
        "M",
        "end after this time instead of after the epochs; pauses do not count",
    ),
    _Setting("--crop", "crop", int, "VOXELS", "a multiple of 16"),
    _Setting("--batch-size", "batch_size", int, "N", "crops in a step, over all processes"),
    _Setting("--learning-rate", "learning_rate", float, "R", "learning rate"),
    _Setting("--seed", "seed", int, "N", "seed of the random numbers; default 0"),
    _Setting(
        "--augmentation",
        "augmentation",
        str,
        "NAME",
        "changes of intensities: paper, standard or strong (that of starter)",
        choices=AUGMENTATIONS,
    ),
    _Setting(
        "--modality-dropout",
        "modality_dropout",
        float,
        "P",
        "probability with which T1, T2 and FLAIR are each missing in a crop; default 0",
    ),
    _Setting(
        "--validation-interval",
        "validation_interval",
        int,
        "EPOCHS",
        "validate every so many epochs; default by the preset",
    ),
    _Switch(
        "--no-reconstruction",
        "reconstruction",
        False,
        "without the auxiliary task: the DMFNet baseline",
    ),
    _Switch("--compile", "compile", True, "compile the network with torch.compile"),
    _Switch("--freeze-encoder", "freeze_encoder", True, "train the decoders only"),
    _Setting(
        "--starting-weights-share",
        "starting_weights_share",
        float,
        "SHARE",
        "share of the starting weights in the result; default 0, with finetune 0.75",
    ),
    _Setting(
        "--freeze-norms",
        "freeze_norms_at",
        float,
        "SHARE",
        "freeze batch-norm statistics after this share of the steps; 0 from the start",
    ),
    _Setting("--patience", "patience", int, "N", "stop after N validations without a better score"),
)
