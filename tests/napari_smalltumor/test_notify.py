"""Errors of the library in the words of the window."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import smalltumor
from smalltumor.errors import Action, CaseError, CheckpointError, OutputError, Remedy

from napari_smalltumor import notify


@pytest.mark.parametrize("action", Action)
def test_every_remedy_is_put_into_words_without_a_command_line_option(action):
    text = notify.error_text(OutputError("case.nii.gz: wrong", Remedy(action)))
    assert text.startswith("case.nii.gz: wrong; ")
    assert len(text) > len("case.nii.gz: wrong; ")
    assert re.search(r"(^|\s)--\w|smalltumor ", text) is None


def test_an_error_without_a_remedy_is_its_message():
    assert notify.error_text(CheckpointError("a.safetensors: damaged")) == "a.safetensors: damaged"


def test_missing_modalities_are_named_by_their_titles():
    remedy = Remedy(Action.NAME_MODALITIES, modalities=("t1ce", "flair"))
    text = notify.error_text(CaseError("case: no image of T1CE and FLAIR", remedy))
    assert text.endswith("open the images, too, and choose T1CE and FLAIR in the Segment dock")


def test_weights_that_can_miss_a_modality_are_named():
    remedy = Remedy(Action.CHOOSE_WEIGHTS, modalities=("flair",))
    text = notify.error_text(CaseError("case has no FLAIR", remedy))
    assert text.endswith("choose weights trained with modality dropout under Weights")


def test_a_reported_error_is_one_line_and_a_bug_keeps_its_traceback(monkeypatch):
    shown = []
    monkeypatch.setattr(notify, "error", shown.append)
    monkeypatch.setattr(notify, "unexpected", shown.append)
    bug = ZeroDivisionError("division by zero")
    notify.report_error(CheckpointError("damaged", Remedy(Action.CHOOSE_WEIGHTS)))
    notify.report_error(bug)
    assert shown == ["damaged; choose another file under Weights", bug]


def first_texts(node: ast.AST, variables: Mapping[str, Sequence[ast.AST]]) -> Iterator[str]:
    """The texts that an expression begins with, as far as they are written in its function."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=[first, *_]) | ast.BinOp(left=first):
            yield from first_texts(first, variables)
        case ast.FormattedValue(value=value):
            yield from first_texts(value, variables)
        case ast.IfExp(body=body, orelse=other):
            yield from first_texts(body, variables)
            yield from first_texts(other, variables)
        case ast.BoolOp(values=values):
            for value in values:
                yield from first_texts(value, variables)
        case ast.Name(id=name):
            others = {key: nodes for key, nodes in variables.items() if key != name}
            for value in variables.get(name, ()):
                yield from first_texts(value, others)


def variables_of(function: ast.AST) -> dict[str, list[ast.AST]]:
    """What is assigned to each variable of a function."""
    found: dict[str, list[ast.AST]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                for target, value in zip(names, values, strict=False):
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, []).append(value)
    return found


def is_error(node: ast.AST) -> bool:
    """Whether an error with a text is made here."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    return getattr(node.func, "attr", getattr(node.func, "id", "")).endswith("Error")


def errors_in(package: Path) -> Iterator[str]:
    """First texts of the errors that a package raises or returns."""
    for path in package.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for function in ast.walk(ast.parse(source)) if "Error(" in source else ():
            if isinstance(function, ast.FunctionDef):
                texts = [node.args[0] for node in ast.walk(function) if is_error(node)]
                variables = variables_of(function) if texts else {}
                for text in texts:
                    yield from first_texts(text, variables)


def test_every_error_is_shown_with_a_capital_first_letter():
    packages = (smalltumor.__file__, notify.__file__)
    texts = {text for each in packages for text in errors_in(Path(each).parent)}
    shown = {notify.error_text(CaseError(text)) for text in texts}
    lower = {text for text in shown if text[:1].islower() and text.split()[0].isalpha()}
    assert {"By its name, ", "Another run is writing to "} <= shown
    assert lower == set()


@pytest.mark.parametrize("text", ["case_7 has no T1CE", "anna: no T1CE", "/tmp/a.nii: damaged", ""])
def test_the_name_of_a_case_or_file_is_shown_as_it_is(text):
    assert notify.sentence(text) == text


@pytest.mark.parametrize("kind", ["info", "warn", "error"])
def test_every_message_begins_with_a_capital_letter(monkeypatch, kind):
    from napari.utils import notifications

    shown = []
    name = {"info": "info", "warn": "warning", "error": "error"}[kind]
    monkeypatch.setattr(notifications, f"show_{name}", shown.append)
    getattr(notify, kind)("no patient is open.")
    assert shown == ["No patient is open."]
