"""The scan of a prepared case is recognised by its images, not by its names alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from raw_scans import NAMES, prepared_by_hand, write_raw_scan
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError
from smalltumor.scanner.prepared.applied_steps import BIAS_FIELD_STEP
from smalltumor.scanner.prepared.prepared_files import record, write_prepared
from smalltumor.scanner.prepared.series_of_case import read_series, series_in
from smalltumor.scanner.prepared.stored_case import stored_case
from smalltumor.scanner.studies import find_studies

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture
def scan(tmp_path):
    return write_raw_scan(tmp_path / "both" / "sub-02")


@pytest.fixture
def case(scan):
    return prepared_by_hand(scan)


@pytest.fixture
def other(scan) -> Path:
    """The scan of another patient, on the same grid and with the same names."""
    folder = scan.with_name("sub-01")
    folder.mkdir()
    for path in scan.iterdir():
        image = nib.load(path)
        data = 2 * np.asarray(image.dataobj)[::-1] + 7
        nib.save(nib.Nifti1Image(data.astype(np.int16), image.affine), folder / path.name)
    return folder


def test_of_two_patients_the_one_of_the_case_is_found(case, scan, other):
    found = series_in(scan.parent, case)
    assert {series.location.parent for series in found.values()} == {scan}


def test_the_scan_of_another_patient_is_refused(case, other):
    with pytest.raises(CaseError, match=r"not the scan.*shows another image than T1CE"):
        series_in(other, case)


def test_series_of_two_patients_are_not_put_together(case, scan, other):
    (scan / "ax_t2.nii.gz").unlink()
    (other / "ax_flair.nii.gz").unlink()
    with pytest.raises(CaseError, match="not the scan"):
        series_in(scan.parent, case)


def test_a_scan_without_a_series_of_the_case_is_refused(case, scan):
    (scan / "ax_t2.nii.gz").unlink()
    with pytest.raises(CaseError, match=r"not the scan.*no ax_t2\.nii\.gz"):
        series_in(scan, case)


def test_the_prepared_files_are_not_taken_for_the_scan(scan, tmp_path):
    for modality, name in NAMES.items():
        (scan / f"{name}.nii.gz").rename(scan / f"Pat_{modality}.nii.gz")
    case = prepared_by_hand(scan)
    folder = scan / "prepared"
    write_prepared(case, folder)
    with pytest.raises(CaseError, match=r"not the scan.*prepared already"):
        series_in(folder, case)
    found = series_in(scan, case)
    assert {series.location.parent for series in found.values()} == {scan}


def test_copies_of_the_prepared_files_are_recognised_as_registered(scan, tmp_path):
    for modality, name in NAMES.items():
        (scan / f"{name}.nii.gz").rename(scan / f"Pat_{modality}.nii.gz")
        image = nib.load(scan / f"Pat_{modality}.nii.gz")
        affine = nib.load(scan / "Pat_t1.nii.gz").affine  # one grid; only the patient moved
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), image.get_filename())
    case = prepared_by_hand(scan)
    write_prepared(case, tmp_path / "prepared")
    copies = shutil.copytree(
        tmp_path / "prepared", tmp_path / "copies", ignore=shutil.ignore_patterns("*.json")
    )
    series = series_in(copies, case)
    with pytest.raises(CaseError, match="shows another image than T2"):
        read_series(series["t2"], "t2", case)


@pytest.mark.parametrize("strength", [0.05, 0.15])
def test_a_case_with_n4_is_recognised_up_to_a_bias_field(case, scan, other, strength):
    def bias(image):
        field = np.exp(np.linspace(-strength, strength, image.shape[0]))
        return (image * field[:, None, None]).astype(np.float32)

    corrected = {
        m: replace(s, image=bias(s.image), steps=(*s.steps, BIAS_FIELD_STEP))
        for m, s in case.sequences.items()
    }
    with_n4 = replace(case, sequences=corrected)
    assert series_in(scan, with_n4)["t1ce"].location.parent == scan
    with pytest.raises(CaseError, match="another image than T1CE"):
        series_in(other, with_n4)


@pytest.mark.parametrize("number", [0, 1])
def test_of_two_echoes_of_one_series_the_one_of_the_case_is_found(case, tmp_path, number):
    pytest.importorskip("pydicom", reason="pydicom is not installed: no DICOM files")
    from dicom_cases import write_series

    image = case.sequences["t1ce"].image.astype(np.uint16)
    for echo, data in enumerate((image, 3 * image[::-1] + 5)):
        times = (600.0, 9.0 + echo, None)
        write_series(tmp_path / "echoes", data, case.grid, "T1 KM", times=times, suffix=f"{echo}")
    chosen = find_studies(tmp_path / "echoes").studies[0].series[number]
    volume = chosen.read()
    sequence = replace(
        case.sequences["t1ce"],
        image=volume.data,
        native_grid=volume.grid,
        series="1 T1 KM",
        uid=chosen.uid,
    )
    brain = np.ones(volume.data.shape, bool)
    made = replace(case, grid=volume.grid, sequences={"t1ce": sequence}, brain=brain)
    assert series_in(tmp_path / "echoes", made)["t1ce"].title == chosen.title


def test_files_of_one_name_in_folders_of_sequences_are_told_apart(scan):
    for modality, name in NAMES.items():
        folder = scan / modality.upper()
        folder.mkdir()
        (scan / f"{name}.nii.gz").rename(folder / "image.nii.gz")
    titles = [series.title for series in find_studies(scan).studies[0].series]
    assert titles == [f"{name}/image.nii.gz" for name in ("FLAIR", "T1", "T1CE", "T2")]
    case = prepared_by_hand(scan)
    found = series_in(scan, case)
    assert {m: s.location.parent.name for m, s in found.items()} == {
        modality: modality.upper() for modality in case.sequences
    }


def named_after(scan: Path, patient: str) -> None:
    for name in NAMES.values():
        (scan / f"{name}.nii.gz").rename(scan / f"{patient}_{name}.nii.gz")


def test_files_that_are_named_after_the_patient_are_found_again_by_their_images(scan, tmp_path):
    named_after(scan, "Meier")
    made = prepared_by_hand(scan)
    write_prepared(made, tmp_path / "Pat")
    case = stored_case(read_case(tmp_path / "Pat"))
    assert case is not None and "Meier" not in json.dumps(record(case))
    found = series_in(scan, case)
    assert {m: s.title for m, s in found.items()} == {
        m: s.series for m, s in made.sequences.items()
    }


def test_the_file_of_another_patient_is_not_taken_for_one_that_is_missing(scan, other, tmp_path):
    named_after(scan, "Meier")
    named_after(other, "Huber")
    write_prepared(prepared_by_hand(scan), tmp_path / "Pat")
    case = stored_case(read_case(tmp_path / "Pat"))
    (scan / "Meier_ax_t2.nii.gz").unlink()
    (other / "Huber_ax_t2.nii.gz").rename(scan / "Huber_ax_t2.nii.gz")
    with pytest.raises(CaseError, match=r"not the scan.*no ax t2"):
        series_in(scan, case)


def test_titles_have_no_names_of_folders_that_may_be_those_of_patients(tmp_path):
    for name in ("Mueller", "Schmidt"):
        shutil.move(write_raw_scan(tmp_path / "scan") / "ax_t1.nii.gz", tmp_path / "image.nii.gz")
        shutil.rmtree(tmp_path / "scan")
        (tmp_path / "all" / name).mkdir(parents=True)
        (tmp_path / "image.nii.gz").rename(tmp_path / "all" / name / "image.nii.gz")
    found = [s.title for study in find_studies(tmp_path / "all").studies for s in study.series]
    assert found == ["image.nii.gz"] * 2
