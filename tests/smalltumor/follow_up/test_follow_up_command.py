"""`smalltumor follow-up`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copyfile

import nibabel as nib
import numpy as np
import pytest
from report_cases import AFFINE, Page, ball, brain_case, tumour
from smalltumor.data.identity.image_digests import digests_of_images
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation, write_segmentation
from smalltumor.errors import OutputError
from smalltumor.follow_up import ScanRegistration, compare
from smalltumor.report import follow_up_files
from training_cases import disagree_about_sides

_MASKS = [f"{name}/{name}_seg.nii.gz" for name in ("P_visit1", "P_visit2")]


@pytest.fixture
def write_scan(tmp_path):
    """Writes a case with its mask to a folder of its name."""

    def write(name: str, classes: np.ndarray, t1ce: str = "t1ce", flair: str = "flair") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        volumes = brain_case().volumes
        for word, modality in ((t1ce, "t1ce"), (flair, "flair")):
            nib.save(nib.Nifti1Image(volumes[modality], AFFINE), folder / f"{name}_{word}.nii.gz")
        stored = np.where(classes == 3, 3 if t1ce == "t1c" else 4, classes).astype(np.uint8)
        nib.save(nib.Nifti1Image(stored, AFFINE), folder / f"{name}_seg.nii.gz")
        return folder

    return write


@pytest.fixture
def cases(tmp_path, monkeypatch, write_scan) -> list[Path]:
    """Two cases with masks; the registration finds that the head has not moved."""
    later = ball(tumour(), (40, 20, 25), 1.5)
    unmoved = ScanRegistration(np.eye(4), 0.8, 0.98)
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: unmoved)
    monkeypatch.chdir(tmp_path)
    return [write_scan("P_visit1", tumour()), write_scan("P_visit2", later)]


def test_it_prints_new_lesions_first_and_writes_what_is_asked_for(smalltumor, cases, tmp_path):
    names = [tmp_path / name for name in ("f.html", "f.json", "f.csv")]
    code, out, err = smalltumor(
        *("follow-up", *cases, "-o", names[0], "--json", names[1], "--csv", names[2]),
        *("--scan-dates", "2026-01-01", "2026-03-01", "--labels", "brats2018"),
    )
    assert code == 0, err
    assert out.startswith("1 new enhancing lesion: ")
    assert "RANO, from measurements only: stable disease" in out
    assert "has not been checked against their texts" in out
    assert "research only" in out and out.count("wrote") == 3
    content = json.loads(names[1].read_text())
    assert [each["change"] for each in content["changes"]] == ["new", "same", "same"]
    assert content["scans"][0]["patient"] == "P"
    assert "Follow-up of P" in names[0].read_text(encoding="utf-8")


def test_files_of_another_follow_up_are_not_mixed_with_new_ones_after_an_error(
    smalltumor, cases, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    out.mkdir()
    words = ("-o", out / "f.html", "--json", out / "f.json", "--csv", out / "f.csv", "--overwrite")
    words += ("--labels", "brats2018")
    assert smalltumor("follow-up", *cases, *words)[0] == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def fail(*_, **__):
        raise OutputError("no space left")

    monkeypatch.setattr(follow_up_files, "write_changes", fail)
    code, _, err = smalltumor("follow-up", *reversed(cases), *words)
    assert code == 1 and "no space left" in err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_header_that_contradicts_itself_is_said(smalltumor, cases):
    disagree_about_sides(cases[0] / "P_visit1_flair.nii.gz")
    code, _, err = smalltumor("follow-up", *cases, "--labels", "brats2018")
    assert code == 0
    assert "warning: P_visit1: " in err and "disagree about left and right" in err


def test_masks_can_be_named(smalltumor, cases, tmp_path):
    mask = tmp_path / "corrected.nii.gz"
    copyfile(cases[1] / "P_visit2_seg.nii.gz", mask)
    code, out, err = smalltumor("follow-up", *cases, "--masks", mask, mask, "--labels", "brats2018")
    assert code == 0, err
    assert out.startswith("No new enhancing lesion")


def test_a_named_mask_is_not_read_with_the_label_scheme_of_the_images(
    smalltumor, cases, tmp_path, write_scan
):
    """Names of BraTS 2023 go with 4 for a cavity, the values of the mask with 4 for ET."""
    folders = [write_scan(f"BraTS-GLI-00001-{n}", tumour(), "t1c", "t2f") for n in ("000", "001")]
    own, named = folders[0] / "BraTS-GLI-00001-000_seg.nii.gz", tmp_path / "current.nii.gz"
    copyfile(cases[1] / "P_visit2_seg.nii.gz", named)
    code, out, err = smalltumor("follow-up", *folders, "--masks", own, named)
    assert code == 1 and "complete response" not in out
    assert "current.nii.gz: label values 1, 2, 4 fit" in err and "--labels" in err


def test_exported_masks_go_before_an_expert_s_and_are_named(smalltumor, cases, tmp_path):
    exported = cases[0] / "P_visit1_smalltumor.nii.gz"
    copyfile(cases[1] / "P_visit2_seg.nii.gz", exported)
    page = tmp_path / "f.html"
    code, out, err = smalltumor("follow-up", *cases, "--labels", "brats2018", "-o", page)
    assert code == 0, err
    assert out.startswith("No new enhancing lesion")
    text = Page(page.read_text(encoding="utf-8")).text
    assert f"{exported.name}, label scheme brats2018" in text


def test_a_mask_that_was_made_of_other_images_is_refused_or_a_warning(smalltumor, cases, tmp_path):
    case = read_case(cases[0], allow_missing=True)
    classes, _ = read_labels(case)
    case.volumes = {m: 2 * volume for m, volume in case.volumes.items()}
    mask = Segmentation(case.name, classes, case.grid, made_of=digests_of_images(case))
    write_segmentation(mask, cases[0] / "P_visit1_smalltumor.nii.gz")
    content = tmp_path / "f.json"
    command = ("follow-up", *cases, "--json", content, "--labels", "brats2018")
    code, _, err = smalltumor(*command)
    warning = "P_visit1_smalltumor.nii.gz was made of other images than those of P_visit1"
    assert code == 1 and warning in err and "pass --other-images" in err
    code, _, err = smalltumor(*command, "--other-images")
    assert code == 0, err
    assert err.count(warning) == 1 and f"warning: P_visit1: {warning}" in err
    assert warning in content.read_text()


def test_names_of_several_patients_are_a_warning(smalltumor, cases, write_scan, tmp_path):
    other = write_scan("Bob", tumour())
    content = tmp_path / "f.json"
    code, _, err = smalltumor(
        "follow-up", cases[0], other, "--json", content, "--labels", "brats2018", "--model", "net"
    )
    assert code == 0
    warning = "the names of the cases belong to several patients: P and Bob"
    assert f"warning: {warning}" in err
    written = json.loads(content.read_text())
    assert written["warnings"][0] == warning
    assert [scan["patient"] for scan in written["scans"]] == ["P", "Bob"]
    assert all(scan["warnings"] for scan in written["scans"])  # T1 and T2 are missing


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("P_visit1",), "needs two cases or more"),
        (("P_visit1", "P_visit2", "--scan-dates", "2026"), "--scan-dates has 1 values for 2"),
        (("P_visit1", "P_visit2", "--masks", "a.nii.gz"), "--masks has 1 values for 2 cases"),
        (("P_visit1", "P_visit2", "-o", "f.txt"), "ends in .html or .pdf"),
        (("P_visit1", "P_visit2", "--json", "P_visit1/P_visit1_seg.nii.gz"), "name of an image"),
        (("P_visit1", "nowhere"), "nowhere"),
        (("P_visit1", "P_visit2", "--masks", *_MASKS[::-1]), "is a mask of P_visit2"),
        (
            ("P_visit1", "P_visit2", "--scan-dates", "2026-04-12", "2026-01-10"),
            "scan 2 is dated 2026-01-10, before scan 1 (2026-04-12)",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_line(smalltumor, cases, arguments, message):
    code, _, err = smalltumor("follow-up", *arguments)
    lines = [line for line in err.splitlines() if line.startswith("smalltumor: ")]
    assert code == 1 and len(lines) == 1
    assert message in lines[0]
