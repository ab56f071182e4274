"""Messages on stderr are one line each, and hold no control codes of a terminal."""

from __future__ import annotations

import os

import numpy as np
import pytest
from smalltumor.cli import main
from smalltumor.cli.progress import ProgressBar
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.geometry.grid import Grid

NAME = "a\nb\x1b[31m"
SHOWN = r"a b\x1b[31m"


@pytest.mark.skipif(os.name == "nt", reason="no such file names")
def test_a_warning_about_a_file_is_one_line_whatever_its_name(tmp_path, capsys):
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[2:5, 3:6, 4:7] = 2
    path = tmp_path / f"{NAME}.nii.gz"
    write_volume(path, mask, Grid(mask.shape, np.eye(4)), label_scheme="brats2018")
    assert main(["lesions", str(path), "--labels", "hd-glio"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"smalltumor: warning: the header of {SHOWN}.nii.gz names brats2018")


def test_a_warning_during_progress_is_one_line_whatever_it_names(capsys):
    with ProgressBar() as bar:
        bar.warn(f"{NAME}: look here")
    assert capsys.readouterr().err == f"smalltumor: warning: {SHOWN}: look here\n"
