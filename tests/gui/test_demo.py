"""The demo writes screenshots, mask and lesion table; expert labels replace the network here."""

import csv
import os
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import smalltumor.inference
from PIL import Image
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.segmentation import Segmentation

from napari_smalltumor import demo


@pytest.mark.slow
def test_the_demo_shows_the_sample_case_and_writes_its_files(
    make_napari_viewer, tmp_path, monkeypatch, sample_folder
):
    def expert_labels(case, checkpoint=None, **options):
        return Segmentation(case.name, read_labels(case)[0], case.grid, case.header)

    monkeypatch.setattr(smalltumor.inference, "segment", expert_labels)
    monkeypatch.setattr(demo, "SIZE", (1000, 640))  # rendering without a GPU is slow
    monkeypatch.setattr(demo, "_REDRAW_MS", 500)
    viewer, segment_dock, lesions_dock = demo.open_demo(make_napari_viewer(show=True))
    demo._wait_until_listed(segment_dock, lesions_dock)
    written = demo.write_files(viewer, segment_dock, lesions_dock, tmp_path / "out")
    assert [path.name for path in written] == [
        "demo_2d.png",
        "demo_3d.png",
        "BraTS2021_00019_smalltumor.nii.gz",
        "lesions.csv",
    ]
    for picture in written[:2]:
        shown = np.asarray(Image.open(picture).convert("RGB"))
        assert shown.shape[0] >= 600
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 200
    truth = nib.load(sample_folder / "BraTS2021_00019_seg.nii.gz")
    assert np.array_equal(nib.load(written[2]).dataobj, truth.dataobj)
    with written[3].open() as table:
        rows = list(csv.DictReader(table))
    assert [row["small"] for row in rows] == ["true", "false"]
    assert viewer.dims.ndisplay == 2


ENDS_AFTER_A_PROGRESS_BAR = """
import multiprocessing, sys
from pathlib import Path
from types import SimpleNamespace

multiprocessing.set_start_method("spawn")  # Python 3.11 forks, and then warns of nothing

from napari.utils import cancelable_progress
from napari_smalltumor import demo

demo.open_demo = lambda: (SimpleNamespace(close=lambda: None), None, None)
demo._wait_until_listed = lambda *docks: list(cancelable_progress(range(2), file=sys.stdout))
demo.write_files = lambda *options: []
demo._end_without_cleanup(demo.main(Path(), screenshot=True))
"""


@pytest.mark.slow
def test_the_demo_ends_without_a_warning_of_a_semaphore():
    ended = subprocess.run(
        [sys.executable, "-c", ENDS_AFTER_A_PROGRESS_BAR],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    assert "semaphore" not in ended.stderr


def test_without_display_and_xvfb_the_message_names_the_package_to_install(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(demo, "_has_display", lambda: False)
    monkeypatch.setattr(demo.shutil, "which", lambda name: None)
    assert demo.main(tmp_path, screenshot=True) == 1
    assert "apt-get install xvfb" in capsys.readouterr().err


def test_a_missing_library_of_the_system_is_named_in_one_line(tmp_path):
    missing = "libglib-2.0.so.0: cannot open shared object file: No such file or directory"
    for binding in ("PyQt5", "PyQt6", "PySide6"):
        (tmp_path / binding).mkdir()
        (tmp_path / binding / "__init__.py").write_text(f"raise ImportError({missing!r})")
    found = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(
        [sys.executable, "-m", "napari_smalltumor.demo", "--output", str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": found, "DISPLAY": os.environ.get("DISPLAY", ":0")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"smalltumor demo: Qt cannot be loaded: {missing}; "
        "docs/installation.md lists the libraries of the system\n"
    )
