"""Masks that lie beside the images of a scan, under names of sequences, are no sequences."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.naming.case_files import MODALITIES, MODALITY_TITLES
from smalltumor.errors import CaseError
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies

SHAPE = (24, 24, 24)
REASON = "a mask: it has two values only"


def write_images(folder: Path, name: str) -> None:
    for number, sequence in enumerate(MODALITIES):
        data = np.random.default_rng(number).integers(0, 900, SHAPE).astype(np.int16)
        write(folder / name.format(sequence), data)


def write_masks(folder: Path, name: str, dtype: str = "u1") -> None:
    data = np.zeros(SHAPE, dtype)
    data[5:-5, 5:-5, 5:-5] = 1
    for sequence in MODALITIES:
        write(folder / name.format(sequence), data)


def write(path: Path, data: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, np.diag((5.0, 5.0, 5.0, 1.0))), path)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_masks_that_are_listed_first_are_not_taken_for_the_images(tmp_path, dtype):
    write_masks(tmp_path, "{}_a_hdbet.nii.gz", dtype)
    write_images(tmp_path, "{}_b_image.nii.gz")
    assignment = find_source(tmp_path, {}).assignment
    assert {m: s.title for m, s in assignment.chosen.items()} == {
        m: f"{m}_b_image.nii.gz" for m in MODALITIES
    }
    assert not any("preferred" in reason.text for reason in assignment.reasons.values())
    assert {d.series.title: d.reason for d in assignment.described() if d.modality is None} == {
        f"{m}_a_hdbet.nii.gz": REASON for m in MODALITIES
    }


def test_of_masks_alone_each_sequence_is_missing(tmp_path):
    write_masks(tmp_path, "{}_hdbet.nii.gz")
    with pytest.raises(CaseError) as refused:
        find_source(tmp_path, {})
    assert str(refused.value) == "; ".join(
        f"{MODALITY_TITLES[m]} cannot be used: {m}_hdbet.nii.gz ({REASON})" for m in MODALITIES
    )
    assert set(refused.value.remedy.modalities) == set(MODALITIES)


def test_a_sequence_with_a_mask_only_is_missing(tmp_path):
    write_images(tmp_path, "{}.nii.gz")
    write_masks(tmp_path, "{}_hdbet.nii.gz")
    (tmp_path / "flair.nii.gz").unlink()
    with pytest.raises(CaseError) as refused:
        find_source(tmp_path, {})
    assert str(refused.value) == f"FLAIR cannot be used: flair_hdbet.nii.gz ({REASON})"
    chosen = find_source(tmp_path, {}, allow_missing=True).assignment.chosen
    assert set(chosen) == {"t1", "t1ce", "t2"}


def test_a_mask_that_is_named_for_a_sequence_is_refused(tmp_path):
    write_images(tmp_path, "{}.nii.gz")
    write_masks(tmp_path, "masks/{}.nii.gz")
    given = {m: tmp_path / f"{m}.nii.gz" for m in MODALITIES}
    with pytest.raises(CaseError, match=f"t2.nii.gz cannot be used for T2: {REASON}"):
        find_source(None, given | {"t2": tmp_path / "masks" / "t2.nii.gz"})


def test_a_mask_that_only_its_folder_names_is_told_by_its_voxels(tmp_path):
    write_images(tmp_path, "{}/image.nii.gz")
    write_masks(tmp_path, "a_{}_hdbet/image.nii.gz")
    chosen = find_source(tmp_path, {}).assignment.chosen
    assert {m: s.location.parent.name for m, s in chosen.items()} == {m: m for m in MODALITIES}


def test_a_mask_by_its_name_keeps_that_reason(tmp_path):
    write_images(tmp_path, "{}.nii.gz")
    write_masks(tmp_path, "{}_mask.nii.gz")
    described = find_source(tmp_path, {}).assignment.described()
    reasons = {d.reason for d in described if d.modality is None}
    assert reasons == {'a mask: the name has "mask"'}


def test_a_truncated_file_is_listed_as_before(tmp_path):
    write_images(tmp_path, "{}.nii.gz")
    file = tmp_path / "flair.nii.gz"
    file.write_bytes(file.read_bytes()[:-2000])
    content = find_studies(tmp_path)
    assert not content.warnings
    (series,) = [s for s in content.studies[0].series if s.location == file]
    assert series.problem == ""
