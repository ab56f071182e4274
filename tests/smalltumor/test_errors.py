"""Errors: the fact as text, the remedy as data, and its words on the command line."""

import argparse
import ast
import pickle
from pathlib import Path

import pytest
import smalltumor
from smalltumor.cli import build_parser, remedies
from smalltumor.errors import Action, LabelError, OutputError, Remedy

LIBRARY = Path(smalltumor.__file__).parent
SEGMENT = build_parser().parse_args(["segment", "case", "-o", "mask.nii.gz"])
COHORT = build_parser().parse_args(["cohort", "data", "-o", "masks"])
EVALUATE = build_parser().parse_args(["evaluate", "masks", "truth"])
TRAIN = build_parser().parse_args(["train", "data", "--run", "run"])


def texts_of_errors(path):
    """Text constants in the `raise` statements of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_no_error_of_the_library_names_a_command_line_option():
    modules = [path for path in LIBRARY.rglob("*.py") if "cli" not in path.parts]
    assert len(modules) > 50
    texts = [(path.name, text) for path in modules for text in texts_of_errors(path)]
    assert [(name, text) for name, text in texts if "--" in text] == []


def test_a_prefix_keeps_type_and_remedy():
    remedy = Remedy(Action.NAME_SCHEME)
    error = LabelError("label values 1, 2 fit several schemes", remedy).prefixed("a_seg.nii.gz")
    assert isinstance(error, LabelError)
    assert str(error) == "a_seg.nii.gz: label values 1, 2 fit several schemes"
    assert error.remedy == remedy


def test_an_error_keeps_its_remedy_between_processes():
    error = pickle.loads(pickle.dumps(OutputError("a.nii exists", Remedy(Action.REPLACE_OUTPUT))))
    assert (str(error), error.remedy) == ("a.nii exists", Remedy(Action.REPLACE_OUTPUT))


@pytest.mark.parametrize("action", Action)
def test_the_command_line_has_words_for_every_remedy(action):
    everything = argparse.Namespace(**(vars(SEGMENT) | vars(EVALUATE) | vars(TRAIN)))
    remedy = Remedy(action, modalities=("t1",), settings={"batch": 1})
    assert remedies.remedy_text(remedy, everything)


@pytest.mark.parametrize(
    ("options", "remedy", "text"),
    [
        (SEGMENT, Remedy(Action.REPLACE_OUTPUT), "choose another name, or pass --overwrite"),
        (TRAIN, Remedy(Action.REPLACE_OUTPUT), "choose another name"),
        (EVALUATE, Remedy(Action.NAME_SCHEME), "name the scheme with --labels"),
        (EVALUATE, Remedy(Action.NAME_SCHEME, side="truth"), "name the scheme with --truth-labels"),
        (SEGMENT, Remedy(Action.NAME_MODALITIES, ("t1", "t2")), "name it with --t1 FILE --t2 FILE"),
        (COHORT, Remedy(Action.NAME_MODALITIES, ("t1", "t2")), ""),
        (COHORT, Remedy(Action.RESAMPLE), ""),
        (
            TRAIN,
            Remedy(Action.RESUME, settings={"crop": 96}),
            "--resume --crop 96 continues from there",
        ),
    ],
)
def test_a_remedy_names_only_options_that_the_command_has(options, remedy, text):
    assert remedies.remedy_text(remedy, options) == text


def test_the_command_line_prints_fact_and_remedy_in_one_line(tmp_path, capsys):
    from smalltumor.cli import main

    (tmp_path / "mask.nii.gz").write_bytes(b"old")
    assert main(["segment", "case", "-o", str(tmp_path / "mask.nii.gz"), "--t1", "a.nii"]) == 1
    (tmp_path / "a_t1.nii.gz").write_bytes(b"")
    assert main(["segment", str(tmp_path), "-o", str(tmp_path / "new.nii.gz")]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("smalltumor: a: no FLAIR and no T1CE and no T2 image beside a_t1.nii.gz")
    assert line.endswith("; name it with --flair FILE --t1ce FILE --t2 FILE")
