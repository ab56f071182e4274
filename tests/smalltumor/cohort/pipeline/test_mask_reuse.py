"""Masks in a folder of results that were put there, or changed, since they were written."""

from __future__ import annotations

import shutil

import nibabel as nib
import numpy as np
import pytest
from cohort_files import found_in, rows_of


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def change(path, *, data=None, affine=None):
    """Replace a mask as another program does, which keeps the header's comments."""
    image = nib.load(path)
    values = np.asarray(image.dataobj) if data is None else data
    matrix = image.affine if affine is None else affine
    changed = nib.Nifti1Image(values, matrix, image.header)
    changed.set_sform(matrix, 1)
    changed.set_qform(matrix, 1)
    nib.save(changed, path)


def corrected(path) -> np.ndarray:
    values = np.zeros(nib.load(path).shape, np.uint8)
    values[3:5, 4, 5] = 4
    return values


def test_the_mask_of_another_patient_in_the_place_of_a_case_s_own_is_refused(cohort, data, out):
    image = nib.load(data / "bob" / "bob_t1ce.nii.gz")
    other = nib.Nifti1Image(np.asarray(image.dataobj) + 3, image.affine)
    nib.save(other, data / "bob" / "bob_t1ce.nii.gz")
    cohort()
    before = (out / "ann_lesions.csv").read_bytes()
    for has_record in (True, False):
        shutil.copy(out / "bob.nii.gz", out / "ann.nii.gz")
        change(out / "ann.nii.gz", data=corrected(out / "ann.nii.gz"))
        if not has_record:
            (out / "ann_run.json").unlink()
        code, rows, *_ = cohort()
        assert code == 1
        assert [row["outcome"] for row in rows] == ["failed", "kept", "kept"]
        assert "was made of other images, such as another patient's" in rows[0]["note"]
        assert (out / "ann_lesions.csv").read_bytes() == before


def test_tables_follow_a_mask_without_a_record_that_was_corrected(cohort, out):
    cohort()
    (out / "ann_run.json").unlink()
    change(out / "ann.nii.gz", data=corrected(out / "ann.nii.gz"))
    code, rows, *_ = cohort()
    assert code == 0
    assert (
        rows[0]["note"] == "the lesion table was not that of the mask: lesion table written from it"
    )
    assert rows[0]["weights"] == ""
    for table in (out / "ann_lesions.csv", out / "lesions.csv"):
        voxels = [r["voxels"] for r in found_in(table) if r.get("case", "ann") == "ann"]
        assert voxels == ["2"]
    _, rows, *_ = cohort()
    assert {row["note"] for row in rows} == {""}


def test_tables_follow_a_mask_whose_place_was_changed(cohort, out):
    cohort()
    before = found_in(out / "ann_lesions.csv")
    affine = nib.load(out / "ann.nii.gz").affine @ np.diag([0.5, 0.5, 2.0, 1.0])
    change(out / "ann.nii.gz", affine=affine)
    code, rows, *_ = cohort()
    assert code == 0 and "table was not that of the mask" in rows[0]["note"]
    after = found_in(out / "ann_lesions.csv")
    assert [float(x["mm3"]) for x in after] == pytest.approx([float(x["mm3"]) / 2 for x in before])


def test_a_mask_whose_header_names_another_label_scheme_is_not_read_in_that_of_the_folder(
    cohort, out
):
    cohort("--labels", "msd")
    image = nib.load(out / "ann.nii.gz")
    image.header.set_intent("label", name="brats2023")
    nib.save(image, out / "ann.nii.gz")
    code, rows, *_ = cohort("--labels", "msd")
    assert code == 1
    text = "the header of ann.nii.gz names brats2023, but it was read as msd, as all masks of"
    assert text in rows[0]["note"]
    assert rows_of(out / "cohort.csv")[1]["outcome"] == "kept"
