"""Finding cases by the names of their files."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest
from smalltumor.data.identity.case_names import is_named_after
from smalltumor.data.identity.patients import same_patient
from smalltumor.data.naming.case_files import MODALITIES, CaseFiles
from smalltumor.data.naming.file_names import case_name
from smalltumor.data.naming.find_cases import find_case_files, find_cases, label_scheme_hint
from smalltumor.data.naming.grouping import group_files
from smalltumor.errors import CaseError

CONVENTIONS = {
    "BraTS 2017": ("Brats17_TCIA_1_{}", "flair t1ce t1 t2 seg", "brats2018"),
    "BraTS 2021": ("BraTS2021_00019_{}", "flair t1ce t1 t2 seg", "brats2018"),
    "BraTS 2023": ("BraTS-GLI-00005-100-{}", "t2f t1c t1n t2w seg", "brats2023"),
    "UPENN-GBM": ("UPENN-GBM-00003_11_{}", "FLAIR T1GD T1 T2 segm", "brats2018"),
    "UCSF-PDGM": ("UCSF-PDGM-0004_{}", "FLAIR T1c T1 T2 tumor_segmentation", "brats2018"),
    "bare": ("{}", "flair t1ce t1 t2 seg", "brats2018"),
}


def touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in names]
    for path in paths:
        path.touch()
    return paths


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_case_of_every_naming_is_found(tmp_path, convention, suffix):
    pattern, words, hint = CONVENTIONS[convention]
    names = [pattern.format(word) + suffix for word in words.split()]
    paths = touch(tmp_path / "patient", *names)
    found = find_case_files(tmp_path / "patient")
    assert found.problem() is None
    assert found.name == (pattern[:-3].rstrip("_-") or "patient")
    assert [found.modalities[m] for m in MODALITIES] == [[p] for p in paths[:4]]
    assert found.labels == [paths[4]]
    assert found.scheme_hint == hint


def test_a_file_leads_to_its_siblings_among_other_cases(tmp_path):
    for case in ("a", "b"):
        touch(tmp_path, *[f"{case}_{m}.nii.gz" for m in (*MODALITIES, "seg")])
    found = find_case_files(tmp_path / "b_t1.nii.gz")
    assert found.name == "b"
    assert {p.name[0] for paths in found.modalities.values() for p in paths} == {"b"}


def test_files_form_a_case_in_any_order(tmp_path):
    paths = touch(tmp_path, *[f"a_{m}.nii.gz" for m in MODALITIES])
    for start in range(4):
        found = find_case_files(paths[start:] + paths[:start])
        assert found.problem() is None
        assert found.name == "a"


def test_a_missing_modality_is_named(tmp_path):
    touch(tmp_path, "a_t1.nii.gz", "a_t2.nii.gz", "a_flair.nii.gz")
    found = find_case_files(tmp_path)
    assert found.missing == ("t1ce",)
    assert "no T1CE image" in found.problem()
    assert "a_t1.nii.gz" in found.problem()


@pytest.mark.parametrize("missing", ["t1", "t2", "flair", "t1 t2 flair"])
def test_t1_t2_and_flair_may_be_missing_where_that_is_allowed(tmp_path, missing):
    touch(tmp_path, *[f"a_{m}.nii.gz" for m in MODALITIES if m not in missing.split()])
    found = find_case_files(tmp_path)
    assert set(found.missing) == set(missing.split())
    assert found.problem() is not None
    assert found.problem(allow_missing=True) is None


def test_t1ce_may_never_be_missing(tmp_path):
    touch(tmp_path, "a_t1.nii.gz", "a_flair.nii.gz")
    assert find_case_files(tmp_path).problem(allow_missing=True).startswith("no T1CE image beside")


@pytest.mark.parametrize("twin", ["a_t1ce.nii", "a_t1gd.nii.gz", "A_T1CE.nii.gz"])
def test_two_files_for_one_modality_are_named(tmp_path, twin):
    touch(tmp_path, *[f"a_{m}.nii.gz" for m in MODALITIES], twin)
    problem = find_case_files(tmp_path).problem()
    assert "2 files for T1CE" in problem
    assert twin in problem


def test_files_of_other_kinds_are_ignored(tmp_path):
    touch(
        tmp_path,
        *[f"UCSF-PDGM-0004_{m}.nii.gz" for m in ("FLAIR", "T1c", "T1", "T2")],
        *[f"UCSF-PDGM-0004_{m}_bias.nii.gz" for m in ("FLAIR", "T1c", "T1", "T2")],
        "UCSF-PDGM-0004_brain_segmentation.nii.gz",
        "UCSF-PDGM-0004_brain_parenchyma_segmentation.nii.gz",
        "UCSF-PDGM-0004_tumor_segmentation.nii.gz",
        "UCSF-PDGM-0004_SWI.nii.gz",
        "._UCSF-PDGM-0004_T1.nii.gz",
    )
    found = find_case_files(tmp_path)
    assert found.problem() is None
    assert [p.name for p in found.labels] == ["UCSF-PDGM-0004_tumor_segmentation.nii.gz"]


def test_an_automatic_segmentation_is_ignored(tmp_path):
    touch(
        tmp_path,
        *[f"UPENN-GBM-00003_11_{m}.nii.gz" for m in ("FLAIR", "T1GD", "T1", "T2")],
        "UPENN-GBM-00003_11_automated_approx_segm.nii.gz",
    )
    assert find_case_files(tmp_path).labels == []


def test_the_segmentation_with_another_name_in_brats_2020_is_found(tmp_path):
    touch(
        tmp_path,
        *[f"BraTS20_Training_355_{m}.nii" for m in MODALITIES],
        "W39_1998.09.19_Segm.nii",
    )
    found = find_case_files(tmp_path)
    assert found.name == "BraTS20_Training_355"
    assert len(found.labels) == 1


def test_decathlon_cases_are_found_with_their_labels(tmp_path):
    touch(tmp_path / "imagesTr", "BRATS_001.nii.gz", "BRATS_002.nii.gz")
    touch(tmp_path / "labelsTr", "BRATS_001.nii.gz", "BRATS_002.nii.gz")
    cases = find_cases(tmp_path)
    assert [c.name for c in cases] == ["BRATS_001", "BRATS_002"]
    assert cases[1].labels == [tmp_path / "labelsTr" / "BRATS_002.nii.gz"]
    assert cases[1].scheme_hint == "msd"
    assert label_scheme_hint(tmp_path / "labelsTr" / "BRATS_001.nii.gz") == "msd"


def test_the_images_next_to_a_label_file_suggest_its_scheme(tmp_path):
    touch(tmp_path, *[f"a-{word}.nii.gz" for word in ("t2f", "t1c", "t1n", "t2w", "seg")])
    touch(tmp_path, *[f"b_{m}.nii.gz" for m in (*MODALITIES, "seg")], "c_seg.nii.gz", "d.nii.gz")
    hints = {name: label_scheme_hint(tmp_path / f"{name}.nii.gz") for name in ("a-seg", "b_seg")}
    assert hints == {"a-seg": "brats2023", "b_seg": "brats2018"}
    assert label_scheme_hint(tmp_path / "c_seg.nii.gz") is None
    assert label_scheme_hint(tmp_path / "d.nii.gz") is None


def test_cases_are_found_in_one_folder_and_in_subfolders(tmp_path):
    for case in ("c", "a"):
        touch(tmp_path / "nested" / case, *[f"{case}_{m}.nii.gz" for m in MODALITIES])
    for case in ("d", "b"):
        touch(tmp_path, *[f"{case}_{m}.nii.gz" for m in MODALITIES])
    assert [c.name for c in find_cases(tmp_path)] == ["a", "b", "c", "d"]


def test_two_cases_whose_names_differ_only_in_spelling_have_the_folders_before_their_names(
    tmp_path,
):
    """A file system may take both names for one, so that results of one would replace the other."""
    for folder, form in (("a", "NFC"), ("b", "NFD")):
        touch(tmp_path / folder, *(f"{normalize(form, 'Jörg')}_{m}.nii.gz" for m in MODALITIES))
    touch(tmp_path / "c", *(f"JÖRG_{m}.nii.gz" for m in MODALITIES))
    names = [case.name for case in find_cases(tmp_path)]
    assert [normalize("NFC", name) for name in names] == ["a_Jörg", "b_Jörg", "c_JÖRG"]


def test_unnamed_cases_in_subfolders_are_named_after_them(tmp_path):
    for case in ("p1", "p2"):
        touch(tmp_path / case, *[f"{m}.nii.gz" for m in MODALITIES])
    assert [c.name for c in find_cases(tmp_path)] == ["p1", "p2"]
    assert find_case_files(tmp_path / "p2").name == "p2"
    assert find_case_files(tmp_path / "p2" / "t1.nii.gz").name == "p2"


def test_several_cases_in_one_folder_are_refused(tmp_path):
    for case in ("a", "b"):
        touch(tmp_path, *[f"{case}_{m}.nii.gz" for m in MODALITIES])
    with pytest.raises(CaseError, match="2 cases"):
        find_case_files(tmp_path)


def test_empty_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(CaseError, match="holds no case"):
        find_case_files(tmp_path)
    with pytest.raises(CaseError, match="does not exist"):
        find_case_files(tmp_path / "nowhere")
    with pytest.raises(CaseError, match="holds no case"):
        find_cases(tmp_path)
    with pytest.raises(CaseError, match="not a folder"):
        find_cases(tmp_path / "nowhere")
    assert group_files([]) == []


def test_linked_folders_are_searched_once(tmp_path):
    elsewhere = tmp_path / "archive" / "pat1"
    elsewhere.mkdir(parents=True)
    for modality in MODALITIES:
        (elsewhere / f"pat1_{modality}.nii.gz").touch()
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    (cohort / "pat1").symlink_to(elsewhere, target_is_directory=True)
    (cohort / "again").symlink_to(elsewhere, target_is_directory=True)
    (cohort / "circle").symlink_to(cohort, target_is_directory=True)
    assert [case.name for case in find_cases(cohort)] == ["pat1"]


def test_circular_links_are_followed_once(tmp_path):
    touch(tmp_path, *[f"a_{m}.nii.gz" for m in MODALITIES])
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(find_cases(tmp_path)) == 1


def test_names_may_have_spaces_quotes_and_other_alphabets(tmp_path):
    name = 'päti\'ent 1 "β"'
    touch(tmp_path, *[f"{name}_{m}.nii.gz" for m in MODALITIES])
    assert find_case_files(tmp_path).name == name


@pytest.mark.parametrize("separator", ["", "_", "-", " "])
def test_files_named_by_modality_alone_take_the_folders_name(tmp_path, separator):
    folder = tmp_path / "patient7"
    files = touch(folder, *[f"{separator}{m}.nii.gz" for m in (*MODALITIES, "seg")])
    assert [case.name for case in find_cases(folder)] == ["patient7"]
    assert [case.name for case in group_files(files)] == ["patient7"]
    assert find_case_files(files).name == "patient7"


def test_a_case_in_the_working_directory_takes_its_name(tmp_path, monkeypatch):
    touch(tmp_path / "patient7" / "scans", *[f"{m}.nii.gz" for m in MODALITIES])
    monkeypatch.chdir(tmp_path / "patient7" / "scans")
    assert [case.name for case in find_cases(Path())] == ["scans"]
    assert find_case_files(Path("t1.nii.gz")).name == "scans"
    assert find_case_files(Path("../scans/../scans")).name == "scans"
    assert find_case_files(Path()).name == "scans"
    monkeypatch.chdir(tmp_path / "patient7")
    assert [case.name for case in find_cases(Path("scans/../scans"))] == ["scans"]


@pytest.mark.parametrize("folder", [".hidden", "CON", "P1."])
def test_an_unsafe_folder_name_is_changed(tmp_path, folder):
    touch(tmp_path / folder, *[f"{m}.nii.gz" for m in MODALITIES])
    (case,) = find_cases(tmp_path / folder)
    assert case.name == {".hidden": "_hidden", "CON": "_CON", "P1.": "P1dot"}[folder]


@pytest.mark.parametrize(("end", "word"), [(".", "dot"), (" ", "space")])
def test_names_that_differ_by_a_dot_or_space_at_the_end_are_of_two_patients(tmp_path, end, word):
    words = (*MODALITIES, "seg")
    touch(tmp_path, *[f"{name}_{m}.nii.gz" for name in ("P1", f"P1{end}") for m in words])
    cases = find_cases(tmp_path)
    assert [case.name for case in cases] == ["P1", f"P1{word}"]
    names = [case.name for case in cases]
    assert not same_patient(*names)
    assert not is_named_after(f"{names[1]}_seg", names[0], None)
    assert [[path.name for path in case.labels] for case in cases] == [
        ["P1_seg.nii.gz"],
        [f"P1{end}_seg.nii.gz"],
    ]
    assert case_name(tmp_path / f"P1{end}_seg.nii.gz") == f"P1{word}"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "nul", "P1 "])
def test_an_unsafe_case_name_is_refused(name):
    with pytest.raises(CaseError, match="is not a name"):
        CaseFiles(name)


def test_an_image_without_a_case_s_name_beside_a_complete_case_is_not_another_case(tmp_path):
    paths = touch(tmp_path / "P7", *(f"P7_{m}.nii.gz" for m in MODALITIES), "T1.mgz", "seg.nii.gz")
    found = find_case_files(tmp_path / "P7")
    assert [found.modalities[m] for m in MODALITIES] == [[p] for p in paths[:4]]
    assert found.labels == paths[5:]
    assert found.notes == ["T1.mgz was not used: other images are named after P7"]
    assert len(find_cases(tmp_path)) == 1


def test_images_without_a_name_beside_an_incomplete_case_are_said(tmp_path):
    touch(tmp_path / "P7", *(f"P7_{m}.nii.gz" for m in MODALITIES[1:]), "T1.mgz")
    with pytest.raises(CaseError, match="2 cases, by their names"):
        find_case_files(tmp_path / "P7")
