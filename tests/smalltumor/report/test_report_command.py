"""`smalltumor report`: files of a case and its mask, and what is refused."""

from __future__ import annotations

import csv
import json

import nibabel as nib
import numpy as np
import pytest
from synthetic import LPS, SHAPE, write_case


@pytest.fixture
def files(tmp_path):
    folder = write_case(tmp_path / "case")
    mask = np.zeros(SHAPE, np.uint8)
    mask[6:9, 8:12, 7:9] = 4
    nib.save(nib.Nifti1Image(mask, LPS), tmp_path / "mask.nii.gz")
    return folder, tmp_path / "mask.nii.gz"


def test_it_writes_a_page_and_the_numbers(smalltumor, files, tmp_path):
    outputs = [tmp_path / name for name in ("r.html", "r.json", "r.csv")]
    code, out, err = smalltumor(
        *("report", *files, "-o", outputs[0], "--json", outputs[1], "--csv", outputs[2]),
        *("--reviewer", "Dr. <R>", "--labels", "brats2018"),
    )
    assert (code, out.count("wrote")) == (0, 3), err
    assert "Dr. &lt;R&gt;" in outputs[0].read_text(encoding="utf-8")
    content = json.loads(outputs[1].read_text())
    assert content["volumes_ml"]["et"] == pytest.approx(24 / 1000)
    with outputs[2].open(newline="") as file:
        assert next(csv.DictReader(file))["reviewer"] == "Dr. <R>"


def test_a_scheme_without_necrosis_has_no_volume_of_it(smalltumor, files, tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[6:9, 8:12, 7:9] = 2
    nib.save(nib.Nifti1Image(mask, LPS), files[1])
    path = tmp_path / "r.json"
    assert smalltumor("report", *files, "--json", path, "--labels", "hd-glio")[0] == 0
    volumes = json.loads(path.read_text())["volumes_ml"]
    assert (volumes["ncr"], volumes["tc"]) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no output is named"),
        (("-o", "new.docx"), "ends in .html or .pdf"),
        (("--json", "mask.nii.gz"), "is the name of an image"),
        (("-o", "new.html", "--json", "new.html"), "named for two results"),
        (("--csv", "there.csv"), "exists; choose another output, or pass --overwrite"),
    ],
)
def test_what_cannot_be_written_is_refused_first(
    smalltumor, files, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("x")
    code, _, err = smalltumor("report", *files, *arguments)
    assert (code, err.count("\n")) == (1, 1)
    assert message in err


def test_a_mask_of_another_grid_is_refused(smalltumor, files, tmp_path):
    nib.save(nib.Nifti1Image(np.ones((5, 5, 5), np.uint8), 3 * LPS), files[1])
    code, _, err = smalltumor("report", *files, "--json", tmp_path / "r.json")
    assert code == 1
    assert "is on another grid than" in err or "outside" in err
