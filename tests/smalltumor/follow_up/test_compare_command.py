"""`smalltumor compare`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from report_cases import AFFINE, ball, brain_case, tumour
from smalltumor.follow_up import ScanRegistration, compare


@pytest.fixture
def cases(tmp_path, monkeypatch) -> list[Path]:
    """Two cases with masks; the registration finds that the head has not moved."""
    later = ball(tumour(), (40, 20, 25), 1.5)
    for name, classes in (("P_visit1", tumour()), ("P_visit2", later)):
        folder = tmp_path / name
        folder.mkdir()
        for modality, volume in brain_case().volumes.items():
            nib.save(nib.Nifti1Image(volume, AFFINE), folder / f"{name}_{modality}.nii.gz")
        stored = np.where(classes == 3, 4, classes).astype(np.uint8)
        nib.save(nib.Nifti1Image(stored, AFFINE), folder / f"{name}_seg.nii.gz")
    unmoved = ScanRegistration(np.eye(4), 0.8, 0.98)
    monkeypatch.setattr(compare, "register_scans", lambda *arguments: unmoved)
    monkeypatch.chdir(tmp_path)
    return [tmp_path / "P_visit1", tmp_path / "P_visit2"]


def test_it_prints_new_lesions_first_and_writes_what_is_asked_for(smalltumor, cases, tmp_path):
    names = [tmp_path / name for name in ("f.html", "f.json", "f.csv")]
    code, out, err = smalltumor(
        *("compare", *cases, "-o", names[0], "--json", names[1], "--csv", names[2]),
        *("--scan-dates", "2026-01-01", "2026-03-01", "--labels", "brats2018"),
    )
    assert code == 0, err
    assert out.startswith("1 new enhancing lesion: ")
    assert "RANO 2.0 from the measures alone: stable disease" in out
    assert "research only" in out and out.count("wrote") == 3
    content = json.loads(names[1].read_text())
    assert [each["change"] for each in content["changes"]] == ["new", "same", "same"]
    assert content["scans"][0]["patient"] == "P"
    assert "Follow-up of P" in names[0].read_text(encoding="utf-8")


def test_masks_can_be_named(smalltumor, cases):
    masks = [cases[1] / "P_visit2_seg.nii.gz"] * 2
    code, out, _ = smalltumor("compare", *cases, "--masks", *masks, "--labels", "brats2018")
    assert code == 0
    assert out.startswith("No new enhancing lesion")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("P_visit1",), "needs two cases or more"),
        (("P_visit1", "P_visit2", "--scan-dates", "2026"), "--scan-dates has 1 values for 2"),
        (("P_visit1", "P_visit2", "--masks", "a.nii.gz"), "--masks has 1 values for 2 cases"),
        (("P_visit1", "P_visit2", "-o", "f.txt"), "ends in .html or .pdf"),
        (("P_visit1", "P_visit2", "--json", "P_visit1/P_visit1_seg.nii.gz"), "name of an image"),
        (("P_visit1", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_line(smalltumor, cases, arguments, message):
    code, _, err = smalltumor("compare", *arguments)
    lines = [line for line in err.splitlines() if line.startswith("smalltumor: ")]
    assert code == 1 and len(lines) == 1
    assert message in lines[0]
