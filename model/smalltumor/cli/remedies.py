"""Remedies of errors in the words of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import MappingProxyType

from smalltumor.errors import Action, Remedy

Text = Callable[[Remedy, argparse.Namespace], str]


def remedy_text(remedy: Remedy, options: argparse.Namespace) -> str:
    """Say what to do, with options that the command has.

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


def _choose_output(remedy: Remedy, options: argparse.Namespace) -> str:
    return "choose another output"


def _replace_output(remedy: Remedy, options: argparse.Namespace) -> str:
    if remedy.session and "session" in options:
        return f"{_name_session(remedy, options)}, or pass --overwrite to replace this visit's mask"
    return "choose another output" + (", or pass --overwrite" if "overwrite" in options else "")


def _name_scheme(remedy: Remedy, options: argparse.Namespace) -> str:
    # In other commands, --labels is the scheme to write.
    if "reads_labels" not in options:
        return "store the labels in the scheme that goes with the names of the files"
    of_truth = remedy.side == "truth" and "truth_labels" in options
    text = f"name the scheme with {'--truth-labels' if of_truth else '--labels'}"
    return text + (", or pass --labels mask for the mask of a region" * ("reads_masks" in options))


def _name_region(remedy: Remedy, options: argparse.Namespace) -> str:
    if "reads_labels" in options:
        return _name_scheme(remedy, options)
    return "open it in napari, choose what it is, and export it: an exported file names its scheme"


def _read_as_mask(remedy: Remedy, options: argparse.Namespace) -> str:
    if "reads_masks" in options:
        return "pass --labels mask for the mask of a region"
    return "name a label file with all classes"


def _name_modalities(remedy: Remedy, options: argparse.Namespace) -> str:
    from smalltumor.data.naming.case_files import OPTIONAL_MODALITIES

    files = " ".join(f"--{modality} FILE" for modality in remedy.modalities if modality in options)
    texts = [f"name the missing files with {files}"] if files else []
    if "allow_missing" in options and set(remedy.modalities) <= set(OPTIONAL_MODALITIES):
        texts.append("pass --allow-missing to segment without them")
    return ", or ".join(texts)


def _name_files(remedy: Remedy, options: argparse.Namespace) -> str:
    return "make a case of a scanner's images with `smalltumor prepare FOLDER CASE`"


def _resample(remedy: Remedy, options: argparse.Namespace) -> str:
    prepare = "make a case of them with `smalltumor prepare FOLDER CASE`"
    prepare = (
        f"if the images come from the scanner, {prepare}{', or pass --raw' * ('raw' in options)}"
    )
    if "resample" not in options:
        return prepare
    return f"{prepare}; --resample is for images that are skull-stripped and registered already"


def _choose_weights(remedy: Remedy, options: argparse.Namespace) -> str:
    if "weights" not in options:
        return ""
    kind = "weights trained with modality dropout" if remedy.modalities else "a weights file"
    return f"choose {kind} with --weights"


def _import_weights(remedy: Remedy, options: argparse.Namespace) -> str:
    return "convert a published DMFNet checkpoint with `smalltumor import-dmfnet`"


def _choose_device(remedy: Remedy, options: argparse.Namespace) -> str:
    return "choose another device, such as --device cpu" if "device" in options else ""


def _check_dataset(remedy: Remedy, options: argparse.Namespace) -> str:
    return "pass --check to list the problems of every case" if "check" in options else ""


def _choose_run_folder(remedy: Remedy, options: argparse.Namespace) -> str:
    if "resume" not in options:
        return "choose another folder"
    return "pass --resume to continue it, or choose another folder"


def _include_unfinished(remedy: Remedy, options: argparse.Namespace) -> str:
    return "pass --unfinished to score it as it is" if "unfinished" in options else ""


def _install(extra: str) -> Text:
    return lambda remedy, options: f'install it with `pip install "napari-smalltumor[{extra}]"`'


def _convert(remedy: Remedy, options: argparse.Namespace) -> str:
    return "make a case of its folder with `smalltumor prepare FOLDER CASE`"


def _choose_case(remedy: Remedy, options: argparse.Namespace) -> str:
    if "raw" not in options:
        return "choose a file of one of them"
    return "choose a file of one of them, or pass --raw if they are sequences of one scan"


def _choose_study(remedy: Remedy, options: argparse.Namespace) -> str:
    return "choose one with --study" if "patient" in options else "choose the folder of one"


def _choose_series(remedy: Remedy, options: argparse.Namespace) -> str:
    return "choose the folder of one of them"


def _name_session(remedy: Remedy, options: argparse.Namespace) -> str:
    if "session" not in options:
        return ""
    return f"name the visit with --session {remedy.session}".rstrip()


def _allow_other_images(remedy: Remedy, options: argparse.Namespace) -> str:
    text = "name the study of the mask"
    return f"{text}, or pass --other-images" if "other_images" in options else text


def _confirm_images(remedy: Remedy, options: argparse.Namespace) -> str:
    return "pass --other-images if the mask fits these images" if "other_images" in options else ""


def _resume(remedy: Remedy, options: argparse.Namespace) -> str:
    if "resume" not in options:
        return ""
    return f"continue with --resume{_options_of(remedy)}"


def _start_again(remedy: Remedy, options: argparse.Namespace) -> str:
    if "resume" not in options:
        return ""
    settings = _options_of(remedy)
    return f"all folds must have the same settings: start again in another folder with{settings}"


def _options_of(remedy: Remedy) -> str:
    """The settings of a remedy as options, each after a space."""
    return "".join(
        f" --{name.replace('_', '-')} {value}" for name, value in remedy.settings.items()
    )


_TEXTS: Mapping[Action, Text] = MappingProxyType(
    {
        Action.CHOOSE_OUTPUT: _choose_output,
        Action.REPLACE_OUTPUT: _replace_output,
        Action.NAME_SCHEME: _name_scheme,
        Action.NAME_REGION: _name_region,
        Action.READ_AS_MASK: _read_as_mask,
        Action.NAME_MODALITIES: _name_modalities,
        Action.NAME_FILES: _name_files,
        Action.RESAMPLE: _resample,
        Action.CHOOSE_WEIGHTS: _choose_weights,
        Action.IMPORT_WEIGHTS: _import_weights,
        Action.CHOOSE_DEVICE: _choose_device,
        Action.CHECK_DATASET: _check_dataset,
        Action.CHOOSE_RUN_FOLDER: _choose_run_folder,
        Action.INCLUDE_UNFINISHED: _include_unfinished,
        Action.INSTALL_COHORT: _install("cohort"),
        Action.INSTALL_RAW: _install("raw"),
        Action.INSTALL_REPORT: _install("report"),
        Action.INSTALL_ONNX: _install("onnx"),
        Action.CONVERT: _convert,
        Action.CHOOSE_CASE: _choose_case,
        Action.CHOOSE_STUDY: _choose_study,
        Action.CHOOSE_SERIES: _choose_series,
        Action.NAME_SESSION: _name_session,
        Action.ALLOW_OTHER_IMAGES: _allow_other_images,
        Action.CONFIRM_IMAGES: _confirm_images,
        Action.RESUME: _resume,
        Action.START_AGAIN: _start_again,
    }
)
