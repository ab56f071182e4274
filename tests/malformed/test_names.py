"""Names of files and folders that are special to a shell, a terminal or a file system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from synthetic import write_case

NAMES = {
    "spaces": "my case of today",
    "quotes": 'it\'s "quoted" `here`',
    "dollar_and_semicolon": "$(touch hacked);&|<>*?[a]",
    "a_leading_dash": "-o",
    "a_newline": "first\nsecond",
    "a_tab_and_a_bell": "tab\tbell\a",
    "a_carriage_return": "smalltumor: all is well\rcase",
    "colours_of_a_terminal": "\x1b[31mred\x1b[0m",
    "umlauts": "Tümör",
    "umlauts_in_two_parts": "Tu\u0308mo\u0308r",
    "chinese": "脑肿瘤",
    "right_to_left": "ورم\u202egpj",
    "emoji": "🧠",
    "percent_and_braces": "%s %d {0} {case}",
    "dots": "case..nii.gz.nii",
    "words_of_modalities": "t1_t2_flair",
    "not_utf8": os.fsdecode(b"caf\xe9"),
    "long": "n" * 230,
}


def named_case(folder: Path, name: str) -> Path:
    """A case whose folder and files have a name."""
    written = write_case(folder / "case")
    target = folder / name
    written.rename(target)
    for path in list(target.iterdir()):
        path.rename(target / path.name.replace("case", name))
    return target


@pytest.mark.parametrize("name", NAMES)
def test_a_case_of_any_name_is_segmented(name, tmp_path, smalltumor):
    case = named_case(tmp_path, NAMES[name])
    before = {path: path.read_bytes() for path in case.iterdir()}
    mask = tmp_path / f"{NAMES[name]}.nii.gz"
    code, _, err = smalltumor("segment", case, "-o", mask, "--lesions", tmp_path / "table.csv")
    assert code == 0
    (warning,) = err.splitlines()
    assert "the scores of lesions were fitted with the weights" in warning
    assert nib.load(mask).shape == (20, 22, 18)
    assert before == {path: path.read_bytes() for path in case.iterdir()}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [case.name, mask.name, "table.csv"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_one_printable_line(name, tmp_path, smalltumor):
    case = named_case(tmp_path, NAMES[name])
    next(path for path in case.iterdir() if path.name.endswith("t1ce.nii.gz")).write_bytes(b"")
    code, out, err = smalltumor("segment", case, "-o", tmp_path / "mask.nii.gz")
    assert (code, out) == (1, "")
    (line,) = err.rstrip("\n").split("\n")
    assert line.startswith("smalltumor: ")
    assert line.isprintable()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("name", ["not_utf8", "emoji"])
def test_a_name_that_the_terminal_cannot_show_is_no_error(name, encoding, tmp_path):
    mask, table = tmp_path / f"{NAMES[name]}.nii.gz", tmp_path / f"{NAMES[name]}.csv"
    nib.save(nib.Nifti1Image(np.ones((3, 3, 3), np.uint8), np.eye(4)), mask)
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    command = [sys.executable, "-m", "smalltumor.cli", "lesions", str(mask), "-o", str(table)]
    command += ["--labels", "mask"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=300)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0
    assert table.exists()


def test_a_result_name_of_250_characters_is_written(tmp_path, smalltumor):
    case = write_case(tmp_path / "case")
    mask = tmp_path / ("n" * 243 + ".nii.gz")
    assert smalltumor("segment", case, "-o", mask)[0] == 0
    assert nib.load(mask).shape == (20, 22, 18)


def test_a_result_name_that_is_too_long_is_refused(tmp_path, smalltumor):
    case = write_case(tmp_path / "case")
    mask = tmp_path / ("n" * 300 + ".nii.gz")
    code, _, err = smalltumor("segment", case, "-o", mask)
    assert code == 1
    assert len(err.splitlines()) == 1


def test_an_invalid_path_is_refused(tmp_path, smalltumor):
    for path in ("\0", "x" * 5000, "made/\0/x"):
        code, _, err = smalltumor("segment", path, "-o", tmp_path / "mask.nii.gz")
        assert code == 1
        assert len(err.splitlines()) == 1
