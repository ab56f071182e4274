"""A value that makes no sense ends a command in one sentence, without a traceback."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.cli import build_parser, main
from smalltumor.evaluation.summaries.case_rows import case_row, write_rows
from synthetic import LPS, SHAPE, write_case

VALID = {
    "segment": ("segment", "case", "-o", "new.nii.gz", "--device", "cpu", "--backend", "torch"),
    "cohort": ("cohort", "cases", "-o", "new", "--device", "cpu", "--backend", "torch"),
    "lesions": ("lesions", "labels.nii.gz"),
    "report": ("report", "case", "labels.nii.gz", "-o", "new.html"),
    "evaluate": ("evaluate", "labels.nii.gz", "labels.nii.gz"),
    "folds": ("folds", "table.csv"),
    "average": ("average", "text", "text", "-o", "new.safetensors"),
    "import-dmfnet": ("import-dmfnet", "text", "new.safetensors"),
    "info": ("info",),
    "train": ("train", "cases", "--check"),
    "pack": ("pack", "cases", "new"),
    "demo": ("demo", "--screenshot"),
}

ONE = np.ones(SHAPE, np.uint8)

NO_FOLDER = ("", "text", "nowhere", "text/inside", "a" * 300, "loop")
NO_FILE = ("", "text", "empty", "nowhere", "text/inside", "a" * 300, "loop")
NO_NEW_FILE = ("", "empty", "nowhere/new", "text/new", "a" * 300, "locked/new")
NO_NEW_FOLDER = ("", "text", "text/new", "a" * 300, "locked/new")
NO_CHOICE = ("", "0", "-1", "nan", "text")

TABLE = [
    ("segment", "case", NO_FILE),
    *(("segment", f"--{modality}", NO_FILE) for modality in ("t1", "t1ce", "t2", "flair")),
    ("segment", "--output", (*NO_NEW_FILE, "new", "new.csv", "text")),
    ("segment", "--lesions", (*NO_NEW_FILE, "labels.nii.gz", "other.nii.gz", "new.nii.gz")),
    ("segment", "--probabilities", (*NO_NEW_FILE, "new.csv", "new.nii.gz", "empty/../new.nii.gz")),
    *((command, "--weights", NO_FILE) for command in ("segment", "cohort", "info")),
    *((command, "--device", NO_CHOICE) for command in ("segment", "cohort")),
    *((command, "--backend", NO_CHOICE) for command in ("segment", "cohort")),
    *((command, "--labels", NO_CHOICE) for command in ("segment", "cohort", "lesions", "evaluate")),
    ("cohort", "cases", (*NO_FOLDER, "empty")),
    ("cohort", "--output", (*NO_NEW_FOLDER, "cases", "cases/new", "folder")),
    ("lesions", "labels.nii.gz", NO_FILE),
    ("lesions", "--region", NO_CHOICE),
    ("lesions", "--threshold", ("", "0", "-1", "nan", "inf", "1.5", "text")),
    ("lesions", "--sort", NO_CHOICE),
    ("lesions", "--output", (*NO_NEW_FILE, "labels.nii.gz", "other.nii.gz")),
    ("report", "case", NO_FILE),
    ("report", "labels.nii.gz", NO_FILE),
    ("report", "--labels", NO_CHOICE),
    ("report", "--output", (*NO_NEW_FILE, "labels.nii.gz", "new.pdf/new", "text")),
    ("report", "--json", (*NO_NEW_FILE, "labels.nii.gz", "other.nii.gz", "new.html")),
    ("evaluate", "PREDICTIONS", NO_FILE),
    ("evaluate", "TRUTH", NO_FILE),
    ("evaluate", "--truth-labels", NO_CHOICE),
    ("evaluate", "--output", NO_NEW_FOLDER),
    ("folds", "table.csv", (*NO_FILE, "labels.nii.gz", "folder")),
    ("folds", "--baseline", (*NO_FILE, "folder", "text.safetensors")),
    ("folds", "--output", NO_NEW_FOLDER),
    ("folds", "--device", NO_CHOICE),
    ("average", "text", NO_FILE),
    ("average", "--output", NO_NEW_FILE),
    ("import-dmfnet", "text", NO_FILE),
    ("import-dmfnet", "new.safetensors", NO_NEW_FILE),
    ("demo", "--output", NO_NEW_FOLDER),
    ("pack", "cases", NO_FOLDER),
    ("pack", "new", NO_NEW_FOLDER),
    ("pack", "--weights", NO_FILE),
    ("train", "cases", NO_FOLDER),
    *(("train", option, ("",)) for option in ("--run", "--validation", "--weights", "--patients")),
    ("train", "--minutes", ("", "0", "-1", "nan", "inf", "text")),
    ("train", "--folds", ("", "0", "-1", "1.5", "text")),
]


def command_parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command that `smalltumor --help` lists."""
    (commands,) = (a for a in build_parser()._actions if isinstance(a.choices, dict))
    parsers = {listed.dest: commands.choices[listed.dest] for listed in commands._choices_actions}
    assert parsers
    return parsers


def arguments_with(command: str, what: str, value: str) -> list[str]:
    """A valid command line in which one argument, or the value of an option, is replaced."""
    words = [*VALID[command]]
    if what in ("PREDICTIONS", "TRUTH"):
        words[1 if what == "PREDICTIONS" else 2] = value
    elif what in words:
        at = words.index(what)
        words[at + 1 if what.startswith("-") else at] = value
    elif what == "--output" and "-o" in words:
        words[words.index("-o") + 1] = value
    else:
        words += [what, value]
    return words


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A folder with a case, its labels, and files that are of no use; no test changes it."""
    folder = tmp_path_factory.mktemp("options")
    write_case(folder / "case")
    write_case(folder / "cases" / "one")
    labels = nib.Nifti1Image((np.indices(SHAPE)[0] > 9).astype(np.uint8) * 4, LPS)
    nib.save(labels, folder / "labels.nii.gz")
    (folder / "other.nii.gz").write_bytes((folder / "labels.nii.gz").read_bytes())
    (folder / "text").write_text("some text\n")
    (folder / "empty").mkdir()
    (folder / "folder").mkdir()
    (folder / "folder" / "text").write_text("some text\n")
    (folder / "locked").mkdir(mode=0o500)
    (folder / "loop").symlink_to("loop")
    write_rows([case_row("one", "", ONE, ONE)], folder / "table.csv")
    return folder


@pytest.fixture
def folder(written, monkeypatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(written)
    return written


def contents(folder: Path) -> dict[str, bytes | None]:
    """What is in a folder: files with their bytes, folders and links without."""
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.mark.parametrize(
    ("command", "what", "value"),
    [(command, what, value) for command, what, values in TABLE for value in values],
)
def test_a_senseless_value_is_refused_in_one_sentence(folder, capsys, command, what, value):
    if "locked" in value and (os.name == "nt" or os.geteuid() == 0):
        pytest.skip("this user may write everywhere")
    before = contents(folder)
    try:
        code = main(arguments_with(command, what, value))
    except SystemExit as usage_error:
        code = usage_error.code
    printed = capsys.readouterr()
    assert code in (1, 2)
    complaint = printed.err.splitlines()
    assert len(complaint) == 1 or complaint[0].startswith("usage: "), printed.err
    assert complaint[-1].startswith("smalltumor"), printed.err
    assert "Errno" not in printed.err and "<" not in complaint[-1], printed.err
    assert contents(folder) == before


def test_an_error_of_the_operating_system_is_one_line_that_names_the_file(monkeypatch, capsys):
    def broken(path):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("smalltumor.data.masks.label_files.read_label_volume", broken)
    assert main(["lesions", "labels.nii.gz"]) == 1
    assert capsys.readouterr().err == "smalltumor: labels.nii.gz: Input/output error\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_output_that_cannot_be_printed_is_an_error_in_one_line(sample_folder):
    labels = sample_folder / "BraTS2021_00019_seg.nii.gz"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smalltumor.cli", "lesions", str(labels)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "smalltumor: No space left on device\n"


OPTIONS_WITH_VALUE = [
    (command, option.option_strings[-1], str(next(iter(option.choices or ["1"]))))
    for command, parser in command_parsers().items()
    for option in parser._actions
    if option.option_strings and option.nargs != 0
]


@pytest.mark.parametrize(("command", "name", "value"), OPTIONS_WITH_VALUE)
def test_an_option_with_a_value_that_is_given_twice_is_refused(capsys, command, name, value):
    value = {"--authors": "Ngo", "--part": "1/2"}.get(name, value)
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args([command, name, value, name, value])
    assert "given twice" in capsys.readouterr().err


def test_every_argument_of_a_listed_command_is_explained():
    unexplained = [
        (command, argument.option_strings or argument.dest)
        for command, parser in command_parsers().items()
        for argument in parser._actions
        if not argument.help
    ]
    assert not unexplained
