"""Errors: the fact as text, the remedy as data."""

import ast
import pickle
from pathlib import Path

import smalltumor
from smalltumor.errors import Action, LabelError, OutputError, Remedy

LIBRARY = Path(smalltumor.__file__).parent


def texts_of_errors(path):
    """Text constants in the `raise` statements of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_no_error_of_the_library_names_a_command_line_option():
    modules = [
        path for path in LIBRARY.rglob("*.py") if "cli" not in path.relative_to(LIBRARY).parts
    ]
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
