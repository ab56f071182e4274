"""Copies of a case under other names are found by their images, in folders and in packs."""

from __future__ import annotations

import gzip
import shutil

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.identity.patients import patient_key
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.training.data.dataset import labelled_cases, prepare_case
from smalltumor.training.data.pack_writer import PackWriter
from smalltumor.training.data.same_images import (
    joined_digests,
    known_by_images,
    patients_by_images,
    t1ce_digest,
    t1ce_digests,
)
from training_cases import write_lesion_cases


@pytest.fixture
def cases(tmp_path):
    """Three patients, and a copy of the second under the name of a fourth."""
    write_lesion_cases(tmp_path / "cases", 3)
    copy_case(tmp_path / "cases" / "case_01", "copy")
    return tmp_path / "cases"


def copy_case(folder, name):
    target = shutil.copytree(folder, folder.parent / name)
    for path in list(target.iterdir()):
        path.rename(target / path.name.replace(folder.name, name))
    return target


def keys(folder, patients=None):
    """The patient of each case, and the warnings."""
    found, warnings = labelled_cases(folder), []
    merged = patients_by_images(t1ce_digests(found), patients or {}, warnings.append)
    return {case.name: patient_key(case.name, merged) for case in found}, warnings


def test_a_copy_under_another_name_is_of_the_same_patient_and_is_named(cases):
    assert keys(cases) == (
        {"case_00": "case_00", "case_01": "case_01", "case_02": "case_02", "copy": "case_01"},
        ["copy shows the same images as case_01; they count as one patient"],
    )


def test_a_copy_is_found_that_was_compressed_again_reoriented_and_corrected_at_its_edge(cases):
    path = cases / "copy" / "copy_t1ce.nii.gz"
    image = nib.load(path)
    data = np.asarray(image.dataobj).astype(np.float32)
    data[: data.shape[0] // 2 - 3] = 0
    flipped = nib.Nifti1Image(
        data[::-1],
        image.affine
        @ np.array([[-1, 0, 0, data.shape[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    )
    path.write_bytes(gzip.compress(flipped.to_bytes(), 1))
    assert keys(cases)[0]["copy"] == "case_01"


def test_a_copy_joins_all_scans_of_both_patients(tmp_path):
    folder = write_lesion_cases(tmp_path / "cases", 4, "P{:02d}_visit1")
    copy_case(folder / "P01_visit1", "Q7_visit1")
    shutil.move(copy_case(folder / "P03_visit1", "Q7_visit2"), tmp_path)
    shutil.rmtree(folder / "P03_visit1")
    shutil.move(tmp_path / "Q7_visit2", folder)
    found, warnings = keys(folder)
    assert found == {
        "P00_visit1": "p00",
        "P01_visit1": "p01",
        "P02_visit1": "p02",
        "Q7_visit1": "p01",
        "Q7_visit2": "p01",
    }
    assert len(warnings) == 1


def test_listed_patients_are_kept_and_a_copy_that_they_know_is_not_named(cases):
    listed = {"copy": "Anna", "case_01": "Anna", "case_02": "Anna"}
    assert keys(cases, listed) == (
        {"case_00": "case_00", "case_01": "anna", "case_02": "anna", "copy": "anna"},
        [],
    )


def test_cases_of_a_pack_are_compared_with_each_other_and_with_files(cases, tmp_path):
    writer = PackWriter(tmp_path / "pack", Preprocessing())
    for case in labelled_cases(cases):
        writer.add(prepare_case(case, Preprocessing()), t1ce_digest(case))
    writer.close()
    assert keys(tmp_path / "pack") == keys(cases)
    both = [*labelled_cases(tmp_path / "pack", exclude=["copy"]), labelled_cases(cases)[-1]]
    assert patients_by_images(t1ce_digests(both), {}, lambda _: None)["copy"] == "case_01"


def test_images_that_a_network_has_seen_are_known_under_any_name(cases):
    digests = t1ce_digests(labelled_cases(cases))
    card = {"trained_on": ["case_01"], "trained_on_images": [digests["case_01"]]}
    assert known_by_images(card, digests) == {"case_01", "copy"}
    assert known_by_images({"trained_on": ["case_01"]}, digests) == set()


def test_an_image_that_was_replaced_under_one_name_is_known_beside_the_new_one(cases):
    digests = t1ce_digests(labelled_cases(cases))
    before, after = {"case": digests["case_00"]}, {"case": digests["case_02"], "other": ""}
    joined = joined_digests(before, after)
    known = known_by_images({"trained_on_images": [joined["case"]]}, digests)
    assert known == {"case_00", "case_02"}
    assert joined["other"] == ""


def test_images_that_tell_nothing_join_no_patients(cases):
    for name in ("case_00", "case_02"):
        path = cases / name / f"{name}_t1ce.nii.gz"
        nib.save(nib.Nifti1Image(np.zeros((40, 44, 38), np.int16), np.eye(4)), path)
    (cases / "copy" / "copy_t1ce.nii.gz").write_bytes(b"damaged")
    found, warnings = keys(cases)
    assert len(set(found.values())) == 4
    assert not warnings
