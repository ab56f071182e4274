"""The command line says what to do about an error, with options of the command at hand."""

from __future__ import annotations

import argparse
import re
from functools import cache
from itertools import product

import pytest
from smalltumor.cli import build_parser, main
from smalltumor.cli.remedies import remedy_text
from smalltumor.errors import Action, Remedy

COMMANDS = {
    "segment": ("case", "-o", "mask.nii.gz"),
    "cohort": ("data", "-o", "masks"),
    "lesions": ("mask.nii.gz",),
    "report": ("case", "mask.nii.gz"),
    "follow-up": ("earlier", "current"),
    "evaluate": ("masks", "truth"),
    "train": ("data", "--run", "run"),
    "folds": ("run",),
    "average": ("one", "two", "-o", "out.safetensors"),
    "import-dmfnet": ("in.pth", "out.safetensors"),
    "demo": (),
    "info": (),
}
REMEDIES = [
    Remedy(action, modalities=("t1", "flair"), side=side, settings={"crop": 96, "batch_size": 1})
    for action, side in product(Action, (None, "predictions", "truth"))
]


@cache
def options_of(command: str) -> argparse.Namespace:
    return build_parser().parse_args([command, *COMMANDS[command]])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_remedy_names_only_options_that_the_command_has(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    existing = set(re.findall(r"--[a-z][a-z0-9-]*", capsys.readouterr().out))
    for remedy in REMEDIES:
        text = remedy_text(remedy, options_of(command))
        assert set(re.findall(r"--[a-z][a-z0-9-]*", text)) <= existing, remedy


@pytest.mark.parametrize("action", Action)
def test_some_command_has_a_text_for_every_remedy(action):
    remedy = Remedy(action, modalities=("t1",), settings={"batch_size": 1})
    assert any(remedy_text(remedy, options_of(command)) for command in COMMANDS)


@pytest.mark.parametrize(
    ("command", "remedy", "text"),
    [
        ("segment", Remedy(Action.CHOOSE_OUTPUT), "choose another output"),
        (
            *("segment", Remedy(Action.CHOOSE_CASE)),
            "choose a file of one of them, or pass --raw if they are sequences of one scan",
        ),
        ("lesions", Remedy(Action.CHOOSE_CASE), "choose a file of one of them"),
        ("segment", Remedy(Action.REPLACE_OUTPUT), "choose another output, or pass --overwrite"),
        ("train", Remedy(Action.REPLACE_OUTPUT), "choose another output"),
        (
            *("lesions", Remedy(Action.NAME_SCHEME)),
            "name the scheme with --labels, or pass --labels mask for the mask of a region",
        ),
        ("evaluate", Remedy(Action.NAME_SCHEME), "name the scheme with --labels"),
        (
            *("evaluate", Remedy(Action.NAME_SCHEME, side="truth")),
            "name the scheme with --truth-labels",
        ),
        (
            *("cohort", Remedy(Action.NAME_SCHEME)),
            "store the labels in the scheme that goes with the names of the files",
        ),
        (
            *("segment", Remedy(Action.NAME_MODALITIES, ("t1", "t2"))),
            "name the missing files with --t1 FILE --t2 FILE, or pass --allow-missing to segment "
            "without them",
        ),
        (
            *("segment", Remedy(Action.NAME_MODALITIES, ("t1", "t1ce"))),
            "name the missing files with --t1 FILE --t1ce FILE",
        ),
        (
            *("cohort", Remedy(Action.NAME_MODALITIES, ("t1", "t2"))),
            "pass --allow-missing to segment without them",
        ),
        ("train", Remedy(Action.NAME_MODALITIES, ("t1", "t2")), ""),
        (
            *("segment", Remedy(Action.RESAMPLE)),
            "if the images come from the scanner, make a case of them with `smalltumor prepare "
            "FOLDER "
            "CASE`, or pass --raw; --resample is for images that are skull-stripped and registered "
            "already",
        ),
        (
            *("cohort", Remedy(Action.RESAMPLE)),
            "if the images come from the scanner, make a case of them with `smalltumor prepare "
            "FOLDER "
            "CASE`",
        ),
        ("info", Remedy(Action.CHOOSE_WEIGHTS), "choose a weights file with --weights"),
        (
            *("segment", Remedy(Action.CHOOSE_WEIGHTS, ("flair",))),
            "choose weights trained with modality dropout with --weights",
        ),
        ("lesions", Remedy(Action.CHOOSE_DEVICE), ""),
        ("train", Remedy(Action.CHOOSE_DEVICE), "choose another device, such as --device cpu"),
        (
            *("train", Remedy(Action.CHECK_DATASET)),
            "pass --check to list the problems of every case",
        ),
        (
            *("train", Remedy(Action.CHOOSE_RUN_FOLDER)),
            "pass --resume to continue it, or choose another folder",
        ),
        (
            *("train", Remedy(Action.RESUME, settings={"crop": 96, "batch_size": 1})),
            "continue with --resume --crop 96 --batch-size 1",
        ),
        (
            *("train", Remedy(Action.START_AGAIN, settings={"batch_size": 1})),
            "all folds must have the same settings: start again in another folder with "
            "--batch-size 1",
        ),
    ],
)
def test_a_remedy_is_worded_for_the_command_at_hand(command, remedy, text):
    assert remedy_text(remedy, options_of(command)) == text


def test_fact_and_remedy_are_printed_in_one_line(tmp_path, capsys):
    (tmp_path / "a_t1.nii.gz").write_bytes(b"")
    assert main(["segment", str(tmp_path), "-o", str(tmp_path / "new.nii.gz")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("smalltumor: a: no FLAIR, T1CE or T2 image beside a_t1.nii.gz")
    assert line.endswith("; name the missing files with --flair FILE --t1ce FILE --t2 FILE")
