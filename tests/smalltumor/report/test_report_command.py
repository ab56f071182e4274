"""`smalltumor report`: files of a case and its mask, and what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from smalltumor import report
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import OutputError
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


@pytest.mark.parametrize("failing", ["write_json", "write_redcap"])
def test_files_of_another_report_are_not_mixed_with_new_ones_after_an_error(
    smalltumor, files, tmp_path, monkeypatch, failing
):
    folder, mask = files
    out = tmp_path / "out"
    out.mkdir()
    words = ("-o", out / "r.html", "--json", out / "r.json", "--csv", out / "r.csv", "--overwrite")
    assert smalltumor("report", folder, mask, "--labels", "brats2018", *words)[0] == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def fail(*_, **__):
        raise OutputError("no space left")

    monkeypatch.setattr(report, failing, fail)
    reviewer = ("--labels", "brats2018", "--reviewer", "Dr. R")
    code, _, err = smalltumor("report", folder, mask, *reviewer, *words)
    assert code == 1 and "no space left" in err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_mask_of_other_images_is_refused_or_its_row_for_redcap_has_the_warning(
    smalltumor, files, tmp_path
):
    folder, mask = files
    classes = np.asarray(nib.load(mask).dataobj)
    case = read_case(folder)
    made_of = dict.fromkeys(digests_of_images(case), "0" * 64)
    other = Segmentation(case.name, np.where(classes == 4, 3, 0).astype(np.uint8), case.grid)
    mask = tmp_path / "case_other.nii.gz"
    write_segmentation(replace(other, made_of=made_of), mask)
    command = ("report", folder, mask, "--csv", tmp_path / "r.csv")
    code, _, err = smalltumor(*command)
    assert code == 1 and "prepared again; pass --other-images if the mask fits these images" in err
    assert not (tmp_path / "r.csv").exists()
    code, _, err = smalltumor(*command, "--other-images")
    assert code == 0 and "was made of other images" in err
    with (tmp_path / "r.csv").open(newline="") as file:
        assert "was made of other images" in next(csv.DictReader(file))["warnings"]


def test_a_scheme_without_necrosis_has_no_volume_of_it(smalltumor, files, tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[6:9, 8:12, 7:9] = 2
    nib.save(nib.Nifti1Image(mask, LPS), files[1])
    path = tmp_path / "r.json"
    assert smalltumor("report", *files, "--json", path, "--labels", "hd-glio")[0] == 0
    volumes = json.loads(path.read_text())["volumes_ml"]
    assert (volumes["ncr"], volumes["tc"], volumes["wt"]) == (None, None, None)


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


def test_a_mirrored_mask_is_said_and_stands_in_the_numbers(smalltumor, sample_folder, tmp_path):
    (path,) = sample_folder.glob("*_seg.nii.gz")
    image = nib.load(path)
    mask = tmp_path / "mask_seg.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[::-1], image.affine), mask)
    arguments = (sample_folder, mask, "--labels", "brats2018", "--json", tmp_path / "r.json")
    code, _, err = smalltumor("report", *arguments)
    said = "the mask seems to be mirrored left to right"
    assert code == 0 and said in err
    assert any(said in text for text in json.loads((tmp_path / "r.json").read_text())["warnings"])
