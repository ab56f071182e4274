"""Commands run without standard streams and in a folder that was removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from smalltumor.cli import main


@pytest.fixture
def labels(sample_folder: Path) -> Path:
    return sample_folder / "BraTS2021_00019_seg.nii.gz"


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr", "stdin stdout stderr"])
def test_a_command_ends_well_without_a_stream(labels, tmp_path, monkeypatch, closed):
    table = tmp_path / "lesions.csv"
    for name in closed.split():
        monkeypatch.setattr(sys, name, None)  # as Python does for `>&-`
    assert main(["lesions", str(labels), "-o", str(table)]) == 0
    assert table.read_text().startswith("id,region,voxels")
    assert main(["lesions", str(tmp_path / "nowhere.nii.gz")]) == 1


@pytest.mark.skipif(os.name == "nt", reason="no /bin/sh")
def test_streams_that_the_shell_has_closed_do_not_become_files_of_results(labels, tmp_path):
    table = tmp_path / "lesions.csv"
    command = [sys.executable, "-m", "smalltumor.cli", "lesions", str(labels), "-o", str(table)]
    done = subprocess.run(["/bin/sh", "-c", '"$@" <&- >&- 2>&-', "sh", *command], check=False)
    assert done.returncode == 0
    assert table.read_text().startswith("id,region,voxels")


@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be removed")
def test_a_current_folder_that_was_removed_is_named(sample_folder, tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["segment", str(sample_folder), "-o", "mask.nii.gz"]) == 1
    assert "the current folder no longer exists" in capsys.readouterr().err
