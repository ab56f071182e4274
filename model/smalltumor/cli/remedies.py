"""What to do about an error, in the words of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import MappingProxyType

from smalltumor.errors import Action, Remedy

Text = Callable[[Remedy, argparse.Namespace], str]


def remedy_text(remedy: Remedy, options: argparse.Namespace) -> str:
    """What to do, naming only options that the command has.

    Parameters
    ----------
    remedy : Remedy
    options : argparse.Namespace
        Parsed arguments of the command that failed.

    Returns
    -------
    str
        Part of a sentence; empty if the command offers nothing.
    """
    return _TEXTS[remedy.action](remedy, options)


def _replace_output(remedy: Remedy, options: argparse.Namespace) -> str:
    return "choose another name" + (", or pass --overwrite" if "overwrite" in options else "")


def _name_scheme(remedy: Remedy, options: argparse.Namespace) -> str:
    if "labels" not in options:
        return "store the labels in the scheme that goes with the names of the files"
    return "name the scheme with " + ("--truth-labels" if remedy.side == "truth" else "--labels")


def _name_modalities(remedy: Remedy, options: argparse.Namespace) -> str:
    files = " ".join(f"--{modality} FILE" for modality in remedy.modalities if modality in options)
    return f"name it with {files}" if files else ""


def _resample(remedy: Remedy, options: argparse.Namespace) -> str:
    return "--resample brings every modality onto T1CE's grid" if "resample" in options else ""


def _choose_weights(remedy: Remedy, options: argparse.Namespace) -> str:
    return "choose a weights file with --weights" if "weights" in options else ""


def _resume(remedy: Remedy, options: argparse.Namespace) -> str:
    settings = "".join(f" --{name} {value}" for name, value in remedy.settings.items())
    return f"--resume{settings} continues from there"


_TEXTS: Mapping[Action, Text] = MappingProxyType(
    {
        Action.CHOOSE_OUTPUT: lambda remedy, options: "choose another name",
        Action.REPLACE_OUTPUT: _replace_output,
        Action.NAME_SCHEME: _name_scheme,
        Action.NAME_MODALITIES: _name_modalities,
        Action.RESAMPLE: _resample,
        Action.CHOOSE_WEIGHTS: _choose_weights,
        Action.IMPORT_WEIGHTS: lambda remedy, options: (
            "smalltumor import-dmfnet converts a published DMFNet checkpoint"
        ),
        Action.CHOOSE_DEVICE: lambda remedy, options: "choose another device, such as --device cpu",
        Action.CHECK_DATASET: lambda remedy, options: "--check lists the problems of every case",
        Action.CHOOSE_RUN_FOLDER: lambda remedy, options: (
            "add --resume to continue it, or choose another folder"
        ),
        Action.RESUME: _resume,
    }
)
