"""What identifies the patient is not kept with a case, although warnings tell it to the user."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace

import nibabel as nib
import numpy as np
from dicom_cases import TIMES, pydicom, write_series
from smalltumor.scanner.preparation.prepare import prepare
from smalltumor.scanner.prepared.prepared_files import record
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from smalltumor.scanner.study_choice import StudyChoice
from synthetic import grid_along

SHAPE = (40, 40, 10)
GRID = grid_along("LPS", SHAPE, (5, 5, 12))
NAMES = {"t1": "Ax T1", "t1ce": "Ax T1 POST", "t2": "Ax T2", "flair": "Ax FLAIR"}


def brain(seed):
    """A skull-stripped image, so that no network is needed."""
    data = np.zeros(SHAPE, np.uint16)
    inside = np.s_[8:-8, 8:-8, 1:-1]
    data[inside] = np.random.default_rng(seed).integers(100, 900, data[inside].shape)
    return data


def write_study(folder, *modalities, names=NAMES, **tags):
    for number, modality in enumerate(NAMES, start=1):
        if modality in modalities or not modalities:
            write_series(
                *(folder / modality.upper(), brain(number), GRID, names[modality]),
                number=number,
                times=TIMES[modality],
                **tags,
            )
    return folder


def warnings_of(source):
    """The warnings about a scan, as they are shown and as they are recorded."""
    prepared = prepare(source)
    shown = [*map(str, prepared.scan_warnings)]
    assert prepared.shown_warnings == (*shown, *map(str, prepared.warnings))
    recorded = record(prepared)["scan_warnings"]
    assert prepared.to_case().warnings == [*recorded, *map(str, prepared.warnings)]
    return shown, recorded


def test_titles_of_series_are_recorded_whole_whatever_folders_are_called(tmp_path):
    names = {"t1": "Ax T1 w/o KM", "t1ce": "Ax T1 w/ KM", "t2": "T2 TSE/TRA", "flair": "Ax FLAIR"}
    write_study(tmp_path / "scan", names=names, ImagesInAcquisition=13)
    shown, recorded = warnings_of(find_source(tmp_path, {}))
    titles = {
        "T1": "1 Ax T1 w/o KM",
        "T1CE": "2 Ax T1 w/ KM",
        "T2": "3 T2 TSE/TRA",
        "FLAIR": "4 Ax FLAIR",
    }
    expected = {
        f"{modality}: {title} has 10 of 13 slices that its header states; look at it, and copy the "
        "study again if it was not transferred completely"
        for modality, title in titles.items()
    }
    assert set(shown) == set(recorded) == expected


def test_the_folder_or_the_patient_that_tells_a_study_is_not_recorded(tmp_path):
    for number, name in enumerate(("Meier_Anna", "Huber_Eva")):
        modalities = ("t1", "t2", "flair", "t1ce")[: 4 - number]
        study = f"1.{number}"
        write_study(tmp_path / name, *modalities, patient="ANON", study=study, suffix=name)
    shown, recorded = warnings_of(find_source(tmp_path, {}))
    assert shown == ["only patient without ID, 2024-01-02 (Meier_Anna) of 2 studies has a T1CE"]
    assert recorded == ["only one of 2 studies has a T1CE"]


def test_names_ids_and_dates_of_headers_are_shown_and_not_recorded(tmp_path):
    scan = tmp_path / "MEIER_ANNA"
    write_study(scan / "now", patient="PAT0815", PatientName="Meier^Anna")
    tags = {"study": "1.7", "patient": "PAT0815", "StudyDate": "20200101"}
    write_study(scan / "then", "t2", PatientName="Huber^Anne", **tags)
    (scan / "now" / "Meier.dcm").write_bytes(b"damaged")
    shown, recorded = warnings_of(
        find_source(scan, {"t2": scan / "then" / "T2"}, study=StudyChoice("2"))
    )
    damaged, names, visit = shown
    assert damaged.startswith("now/Meier.dcm is a damaged DICOM file (")
    assert damaged.endswith("); it is left out")
    assert names == (
        "the headers name 2 patients with one ID: Huber^Anne and Meier^Anna; check that they are "
        "one"
    )
    assert visit == (
        "T2: 3 Ax T2 is of another study (patient PAT0815, 2020-01-01) than T1CE "
        "(patient PAT0815, 2024-01-02); check that nothing changed between them"
    )
    assert recorded == [
        "a DICOM file is damaged; it is left out",
        "the headers name 2 patients with one ID; check that they are one",
        "T2: 3 Ax T2 is of another study than T1CE; check that nothing changed between them",
    ]


def test_files_that_are_left_out_are_counted_in_the_record_and_not_named(tmp_path):
    folder = write_study(tmp_path / "scan", "t1") / "T1"
    first, second, *_ = sorted(folder.iterdir())
    shutil.copy(first, tmp_path / "Meier copy.dcm")
    (tmp_path / "Meier a.dcm").write_bytes(b"damaged")
    (tmp_path / "Meier b.dcm").write_bytes(b"damaged")
    (tmp_path / "Meier c.dcm").touch()
    (tmp_path / "Meier d.dcm.gz").write_bytes(gzip.compress(second.read_bytes()))
    (tmp_path / "Meier e.nii.gz").write_bytes(b"damaged")
    image = pydicom.dcmread(second)
    del image.ImagePositionPatient
    image.SeriesDescription = "Ax T1 Meier"
    image.save_as(second)
    warnings = find_studies(tmp_path).warnings
    assert "is left out (1 Ax T1 Meier); export" in str(warnings[2])
    assert [str(warning).count("Meier") for warning in warnings] == [1, 1, 1, 1, 1, 1]
    assert [warning.deidentified for warning in warnings] == [
        "a DICOM file is left out as a copy of another",
        "2 DICOM files are damaged; they are left out",
        "an MR image gives no position, orientation or pixel size and is left out; export the "
        "original images again",
        "a DICOM file is compressed with gzip and left out; unpack with gunzip",
        "a file is empty and left out; copy the study again if it was not transferred completely",
        "a file of a volume cannot be read; it is left out",
    ]


def test_the_record_of_files_without_headers_names_no_folder(tmp_path):
    scan = tmp_path / "Mueller Hans 1961" / "scan"
    scan.mkdir(parents=True)
    for seed, name in enumerate(("T1", "T1_post", "T2", "FLAIR")):
        image = nib.Nifti1Image(brain(seed), None)  # no orientation
        image.header.set_zooms(GRID.spacing)
        nib.save(image, scan / f"{name}.nii.gz")
    (scan / "broken.nii.gz").write_bytes(b"damaged")
    (scan.parent / "Mueller Hans scan.nii.gz").write_bytes(b"damaged")
    prepared = prepare(replace(find_source(scan.parent, {}), name="case1"))
    first, second = map(str, prepared.scan_warnings)
    assert first.startswith("Mueller Hans scan.nii.gz") and first.endswith("; it is left out")
    assert second.startswith("scan/broken.nii.gz") and second.endswith("; it is left out")
    content = record(prepared)
    assert content["scan_warnings"] == ["a file of a volume cannot be read; it is left out"] * 2
    assert [warning["text"] for warning in content["warnings"]] == [
        "FLAIR, T1CE, T1 and T2: the header does not give left and right (sform and qform codes "
        "are 0); the axes are assumed to be LAS"
    ]
    text = json.dumps(content)
    assert not [
        word for word in ("Mueller", "Hans", "1961", "scan/", str(tmp_path)) if word in text
    ]


def test_files_of_several_patients_are_not_named_in_the_record(tmp_path):
    for seed, name in enumerate(("Anna_t1", "Bert_t1ce", "Carl_t2", "Dora_flair")):
        nib.save(nib.Nifti1Image(brain(seed), GRID.affine), tmp_path / f"{name}.nii.gz")
    shown, recorded = warnings_of(find_source(tmp_path, {}))
    text = "names and headers do not show that 4 files are of one patient"
    files = "Anna_t1.nii.gz, Bert_t1ce.nii.gz, Carl_t2.nii.gz, Dora_flair.nii.gz"
    assert (shown, recorded) == ([f"{text}: {files}"], [text])


def test_names_of_files_are_recorded_without_what_may_name_the_patient(tmp_path):
    names = ("t1", "t1_mprage", "t1_gd", "t2", "FLAIR_ax")
    for seed, name in enumerate(names):
        path = tmp_path / f"Meier_Anna_19610512_{name}.nii.gz"
        nib.save(nib.Nifti1Image(brain(seed), GRID.affine), path)
    prepared = prepare(replace(find_source(tmp_path, {}), name="case1"))
    assert "Meier_Anna_19610512_t1" in prepared.sequences["t1"].reason
    assert any("Meier" in warning for warning in prepared.shown_warnings)
    content = record(prepared)
    text = json.dumps([content, prepared.to_case().warnings])
    assert not [word for word in ("Meier", "Anna", "19610512") if word in text]
    series = {modality: each["series"] for modality, each in content["sequences"].items()}
    chosen = series.pop("t1")
    assert chosen in ("t1", "t1 mprage")
    assert series == {"t1ce": "t1 gd", "t2": "t2", "flair": "FLAIR ax"}


def test_series_whose_description_names_the_patient_are_recorded_without_it(tmp_path):
    names = {**NAMES, "t2": "T2 Meier tra"}
    write_study(tmp_path / "scan", names=names, PatientName="Meier^Anna", ImagesInAcquisition=13)
    shown, recorded = warnings_of(find_source(tmp_path, {}))
    assert [text for text in shown if "3 T2 Meier tra has" in text]
    assert not [text for text in recorded if "Meier" in text]
    assert [text for text in recorded if "T2: 3 T2 tra has" in text]


def test_the_command_shows_what_the_record_leaves_out(tmp_path, smalltumor):
    scan = write_study(tmp_path / "scan", patient="PAT0815", PatientName="Meier^Anna")
    (scan / "Meier.dcm").touch()
    code, _, err = smalltumor("prepare", scan, tmp_path / "case1")
    advice = "copy the study again if it was not transferred completely"
    shown = f"a file is empty (Meier.dcm) and left out; {advice}"
    assert (code, err) == (0, f"smalltumor: warning: {shown}\n")
    text = (tmp_path / "case1" / "case1_prepared.json").read_text()
    assert json.loads(text)["scan_warnings"] == [f"a file is empty and left out; {advice}"]
    assert "Meier" not in text and "PAT0815" not in text
