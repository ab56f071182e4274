"""Which series the arguments mean."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_cases import TIMES, write_series
from smalltumor.errors import Action, CaseError
from smalltumor.scanner.source import find_source
from smalltumor.scanner.studies import find_studies
from smalltumor.scanner.study_choice import StudyChoice
from smalltumor.text import date_text
from synthetic import grid_along

SHAPE = (40, 40, 10)
GRID = grid_along("LPS", SHAPE, (5, 5, 12))
NAMES = {"t1": "Ax T1", "t1ce": "Ax T1 POST", "t2": "Ax T2", "flair": "Ax FLAIR"}


def write_study(folder: Path, *modalities: str, **tags) -> Path:
    voxels = np.random.default_rng(0).integers(0, 900, SHAPE)
    for number, modality in enumerate(modalities or NAMES, start=1):
        where = folder / f"{len(list(folder.glob('*'))) if folder.exists() else 0}"
        name, times = NAMES[modality], TIMES[modality]
        write_series(where, voxels, GRID, name, number=number, times=times, **tags)
    return folder


def test_a_study_without_flair_is_refused_unless_it_may_be_missing(tmp_path):
    write_study(tmp_path, "t1", "t1ce", "t2")
    with pytest.raises(CaseError, match="no series is FLAIR") as refused:
        find_source(tmp_path, {})
    assert refused.value.remedy.action is Action.NAME_MODALITIES
    assert refused.value.remedy.modalities == ("flair",)
    source = find_source(tmp_path, {}, allow_missing=True)
    assert set(source.assignment.chosen) == {"t1", "t1ce", "t2"}


def test_t1ce_is_never_missing(tmp_path):
    write_study(tmp_path, "t1", "t2", "flair")
    with pytest.raises(CaseError, match="no series is T1CE"):
        find_source(tmp_path, {}, allow_missing=True)


def test_of_two_studies_one_must_be_chosen(tmp_path):
    write_study(tmp_path, study="1.1")
    write_study(tmp_path, study="1.2", StudyDate="20250101")
    with pytest.raises(CaseError, match="holds 2 studies") as refused:
        find_source(tmp_path, {})
    assert refused.value.remedy.action is Action.CHOOSE_STUDY
    source = find_source(tmp_path, {}, study=StudyChoice("2"))
    assert {s.study for s in source.assignment.chosen.values()} == {"1.2"}


@pytest.mark.parametrize(
    "anna", [{"patient": "Anna"}, {"patient": "Bert", "StudyDate": "20200101"}]
)
def test_a_file_of_a_study_never_stands_for_another_one_in_its_folder(tmp_path, anna):
    write_study(tmp_path, "t2", study="1.2", **anna)
    write_study(tmp_path, study="1.3", patient="Bert")
    who = f"patient {anna['patient']}, {date_text(anna.get('StudyDate', '20240102'))}"
    with pytest.raises(CaseError, match=f"^{who}: no series is FLAIR, T1CE or T1") as refused:
        find_source(tmp_path, {}, study=StudyChoice("1.2"), allow_missing=True)
    assert refused.value.remedy.modalities == ("t1ce",)
    source = find_source(tmp_path, {}, study=StudyChoice("1.3"))
    assert {s.study for s in source.assignment.chosen.values()} == {"1.3"}


def test_sequences_of_two_patients_are_never_joined(tmp_path):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", patient="A")
    write_study(tmp_path / "b", "flair", patient="B")
    flair = tmp_path / "b" / "0"
    with pytest.raises(CaseError, match="the series are of 2 patients"):
        find_source(tmp_path / "a", {"flair": flair})


def test_patients_without_an_id_are_told_apart_by_their_names(tmp_path):
    write_study(tmp_path, "t1", "t1ce", "t2", patient="", PatientName="Meier^Anna")
    write_study(tmp_path, "flair", patient="", PatientName="Huber^Eva")
    with pytest.raises(CaseError, match=r"of another study, patient Huber\^Eva"):
        find_source(tmp_path, {}, study=StudyChoice(patient="Meier^Anna"))


def test_two_names_with_one_id_are_said(tmp_path):
    write_study(tmp_path, "t1", "t1ce", "t2", PatientName="Meier^Anna")
    write_study(tmp_path, "flair", PatientName="MEIER^ANNA ")
    assert not find_source(tmp_path, {}).warnings
    write_study(tmp_path / "other", "t1", "t1ce", "t2", PatientName="Meier^Anna")
    write_study(tmp_path / "other", "flair", PatientName="Huber^Eva")
    (warning,) = find_source(tmp_path / "other", {}).warnings
    assert str(warning) == (
        "the headers name 2 patients with one ID: Huber^Eva and Meier^Anna; check that they are one"
    )


@pytest.mark.parametrize("id_", ["", "P1"])
@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Meier^Anna", "MEIER^ANNA"),
        ("Meier^Anna", "Meier^Anna^^"),
        ("Meier^Anna", "Meier, Anna"),
        ("Meier^Anna", "Meier^Anna^^Dr."),
        ("Meier^Anna", "Meier^Anna^Maria"),
        ("Müller^Anna", "Mueller^Anna"),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou"),
        ("Meier^Anna", ""),
        ("", "Anonymous"),
        ("Meier^Anna", "Unknown^Patient"),
    ],
)
def test_spellings_of_one_name_are_one_patient_of_the_study(tmp_path, id_, name, spelled):
    unicode = {"SpecificCharacterSet": "ISO_IR 192"}
    write_study(tmp_path, "t1", "t1ce", "t2", patient=id_, PatientName=name, **unicode)
    write_study(tmp_path, "flair", patient=id_, PatientName=spelled, **unicode)
    source = find_source(tmp_path, {})
    assert set(source.assignment.chosen) == set(NAMES) and not source.warnings


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Meier^Anna", "Meier^Anne"),
        ("Meier^Anna^Maria", "Meier^Anna^Berta"),
        ("Smith^John^^^Jr", "Smith^John^^^Sr"),
        ("Anonymous^1", "Anonymous^2"),
        ("Muller^Anna", "Müller^Anna"),
    ],
)
def test_different_names_are_of_two_patients(tmp_path, name, other):
    unicode = {"SpecificCharacterSet": "ISO_IR 192"}
    for where, who in (("named", ""), ("one_id", "P1")):
        write_study(tmp_path / where, "t1", "t1ce", "t2", patient=who, PatientName=name, **unicode)
        write_study(tmp_path / where, "flair", patient=who, PatientName=other, **unicode)
    with pytest.raises(CaseError, match="of another study, patient"):
        find_source(tmp_path / "named", {}, study=StudyChoice(patient=name))
    (warning,) = find_source(tmp_path / "one_id", {}).warnings
    assert "the headers name 2 patients with one ID" in str(warning)


def test_a_series_of_nobody_joins_neither_of_two_patients_nor_another_study(tmp_path):
    write_study(tmp_path / "a", "t1", "t1ce", patient="", PatientName="Meier^Anna")
    write_study(tmp_path / "a", "t2", patient="", PatientName="Huber^Eva")
    write_study(tmp_path / "a", "flair", patient="", PatientName="Anonymous")
    with pytest.raises(CaseError, match="no series is FLAIR or T2"):
        find_source(tmp_path / "a", {}, study=StudyChoice(patient="Meier^Anna"))
    write_study(tmp_path / "b", "t1", "t1ce", "t2", patient="", PatientName="Meier^Anna")
    write_study(tmp_path / "b", "flair", patient="", PatientName="", study="1.3")
    with pytest.raises(CaseError, match="of another study, patient without ID"):
        find_source(tmp_path / "b", {})


def test_named_series_of_one_patient_may_spell_the_name_differently(tmp_path):
    write_study(tmp_path / "a", "t1", "t1ce", "t2", patient="", PatientName="Meier^Anna")
    for folder, name in (("b", "MEIER, ANNA"), ("c", "Huber^Eva")):
        write_study(tmp_path / folder, "flair", patient="", PatientName=name)
    assert find_source(tmp_path / "a", {"flair": tmp_path / "b" / "0"})
    with pytest.raises(CaseError, match="the series are of 2 patients"):
        find_source(tmp_path / "a", {"flair": tmp_path / "c" / "0"})


@pytest.mark.parametrize("placeholder", ["00010101", "19000101", "19691231"])
def test_a_date_that_stands_for_an_unknown_one_makes_no_visit(tmp_path, placeholder):
    write_study(tmp_path, "flair", StudyDate=placeholder)
    write_study(tmp_path, "t1", "t1ce", "t2", StudyDate="20240102")
    assert set(find_source(tmp_path, {}).assignment.chosen) == set(NAMES)
    (study,) = find_studies(tmp_path).studies
    assert study.date == "20240102"


def test_two_visits_with_the_uid_of_one_study_are_two(tmp_path):
    write_study(tmp_path, "t1", "t1ce", "t2", StudyDate="20240102")
    write_study(tmp_path, "flair", StudyDate="20240103")  # past midnight
    assert set(find_source(tmp_path, {}).assignment.chosen) == set(NAMES)
    write_study(tmp_path / "other", "t1", "t1ce", "t2", StudyDate="20240102")
    write_study(tmp_path / "other", "flair", StudyDate="20230101")
    with pytest.raises(CaseError, match="of another study, patient P1, 2023-01-01"):
        find_source(tmp_path / "other", {})


def test_a_sequence_that_another_patient_of_the_folder_has_is_named_with_the_patient(tmp_path):
    write_study(tmp_path / "a", "t1", "t1ce", "flair", patient="A")
    write_study(tmp_path / "b", "t2", patient="B")
    with pytest.raises(
        CaseError, match=r"no series is T2; .*patient B, 2024-01-02, there is 1 Ax T2"
    ):
        find_source(tmp_path, {}, study=StudyChoice(patient="A"))


def test_a_series_can_be_chosen_by_its_number_in_the_list(tmp_path):
    write_study(tmp_path)
    source = find_source(tmp_path, {"t1": Path("2"), "t1ce": Path("1")})
    chosen = source.assignment.chosen
    assert (chosen["t1"].title, chosen["t1ce"].title) == ("2 Ax T1 POST", "1 Ax T1")
    with pytest.raises(CaseError, match="no series 9; the study has 4"):
        find_source(tmp_path, {"t1": Path("9")})


def test_a_series_can_be_given_by_one_of_its_files(tmp_path):
    study = write_study(tmp_path)
    slices = {m: sorted((study / f"{n}").iterdir())[3] for n, m in enumerate(NAMES)}
    chosen = find_source(None, slices).assignment.chosen
    assert {m: s.title for m, s in chosen.items()} == {
        m: f"{number} {name}" for number, (m, name) in enumerate(NAMES.items(), start=1)
    }


@pytest.mark.parametrize("is_searched", [True, False])
def test_a_file_or_folder_stands_for_its_series_with_the_slices_in_other_folders(
    tmp_path, is_searched
):
    disc = write_study(tmp_path / "disc")
    t1, t1ce, t2, flair = (disc / str(number) for number in range(4))
    slices = sorted(t1ce.iterdir())
    for number, file in enumerate(slices):
        part = disc / f"part{number // 4}"
        part.mkdir(exist_ok=True)
        file.rename(part / file.name)
    t1ce.rmdir()
    write_study(disc / "later", study="1.9")
    others = {"t1": t1, "t2": t2, "flair": flair}
    searched, study = (disc, StudyChoice("1")) if is_searched else (None, StudyChoice())
    named = [min((disc / "part0").iterdir()), *([disc / "part0"] if is_searched else [])]
    for path in named:
        chosen = find_source(searched, {"t1ce": path, **others}, study=study).assignment.chosen
        assert len(chosen["t1ce"].files) == len(slices)


def test_files_of_any_name_can_be_given_one_by_one(tmp_path):
    given = {}
    for modality, name in zip(NAMES, "abcd", strict=True):
        given[modality] = tmp_path / f"{name}.nii.gz"
        nib.save(nib.Nifti1Image(np.ones(SHAPE, np.int16), GRID.affine), given[modality])
    source = find_source(None, given)
    assert source.name == tmp_path.name
    assert {m: s.title for m, s in source.assignment.chosen.items()} == {
        "t1": "a.nii.gz",
        "t1ce": "b.nii.gz",
        "t2": "c.nii.gz",
        "flair": "d.nii.gz",
    }
    del given["t2"]
    with pytest.raises(CaseError, match="no series is T2"):
        find_source(None, given)
    (tmp_path / "x.txt").write_text("text")
    with pytest.raises(CaseError, match="neither a volume"):
        find_source(None, given | {"t2": tmp_path / "x.txt"})


def test_folders_named_by_their_sequence_are_a_case(tmp_path):
    for number, folder in enumerate(("T1", "T1CE", "T2", "FLAIR"), start=1):
        data = np.random.default_rng(number).integers(1, 900, SHAPE).astype(np.uint16)
        tags = {"times": (None, None, None), "number": number}
        write_series(tmp_path / "P1" / folder, data, GRID, "anonymous", **tags)
    source = find_source(tmp_path, {})
    chosen = source.assignment.chosen
    assert {m: s.location.name for m, s in chosen.items()} == {
        "t1": "T1",
        "t1ce": "T1CE",
        "t2": "T2",
        "flair": "FLAIR",
    }
    assert 'the folder has "t1ce"' in source.assignment.reasons["t1ce"].text


def test_that_files_of_several_folders_are_one_patient_is_a_warning(tmp_path):
    for name in ("t1", "t1_gd", "t2", "flair"):
        (tmp_path / name).mkdir()
        image = nib.Nifti1Image(np.ones(SHAPE, np.int16), GRID.affine)
        nib.save(image, tmp_path / name / f"{name}.nii.gz")
    (warning,) = find_source(tmp_path, {}).warnings
    assert str(warning) == "the files of 4 folders are taken as one patient at one time"


def test_that_nothing_tells_of_one_patient_is_a_warning_with_the_files(tmp_path):
    for name in ("Anna_t1", "Bert_t1ce", "Carl_t2", "Dora_flair"):
        image = nib.Nifti1Image(np.ones(SHAPE, np.int16), GRID.affine)
        nib.save(image, tmp_path / f"{name}.nii.gz")
    (warning,) = find_source(tmp_path, {}).warnings
    assert str(warning).startswith(
        "names and headers do not show that 4 files are of one patient: Anna_t1.nii.gz, Bert_t1ce"
    )


@pytest.mark.parametrize("stripped", ["hdbet", "brain", "skull_stripped", "N4"])
def test_names_that_differ_only_in_how_images_were_processed_are_of_one_patient(tmp_path, stripped):
    for name in ("t1", "t1ce", "t2", "flair"):
        image = nib.Nifti1Image(np.ones(SHAPE, np.int16), GRID.affine)
        nib.save(image, tmp_path / f"TCGA-FG-6692_{name}.nii.gz")
        nib.save(image, tmp_path / f"TCGA-FG-6692_{name}_{stripped}.nii.gz")
    warnings = map(str, find_source(tmp_path, {}).warnings)
    assert not [text for text in warnings if "one patient" in text]


def test_volumes_of_other_formats_are_series(tmp_path):
    sitk = pytest.importorskip("SimpleITK", reason="the extra raw is not installed")
    for name in ("t1.mha", "t1_gd.nrrd", "t2.mha", "flair.nrrd"):
        image = sitk.GetImageFromArray(np.ones(SHAPE[::-1], np.int16))
        image.SetSpacing((0.9, 0.9, 5.0))
        sitk.WriteImage(image, str(tmp_path / name))
    source = find_source(tmp_path, {})
    chosen = source.assignment.chosen
    assert {m: s.title for m, s in chosen.items()} == {
        "t1": "t1.mha",
        "t1ce": "t1_gd.nrrd",
        "t2": "t2.mha",
        "flair": "flair.nrrd",
    }
    t1ce = chosen["t1ce"]
    assert (t1ce.shape, t1ce.spacing) == (SHAPE, pytest.approx((0.9, 0.9, 5.0)))
    assert t1ce.read().grid.spacing == pytest.approx((0.9, 0.9, 5.0))
