"""Names of patients are readable in files and messages, whatever the locale is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from smalltumor.data.volumes.nifti import write_volume
from synthetic import grid_along

NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LABELS = ("--labels", "brats2018", "--truth-labels", "brats2018")
GRID = grid_along("LPS", (9, 9, 9))


def run(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "smalltumor.cli", *map(str, words)]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "Müller").mkdir()
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:5, 2:5, 2:5] = 4
    write_volume(tmp_path / "Müller" / "Jörg_seg.nii.gz", labels, GRID)
    return tmp_path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="names of files are never ASCII there")
def test_names_are_readable_where_python_takes_them_as_ascii(folder):
    mask = "Müller/Jörg_seg.nii.gz"
    done = run(folder, "evaluate", "Müller", mask, *LABELS, "-o", "Übersicht", **NO_UTF8)
    assert done.returncode == 0, done.stderr
    assert "wrote Übersicht/report.txt" in done.stdout.decode()
    assert "Jörg" in (folder / "Übersicht" / "cases.csv").read_text(encoding="utf-8")
    absent = run(folder, "lesions", "Müller/fehlt.nii.gz", **NO_UTF8)
    assert (absent.returncode, absent.stdout) == (1, b"")
    assert absent.stderr.decode().startswith("smalltumor: Müller/fehlt.nii.gz ")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-16"])
def test_every_result_is_printed_to_a_console_of_few_characters(folder, encoding):
    done = run(folder, "lesions", "Müller/Jörg_seg.nii.gz", *LABELS[:2], PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert "mm" in done.stdout.decode(encoding) and not done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are never ASCII there")
def test_a_process_that_is_told_to_stay_out_of_utf8_mode_starts_again_only_once(tmp_path):
    command = [sys.executable, "-X", "utf8=0", "-m", "smalltumor.cli", "--help"]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **NO_UTF8}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
