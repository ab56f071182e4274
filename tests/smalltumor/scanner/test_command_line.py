"""`smalltumor prepare` and `smalltumor segment` with a scanner's images."""

from __future__ import annotations

import csv
import hashlib
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from head_cases import NAMES, sample_head, write_scan
from raw_scans import write_raw_scan
from smalltumor import extras
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.scanner.prepared.lock import locked_preparation
from synthetic import grid_along

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no registration")
pytest.importorskip("highdicom", reason="highdicom is not installed: no DICOM SEG")
pydicom = pytest.importorskip("pydicom")


@pytest.fixture(scope="module")
def stripped(sample_folder, tmp_path_factory):
    """DICOM series of a brain without a head, so that no network is needed; and their grids."""
    folder = tmp_path_factory.mktemp("stripped")
    return folder, write_scan(sample_head(sample_folder, stripped=True), folder)


def checksums(folder: Path) -> dict[Path, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_a_dicom_folder_is_segmented_and_the_mask_returns_to_a_series(
    stripped, tmp_path, smalltumor
):
    folder, grids = stripped
    before = checksums(folder)
    mask, case = tmp_path / "mask.nii.gz", tmp_path / "case"
    seg = tmp_path / "seg.dcm"
    table = tmp_path / "lesions.csv"
    arguments = ("--prepared", case, "--grid", "t2", "--dicom-seg", seg, "--lesions", table)
    code, out, err = smalltumor("segment", folder, "-o", mask, *arguments)
    assert code == 0
    slices, scores = err.splitlines()
    assert "slices of 5 mm" in slices
    assert "the scores of lesions were fitted with the weights" in scores
    assert "registered to T1CE" in out and out.startswith("case, of patient P1: brain ")
    assert read_nifti(mask).grid.matches(grids["t2"])
    assert read_nifti(case / "case_t1ce.nii.gz").grid.matches(grids["t1ce"])
    assert checksums(folder) == before
    written = pydicom.dcmread(seg)
    (series,) = written.ReferencedSeriesSequence
    image = pydicom.dcmread(next((folder / "DICOM" / "003").iterdir()))
    assert (written.PatientID, series.SeriesInstanceUID) == ("P1", image.SeriesInstanceUID)
    assert written.pixel_array.sum() == np.count_nonzero(read_nifti(mask).data)
    rows = list(csv.DictReader(table.open()))
    assert rows and all(row["side"] for row in rows)


def test_one_file_of_a_study_stands_for_its_folder_and_this_is_said(stripped, smalltumor):
    folder = stripped[0] / "DICOM"
    file = next((folder / "002").iterdir())
    code, out, err = smalltumor("prepare", file, "--list")
    assert code == 0
    assert out == smalltumor("prepare", folder, "--list")[1]
    assert f"warning: {file.name} is one file of a scan; its study in {folder} is used" in err


def test_one_file_in_a_folder_of_two_patients_never_brings_the_other(tmp_path, smalltumor):
    dicom_cases = pytest.importorskip("dicom_cases")
    grid = grid_along("LPS", (16, 15, 10))
    voxels = np.random.default_rng(0).integers(1, 900, grid.shape)
    series = (("Anna", "t2"), ("Bert", "t1"), ("Bert", "t1ce"), ("Bert", "t2"), ("Bert", "flair"))
    for number, (who, modality) in enumerate(series):
        dicom_cases.write_series(
            tmp_path / "export",
            voxels,
            grid,
            NAMES[modality],
            patient=who,
            study="1.2" if who == "Anna" else "1.3",
            number=number,
            times=dicom_cases.TIMES[modality],
            suffix=f"_{who}_{number}.dcm",
        )
    file = min((tmp_path / "export").glob("*_Anna_*"))
    for arguments in (
        ("segment", file, "-o", tmp_path / "m.nii"),
        ("prepare", file, tmp_path / "o"),
    ):
        code, _, err = smalltumor(*arguments)
        assert code == 1 and "patient Anna, 2024-01-02: no series is FLAIR, T1CE or T1" in err


def test_a_study_of_the_list_is_named_by_its_uid_or_its_patient(tmp_path, smalltumor):
    dicom_cases = pytest.importorskip("dicom_cases")
    grid = grid_along("LPS", (16, 15, 10))
    voxels = np.random.default_rng(0).integers(1, 900, grid.shape)
    for who, study in (("Anna", "1.2"), ("Bert", "1.3")):
        folder = tmp_path / "export" / who
        dicom_cases.write_series(folder, voxels, grid, NAMES["t1ce"], patient=who, study=study)
    code, out, _ = smalltumor("prepare", tmp_path / "export", "--list")
    assert code == 0
    assert "study 2: patient Bert, 2024-01-02\n       Study Instance UID 1.3\n" in out
    for words in (
        ("prepare", tmp_path / "export", tmp_path / "o"),
        ("segment", "--raw", tmp_path / "export", "-o", tmp_path / "m.nii.gz"),
    ):
        code, _, err = smalltumor(*words)
        assert code == 1 and "2: patient Bert, 2024-01-02); choose one with --study" in err
        for choice in (("--study", "2"), ("--study", "1.3"), ("--patient", "Bert")):
            code, _, err = smalltumor(*words, *choice)
            assert code == 1 and "patient Bert, 2024-01-02: no series is" in err
        code, _, err = smalltumor(*words, "--study", "1.3", "--patient", "Anna")
        assert code == 1 and "has no study 1.3 of patient Anna" in err


@pytest.mark.parametrize("option", ["--patient", "--study"])
def test_a_patient_or_study_of_an_unset_variable_is_refused(tmp_path, smalltumor, capsys, option):
    with pytest.raises(SystemExit):
        smalltumor("prepare", tmp_path, tmp_path / "o", option, "")
    assert f"argument {option}: the value is empty" in capsys.readouterr().err


def test_options_for_a_scanners_images_are_refused_with_a_case(sample_folder, tmp_path, smalltumor):
    mask = tmp_path / "m.nii.gz"
    options = ("--patient", "P1", "--study", "2", "--n4")
    code, _, err = smalltumor("segment", sample_folder, "-o", mask, *options)
    assert code == 1 and not mask.exists()
    assert "--study, --patient and --n4 are for a scanner's images; pass --raw" in err


@pytest.mark.slow
def test_an_archive_is_listed_and_prepared_like_its_folder(stripped, tmp_path, smalltumor):
    study = shutil.make_archive(tmp_path / "P1", "zip", stripped[0])
    code, out, err = smalltumor("prepare", study, "--list")
    assert (code, err) == (0, "")
    assert out == smalltumor("prepare", stripped[0], "--list")[1]
    cut = tmp_path / "cut.zip"
    cut.write_bytes(Path(study).read_bytes()[:-100])
    for arguments in (("prepare", cut, tmp_path / "c"), ("segment", cut, "-o", tmp_path / "m.nii")):
        code, _, err = smalltumor(*arguments)
        assert code == 1
        assert "cut.zip is a damaged zip archive" in err


@pytest.mark.slow
def test_prepare_writes_a_case_that_segment_reads(sample_folder, tmp_path, smalltumor):
    folder = tmp_path / "new" / "case7"
    code, out, err = smalltumor("prepare", sample_folder, folder)
    assert (code, err) == (0, "")
    assert "on the grid of T1CE and skull-stripped: taken as registered" in out
    names = {path.name for path in folder.iterdir()}
    modalities = ("t1", "t1ce", "t2", "flair", "brain")
    assert names == {*(f"case7_{m}.nii.gz" for m in modalities), "case7_prepared.json"}
    code, _, err = smalltumor("prepare", sample_folder, folder)
    assert code == 1
    assert "exists; choose another output, or pass --overwrite" in err
    code, out, err = smalltumor("segment", folder, "-o", tmp_path / "mask.nii.gz")
    assert (code, err) == (0, "")


def test_files_are_prepared_without_a_folder(sample_folder, tmp_path, smalltumor):
    files = [
        part
        for m in ("t1", "t1ce", "t2", "flair")
        for part in (f"--{m}", sample_folder / f"{sample_folder.name}_{m}.nii.gz")
    ]
    code, _, err = smalltumor("prepare", tmp_path / "out", *files)
    assert (code, err) == (0, "")
    written = read_nifti(tmp_path / "out" / "out_t1.nii.gz").data
    original = read_nifti(sample_folder / f"{sample_folder.name}_t1.nii.gz").data
    np.testing.assert_array_equal(written, original)


def test_sources_are_never_replaced(sample_folder, tmp_path, smalltumor):
    copy = tmp_path / "x"
    copy.mkdir()
    for path in sample_folder.glob("*.nii.gz"):
        name = path.name.replace(sample_folder.name, "x")
        (copy / name).write_bytes(path.read_bytes())
    before = checksums(copy)
    files = [
        word for m in ("t1", "t1ce", "t2", "flair") for word in (f"--{m}", copy / f"x_{m}.nii.gz")
    ]
    code, _, err = smalltumor("prepare", copy, *files, "--overwrite")
    assert code == 1
    assert "is one of the case's files" in err
    assert checksums(copy) == before


@pytest.mark.parametrize("place", [".", "case", "../scan/new/case"])
def test_a_case_is_not_written_within_its_scan(tmp_path, smalltumor, place):
    scan = write_raw_scan(tmp_path / "scan")
    before = checksums(scan)
    for words in (
        ("prepare", scan, scan / place),
        ("segment", "--raw", scan, "-o", tmp_path / "m.nii.gz", "--prepared", scan / place),
    ):
        code, _, err = smalltumor(*words)
        assert code == 1
        assert f"lies within the scan {scan}, which is never changed; choose another output" in err
    assert checksums(scan) == before


def test_a_second_preparation_into_a_folder_is_refused_at_its_start(tmp_path, smalltumor):
    scan, folder = write_raw_scan(tmp_path / "scan"), tmp_path / "Pat"
    with locked_preparation(folder):
        for words in (
            ("prepare", scan, folder),
            ("segment", "--raw", scan, "-o", tmp_path / "m.nii.gz", "--prepared", folder),
        ):
            code, _, err = smalltumor(*words)
            assert code == 1
            assert f"another preparation or correction is writing to {folder}; try again" in err
    assert not folder.exists()


def test_one_image_for_two_sequences_is_refused(tmp_path, smalltumor):
    scan = write_raw_scan(tmp_path / "scan")
    twice = scan / "ax_t1_post_gd.nii.gz"
    code, _, err = smalltumor("prepare", scan, tmp_path / "case", "--t1", twice)
    assert code == 1
    assert "T1CE and T1 are the same image: ax_t1_post_gd.nii.gz and ax_t1_post_gd.nii.gz" in err
    assert not (tmp_path / "case").exists()


def test_an_archive_of_pictures_is_refused_by_its_own_name(tmp_path, smalltumor):
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a.jpg", "x")
    for words in (("prepare", tmp_path / "c"), ("segment", "-o", tmp_path / "m.nii.gz")):
        code, _, err = smalltumor(words[0], tmp_path / "pictures.zip", *words[1:])
        assert code == 1
        assert f"{tmp_path / 'pictures.zip'} holds no images" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "the folder to write is missing: smalltumor prepare IN OUT"),
        (("--list",), "the folder to list is missing"),
    ],
)
def test_a_missing_folder_is_said_in_one_line(smalltumor, arguments, sentence):
    code, _, err = smalltumor("prepare", *arguments)
    assert code == 1
    assert sentence in err


def test_probabilities_of_another_grid_are_refused_before_the_work(stripped, tmp_path, smalltumor):
    options = ("--grid", "t2", "--probabilities", tmp_path / "p.nii.gz")
    code, _, err = smalltumor("segment", stripped[0], "-o", tmp_path / "m.nii.gz", *options)
    assert code == 1
    assert "probabilities lie on the grid of T1CE" in err


def test_without_the_extra_the_line_says_how_to_install_it(stripped, smalltumor, monkeypatch):

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", absent)
    code, _, err = smalltumor("prepare", stripped[0], "--list")
    assert code == 1
    assert "reading DICOM files needs the package pydicom, which is not installed" in err
    assert 'pip install "napari-smalltumor[raw]"' in err


def test_a_dicom_seg_that_cannot_be_written_is_refused_before_the_work(
    stripped, sample_folder, tmp_path, smalltumor
):
    mask = tmp_path / "mask.nii.gz"
    code, _, err = smalltumor("segment", sample_folder, "-o", mask, "--dicom-seg", "seg.dcm")
    assert code == 1
    assert "--dicom-seg refers to DICOM images" in err
    image = next((stripped[0] / "DICOM" / "005").iterdir())
    options = ("--dicom-seg", image.with_suffix(".nii"), "--overwrite")
    code, _, err = smalltumor("segment", stripped[0], "-o", mask, *options)
    assert code == 1
    assert "the name of a DICOM segmentation ends in .dcm" in err
    assert not mask.exists()
