"""Finding and reading DICOM series."""

from __future__ import annotations

import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import SHAPE, TIMES, noise, pydicom, write_enhanced, write_series
from smalltumor import extras
from smalltumor.errors import CaseError
from smalltumor.extras import MissingPackageError
from smalltumor.scanner.dicom import files
from smalltumor.scanner.dicom.files import holds_dicom
from smalltumor.scanner.dicom.headers import images_of_file
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import find_studies
from synthetic import grid_along


@pytest.mark.parametrize("axes", ["LPS", "LPI", "PSR", "LSP"])
def test_voxels_and_their_places_are_those_that_were_written(tmp_path, axes):
    grid = grid_along(axes, SHAPE, (0.9, 1.1, 5.0), degrees=7)
    write_series(tmp_path / "a" / "b", noise(), grid, "Ax T1")
    (study,) = find_studies(tmp_path).studies
    (series,) = study.series
    assert not series.problem
    volume = series.read()
    # Slices are in the order of the normal of their plane, which may be the reverse one.
    ends = volume.grid.to_patient([(3, 2, k) for k in range(SHAPE[2])])
    original = grid.to_patient([(3, 2, k) for k in range(SHAPE[2])])
    reverse = np.linalg.norm(ends[0] - original[0]) > 1
    step = -1 if reverse else 1
    np.testing.assert_allclose(ends[::step], original, atol=1e-3)
    np.testing.assert_array_equal(volume.data[..., ::step], noise())
    np.testing.assert_allclose(series.spacing, (0.9, 1.1, 5.0), atol=1e-3)


def test_patients_and_studies_are_kept_apart(tmp_path):
    grid = grid_along("LPS", SHAPE)
    same = {"number": 4, "study": "1.2"}
    write_series(tmp_path, noise(1), grid, "Ax T1", patient="A", suffix="a", **same)
    write_series(tmp_path, noise(2), grid, "Ax T1", patient="B", suffix="b", **same)
    write_series(tmp_path / "later", noise(3), grid, "Ax T1", patient="B", study="1.3")
    # One Series Instance UID under two patients is two series.
    for path in (tmp_path).glob("*b"):
        image = pydicom.dcmread(path)
        image.SeriesInstanceUID = "1.2.41.4"
        image.save_as(path)
    studies = find_studies(tmp_path).studies
    assert [(s.patient, s.study) for s in studies] == [("A", "1.2"), ("B", "1.2"), ("B", "1.3")]
    for study, seed in zip(studies, (1, 2, 3), strict=True):
        (series,) = study.series
        np.testing.assert_array_equal(series.read().data, noise(seed))


def test_two_echoes_of_a_series_are_two_volumes(tmp_path):
    grid = grid_along("LPS", SHAPE)
    for echo, suffix in ((12.0, "a"), (95.0, "b")):
        times = (4000.0, echo, None)
        write_series(tmp_path, noise(), grid, "Ax PD/T2", times=times, suffix=suffix)
    (study,) = find_studies(tmp_path).studies
    assert [s.acquisition.echo_time for s in study.series] == [12, 95]


def test_repeated_slices_are_separated_by_their_acquisition(tmp_path):
    grid = grid_along("LPS", SHAPE)
    for number in (1, 2):
        write_series(
            tmp_path, noise(number), grid, "T1", suffix=f"{number}", AcquisitionNumber=number
        )
    (study,) = find_studies(tmp_path).studies
    assert [s.problem for s in study.series] == ["", ""]
    write_series(tmp_path, noise(3), grid, "T1", suffix="3", AcquisitionNumber=2)
    (study,) = find_studies(tmp_path).studies
    (series,) = study.series
    assert series.problem == "it has 36 images at 12 positions"


def test_a_time_series_is_one_series_that_is_no_volume(tmp_path):
    grid = grid_along("LPS", SHAPE)
    for number in range(1, 7):
        write_series(
            tmp_path, noise(number), grid, "ax", suffix=f"{number}", AcquisitionNumber=number
        )
    (study,) = find_studies(tmp_path).studies
    (series,) = study.series
    assert series.problem == "it has 72 images at 12 positions"
    assert series.shape == SHAPE
    assert series.spacing[2] == pytest.approx(grid.spacing[2])


def test_what_a_series_shows_is_the_reason_before_what_is_wrong_with_it(tmp_path):
    grid = grid_along("LPS", (24, 20, 1))
    write_series(tmp_path, noise(shape=(24, 20, 1)), grid, "ep2d_diff_tra")
    (study,) = find_studies(tmp_path).studies
    (described,) = assign(study.series).described()
    assert described.reason.startswith("diffusion")


def test_values_that_dicom_does_not_allow_are_neither_warned_of_nor_logged(tmp_path, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1", study="1.2.P1")
    caplog.clear()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        (study,) = find_studies(tmp_path).studies
        study.series[0].read()
    assert [str(warning.message) for warning in seen] == []
    assert caplog.records == []


def test_a_missing_slice_is_said(tmp_path):
    write_series(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 4)), "T1")
    path = sorted(tmp_path.iterdir())[5]
    path.unlink()
    (study,) = find_studies(tmp_path).studies
    (series,) = study.series
    assert series.problem == "slices are missing: 8 mm between two, 4 mm elsewhere"


@pytest.mark.parametrize("displaced", [range(4, 8), range(7, SHAPE[2])])
def test_slices_that_are_displaced_within_their_plane_are_no_volume(tmp_path, displaced):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 4), 7), "T1")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        if image.InstanceNumber - 1 in displaced:
            row = np.array(image.ImageOrientationPatient[:3], float)
            image.ImagePositionPatient = list(np.array(image.ImagePositionPatient, float) + 9 * row)
            image.save_as(path)
    (study,) = find_studies(tmp_path).studies
    assert "displaced within their plane by up to" in study.series[0].problem


def test_slices_whose_headers_differ_by_rounding_are_one_volume(tmp_path):
    times = (600.0, 9.5, None)
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 4)), "T1", times=times)
    for number, path in enumerate(sorted(folder.iterdir())):
        image = pydicom.dcmread(path)
        sign = 1 if number % 2 else -1
        sine = 0.015 + sign * 1e-6
        cosine = np.sqrt(1 - sine**2)
        orientation = np.round([cosine, sine, 0, -sine, cosine, 0], 9)
        image.ImageOrientationPatient = [float(x) for x in orientation]
        image.PixelSpacing = [1.0005 + sign * 1e-6] * 2
        image.EchoTime = 9.5 + sign * 1e-3
        image.save_as(path)
    (study,) = find_studies(tmp_path).studies
    assert [(s.shape, s.problem) for s in study.series] == [(SHAPE, "")]


def test_a_localizer_is_no_volume(tmp_path):
    write_series(tmp_path, noise(shape=(24, 20, 3)), grid_along("LPS", (24, 20, 3)), "loc")
    (study,) = find_studies(tmp_path).studies
    assert study.series[0].problem == "it has only 3 slices"


def test_litter_is_ignored_and_a_damaged_file_is_named(tmp_path):
    write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "._x").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "readme.txt").write_text("text")
    whole = min(p for p in tmp_path.iterdir() if len(p.name) == 5)
    (tmp_path / "broken").write_bytes(whole.read_bytes()[:180])
    content = find_studies(tmp_path)
    assert len(content.studies) == 1
    (warning,) = content.warnings
    assert "broken is a damaged DICOM file" in str(warning)


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        (b"\x28\x00\x30\x00DS", b"\x28\x00\x30\x00D\xdf"),  # an unknown type of value
        (b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x10\x00US\x03\x00"),  # half a number
    ],
)
def test_a_damaged_header_is_a_warning_and_the_file_is_left_out(tmp_path, whole, damaged):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T1")
    path = sorted(folder.iterdir())[3]
    content = path.read_bytes()
    assert content.count(whole) == 1
    path.write_bytes(content.replace(whole, damaged))
    found = find_studies(tmp_path)
    (warning,) = found.warnings
    assert str(warning).startswith(f"{path.name} is a damaged DICOM file (")
    assert len(str(warning)) < 300
    assert found.studies[0].series[0].shape[2] == SHAPE[2] - 1


@pytest.mark.parametrize("spacing", [[0, 0], [0, 1], ["1e400", "1"]])
def test_a_series_without_voxel_size_is_named_and_others_are_found(tmp_path, spacing):
    write_series(tmp_path / "1", noise(), grid_along("LPS", SHAPE), "Ax T1")
    broken = {"number": 2, "PixelSpacing": spacing}
    write_series(tmp_path / "2", noise(), grid_along("LPS", SHAPE), "Ax T2", **broken)
    (study,) = find_studies(tmp_path).studies
    assert [bool(series.problem) for series in study.series] == [False, True]
    assert "the affine in the header" in study.series[1].problem


def test_frames_of_an_enhanced_file_are_slices(tmp_path):
    write_enhanced(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 3)), "FLAIR")
    (study,) = find_studies(tmp_path).studies
    (series,) = study.series
    assert series.acquisition.repetition_time == 9000
    np.testing.assert_array_equal(series.read().data, noise())


def test_a_file_that_claims_many_frames_is_one_image(tmp_path):
    folder = write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.NumberOfFrames = 20_000
        image.save_as(path)
        assert len(images_of_file(path)) == 1


def test_an_enhanced_file_with_another_number_of_frames_than_it_describes_is_damaged(tmp_path):
    path = write_enhanced(tmp_path, noise(), grid_along("LPS", SHAPE, (1, 1, 3)), "FLAIR")
    image = pydicom.dcmread(path)
    image.NumberOfFrames = 20_000
    image.save_as(path)
    with pytest.raises(CaseError, match=r"damaged DICOM file .* frames but describes 12"):
        images_of_file(path)


def test_nifti_names_of_bids_tell_patients_and_sessions(tmp_path):
    for name in ("sub-01_ses-1_T1w", "sub-01_ses-2_T1w", "sub-02_ses-1_T1w", "._sub-02_T2w"):
        nib.save(nib.Nifti1Image(noise(), np.eye(4)), tmp_path / f"{name}.nii.gz")
    (tmp_path / "sub-02_ses-1_T1w.json").write_text('{"ContrastBolusIngredient": "GADOLINIUM"}')
    studies = find_studies(tmp_path).studies
    names = [(s.patient, s.study) for s in studies]
    assert names == [("sub-01", "ses-1"), ("sub-01", "ses-2"), ("sub-02", "ses-1")]
    assert studies[2].series[0].acquisition.contrast_agent == "GADOLINIUM"


@pytest.mark.parametrize(("size", "chosen"), [((40, 40, 40), "head_t1.nii.gz"), (SHAPE, "T1.mgz")])
def test_what_freesurfer_resampled_goes_behind_the_image_that_was_acquired(tmp_path, size, chosen):
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    nib.save(nib.MGHImage(noise(shape=size).astype(np.float32), affine), tmp_path / "T1.mgz")
    if size != SHAPE:
        for name in ("t1", "t1ce"):
            nib.save(nib.Nifti1Image(noise(shape=size), affine), tmp_path / f"head_{name}.nii.gz")
    found = assign(find_studies(tmp_path).studies[0].series)
    assert found.chosen["t1"].title == chosen
    is_compared = "T1.mgz: as acquired rather than reformatted" in found.reasons["t1"].text
    assert is_compared == (size != SHAPE)


def test_folders_of_several_nifti_files_are_studies_of_their_own(tmp_path):
    for visit in ("before", "after"):
        (tmp_path / visit).mkdir()
        for name in ("T1", "T2"):
            nib.save(nib.Nifti1Image(noise(), np.eye(4)), tmp_path / visit / f"{name}.nii.gz")
    assert [s.study for s in find_studies(tmp_path).studies] == ["after", "before"]


def write_volumes(folder, *names):
    folder.mkdir(parents=True)
    for name in names:
        nib.save(nib.Nifti1Image(noise(), np.eye(4)), folder / f"{name}.nii.gz")


def test_a_single_nifti_file_is_no_part_of_another_folders_study(tmp_path):
    write_volumes(tmp_path / "both" / "A", "t1", "t1_post_gd", "t2", "flair")
    write_volumes(tmp_path / "both" / "B", "t1_post_gd_3d")
    studies = find_studies(tmp_path / "both").studies
    assert [(s.study, len(s.series), s.notes) for s in studies] == [("A", 4, ()), ("B", 1, ())]
    # The folder itself may hold files too.
    write_volumes(tmp_path / "root", "t1", "t1_post_gd")
    write_volumes(tmp_path / "root" / "root", "t1_post_gd_3d")
    assert [s.study for s in find_studies(tmp_path / "root").studies] == ["root", "root/"]


def test_folders_of_one_nifti_file_are_one_study_and_this_is_said(tmp_path, smalltumor):
    for name in ("T1", "T2"):
        write_volumes(tmp_path / "scan" / name, name)
    (study,) = find_studies(tmp_path / "scan").studies
    sentence = "the files of 2 folders are taken as one patient at one time"
    assert [*map(str, study.notes)] == [sentence]
    code, out, _ = smalltumor("prepare", tmp_path / "scan", "--list")
    assert code == 0 and sentence in out


def test_that_a_folder_holds_dicom_is_told_by_few_files(tmp_path, monkeypatch):
    write_series(tmp_path / "scan" / "b", noise(), grid_along("LPS", SHAPE), "T1")
    for number in range(30):
        (tmp_path / "scan" / f"a{number}.txt").touch()
    looked_at: list[Path] = []
    is_dicom = files.is_dicom
    monkeypatch.setattr(files, "is_dicom", lambda path: looked_at.append(path) or is_dicom(path))
    assert not holds_dicom(tmp_path, 20)
    assert len(looked_at) == 20
    assert holds_dicom(tmp_path)
    looked_at.clear()
    (tmp_path / "scan" / "DICOMDIR").touch()
    assert holds_dicom(tmp_path, 20) and not looked_at


def test_a_folder_without_images_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(CaseError, match="holds no images"):
        find_studies(tmp_path)
    with pytest.raises(CaseError, match="is not an existing folder"):
        find_studies(tmp_path / "absent")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CaseError, match=r"notes\.txt is a file; name the folder of the scan"):
        find_studies(tmp_path / "notes.txt")


def test_without_pydicom_the_error_names_it(tmp_path, monkeypatch):
    write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "T1")

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(MissingPackageError, match="needs the package pydicom"):
        find_studies(tmp_path)


def test_prepare_list_prints_sequences_and_reasons(tmp_path, smalltumor):
    grid = grid_along("LPS", (60, 60, 30), (4, 4, 4))
    voxels = noise(shape=(60, 60, 30))
    names = {"t1": "Ax T1", "t1ce": "Ax T1 POST", "t2": "head", "flair": "Ax FLAIR"}
    for number, (modality, name) in enumerate(names.items(), start=1):
        folder = tmp_path / str(number)
        write_series(folder, voxels, grid, name, number=number, times=TIMES[modality])
    code, out, err = smalltumor("prepare", tmp_path, "--list")
    assert (code, err) == (0, "")
    study, uid, *lines = out.splitlines()
    assert study == "study 1: patient P1, 2024-01-02"
    assert uid.split("UID ")[1] == find_studies(tmp_path).studies[0].study
    lines = [line.split() for line in lines[::2]]
    assert [line[1] for line in lines] == ["T1", "T1CE", "T2", "FLAIR"]
    assert "TR 4500, TE 95 ms" in out


def test_files_that_gzip_has_compressed_are_named(tmp_path):
    for name in ("a.dcm.gz", "b.IMA.GZ", "notes.txt.gz"):
        (tmp_path / name).write_bytes(b"\x1f\x8b")
    with pytest.raises(CaseError, match=r"2 DICOM files are compressed with gzip \(a\.dcm\.gz\)"):
        find_studies(tmp_path)
    write_series(tmp_path / "images", noise(), grid_along("LPS", SHAPE), "Ax T1")
    found = find_studies(tmp_path)
    assert len(found.studies) == 1
    assert any("unpack with gunzip" in str(warning) for warning in found.warnings)


def test_a_series_that_lost_its_last_slices_is_said_and_goes_behind_a_complete_one(tmp_path):
    grid, tags = grid_along("LPS", SHAPE, (5.0, 6.0, 12.0)), {"ImagesInAcquisition": SHAPE[2]}
    write_series(tmp_path / "2", noise(1)[..., :9], grid, "Ax T1 KM", number=2, **tags)
    (study,) = find_studies(tmp_path).studies
    found = assign(study.series)
    (warning,) = found.warnings
    assert "2 Ax T1 KM has 9 of 12 slices that its header states" in warning
    assert found.described()[0].reason.endswith("; 9 of 12 slices that its header states")
    write_series(tmp_path / "1", noise(2), grid, "Ax T1 KM", number=1, **tags)
    (study,) = find_studies(tmp_path).studies
    found = assign(study.series)
    assert found.chosen["t1ce"].title == "1 Ax T1 KM" and not found.warnings
    assert found.reasons["t1ce"].text.endswith("that one has 9 of 12 slices that its header states")


def test_a_fine_series_that_lacks_few_slices_goes_before_a_coarse_one(tmp_path):
    fine, coarse = (
        grid_along("LPS", SHAPE, (5.0, 6.0, 1.2)),
        grid_along("LPS", SHAPE, (5.0, 6.0, 6)),
    )
    stated = {"ImagesInAcquisition": SHAPE[2] + 1}
    write_series(tmp_path / "1", noise(1), fine, "T1 MPRAGE KM", number=1, **stated)
    write_series(tmp_path / "2", noise(2), coarse, "Ax T1 KM", number=2)
    found = assign(find_studies(tmp_path).studies[0].series)
    assert found.chosen["t1ce"].title == "1 T1 MPRAGE KM"
    assert any("12 of 13 slices that its header states" in text for text in found.warnings)


@pytest.mark.parametrize("stated", [0, 12, 24, 6])
def test_an_acquisition_of_several_echoes_is_no_incomplete_series(tmp_path, stated):
    tags = {"ImagesInAcquisition": stated} if stated else {}
    write_series(tmp_path, noise(), grid_along("LPS", SHAPE), "Ax T2", **tags)
    (study,) = find_studies(tmp_path).studies
    assert not study.series[0].incomplete
