"""Options of `smalltumor train` that change the settings of a preset."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

AUGMENTATIONS = ("paper", "standard", "strong")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options; each sets the field of `TrainingConfig` that is its destination.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Its namespaces get a dict ``changes``, of field and value.
    """
    held_out = parser.add_argument_group("validation")
    held_out.add_argument(
        "--validation", metavar="DIR", type=Path, help="cases that are never trained on"
    )
    _add_setting(
        held_out, "--folds", "folds", int, "K", "train K networks, each holding out its fold"
    )
    _add_setting(
        *(held_out, "--fold", "fold", int, "I"),
        "with --folds: train this fold only; the folds are numbered from 0 to K - 1",
    )
    held_out.add_argument(
        "--patients",
        metavar="F.csv",
        type=Path,
        help="whose scan each case is, if names do not tell: columns case and patient",
    )
    group = parser.add_argument_group("changes to the preset")
    _add_setting(group, "--epochs", "epochs", int, "N", "length of the run; default by the preset")
    _add_setting(
        group,
        "--minutes",
        "minutes",
        float,
        "M",
        "end after this time instead of after the epochs; pauses do not count",
    )
    _add_setting(group, "--crop", "crop", int, "VOXELS", "a multiple of 16")
    _add_setting(group, "--batch", "batch", int, "N", "crops in a step, over all processes")
    _add_setting(group, "--rate", "learning_rate", float, "R", "learning rate")
    _add_setting(group, "--seed", "seed", int, "N", "seed of the random numbers; default 0")
    _add_setting(
        group,
        "--augmentation",
        "augmentation",
        str,
        "NAME",
        "changes of intensities: paper, standard or strong (that of starter)",
        choices=AUGMENTATIONS,
    )
    _add_setting(
        group,
        "--modality-dropout",
        "modality_dropout",
        float,
        "P",
        "probability with which T1, T2 and FLAIR are each missing in a crop; default 0",
    )
    _add_setting(
        group,
        "--validate-every",
        "validate_every",
        int,
        "EPOCHS",
        "validate every so many epochs; default by the preset",
    )
    _add_switch(
        group,
        "--no-reconstruction",
        "reconstruction",
        False,
        "without the auxiliary task: the DMFNet baseline",
    )
    _add_switch(group, "--compile", "compile", True, "compile the network with torch.compile")
    _add_switch(group, "--freeze-encoder", "freeze_encoder", True, "train the decoders only")
    _add_setting(
        group,
        "--freeze-norms",
        "freeze_norms_at",
        float,
        "SHARE",
        "freeze batch-norm statistics after this share of the steps; 0 from the start",
    )
    _add_setting(
        group, "--patience", "patience", int, "N", "stop after N validations without a better score"
    )
    parser.set_defaults(changes={})


def _add_setting(
    group: argparse._ArgumentGroup,
    option: str,
    field: str,
    kind: type,
    metavar: str,
    text: str | None = None,
    choices: Sequence[str] | None = None,
) -> None:
    group.add_argument(
        option,
        dest=field,
        type=kind,
        choices=choices,
        metavar=metavar,
        help=text,
        action=_Setting,
        default=argparse.SUPPRESS,
    )


def _add_switch(
    group: argparse._ArgumentGroup, option: str, field: str, value: bool, text: str
) -> None:
    group.add_argument(
        option,
        dest=field,
        nargs=0,
        const=value,
        help=text,
        action=_Setting,
        default=argparse.SUPPRESS,
    )


class _Setting(argparse.Action):
    """Collect an option of the preset's settings in ``options.changes``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        value = self.const if self.nargs == 0 else values
        namespace.changes = {**namespace.changes, self.dest: value}
