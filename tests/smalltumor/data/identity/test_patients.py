"""The patient of a case, by the names of public collections or by a table."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from smalltumor.data.identity.patients import patient_key, patient_of, read_patients
from smalltumor.errors import CaseError, SmalltumorError


@pytest.mark.parametrize(
    ("case", "patient"),
    [
        ("UPENN-GBM-00003_11", "UPENN-GBM-00003"),
        ("UPENN-GBM-00003_21", "UPENN-GBM-00003"),
        ("BraTS-GLI-00005-000", "BraTS-GLI-00005"),
        ("BraTS-GLI-00005-101", "BraTS-GLI-00005"),
        ("UCSF-PDGM-0429_FU003d", "UCSF-PDGM-0429"),
        ("UCSF-PDGM-0429", "UCSF-PDGM-0429"),
        ("sub-01_ses-02", "sub-01"),
        ("sub-01_ses-02_space-T1w", "sub-01"),
        ("sub-01", "sub-01"),
        ("BraTS2021_00019", "BraTS2021_00019"),
        ("BraTS19_CBICA_AAB_1", "BraTS19_CBICA_AAB_1"),
        ("case_00", "case_00"),
        ("Anna_visit2", "Anna"),
        ("P7-scan-2", "P7"),
        ("sub-01_ses-02_scan-1", "sub-01"),
        ("sub-01_ses-02_time-1", "sub-01"),
        ("sub-01_session-2", "sub-01"),
        ("P1_postop", "P1"),
        ("P1_pre-op", "P1"),
        ("P1_baseline", "P1"),
        ("P1_tp2", "P1"),
        ("P1_V2", "P1"),
        ("P1_follow-up_1", "P1"),
        ("P1_followup", "P1"),
        ("P1_day3", "P1"),
        ("P1-month6", "P1"),
        ("P1_today3", "P1_today3"),
        ("baseline", "baseline"),
        ("visit_1", "visit_1"),
        ("postop_2", "postop_2"),
        ("UCSF-PDGM-0429_FU003d", "UCSF-PDGM-0429"),
        ("brain_scan_001", "brain_scan_001"),
        ("GBM-scan-7", "GBM-scan-7"),
        ("Patient_visit_12", "Patient"),
        ("GBM_followup_3", "GBM"),
        ("patient3_visit_12", "patient3"),
        ("BraTS-GLI-00005-000-copy", "BraTS-GLI-00005-000-copy"),
        ("P1_pre", "P1"),
        ("P1_post", "P1"),
        ("P1_intraop", "P1"),
        ("P1_initial", "P1"),
        ("P1_2020-01-05", "P1"),
        ("P1_pre_2020-01-05", "P1"),
        ("P1_pre_nifti", "P1"),
        ("P1_registered", "P1"),
        ("Anna visit 2", "Anna"),
        ("pre_nifti", "pre_nifti"),
        ("2020-01-05_pre", "2020-01-05_pre"),
        ("GBM_baseline_001_visit2", "GBM_baseline_001"),
        ("MGH_scan_012_nifti", "MGH_scan_012"),
        ("MU-Glioma-Post-0003_Timepoint_1", "MU-Glioma-Post-0003"),
    ],
)
def test_names_of_public_collections_tell_the_patient(case, patient):
    assert patient_of(case) == patient


def test_a_table_goes_before_the_names(tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("patient,case,age\nann,a_1,50\nann, a_2 ,51\neve,UPENN-GBM-00003_11,60\n")
    listed = read_patients(path)
    assert [patient_of(case, listed) for case in ("a_1", "a_2", "a_3", "UPENN-GBM-00003_11")] == [
        *("ann", "ann", "a_3", "eve")
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("case,patient\na,b\na,c\n", "a is listed with two patients"),
        ("case,patient\na,\n", "no case or no patient"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(tmp_path, content, text):
    path = tmp_path / "patients.csv"
    path.write_text(content)
    with pytest.raises(CaseError, match=text):
        read_patients(path)


def test_another_table_is_named(tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("name,patient\na,b\n")
    with pytest.raises(SmalltumorError, match=r"patients\.csv is another table"):
        read_patients(path)


def test_names_are_one_in_composed_and_decomposed_letters(tmp_path):
    composed, decomposed = (normalize(form, "Köln_visit1") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert patient_key(composed) == patient_key(decomposed)
    path = tmp_path / "patients.csv"
    for listed, other in ((composed, decomposed), (decomposed, composed)):
        path.write_text(f"case,patient\n{listed},ann\n", encoding="utf-8")
        assert patient_of(other, read_patients(path)) == "ann"


def test_names_of_one_patient_are_compared_without_regard_to_case():
    assert patient_key("UPENN-GBM-00003_11") == patient_key("upenn-gbm-00003_21")
    assert patient_key("UPENN-GBM-00003_11") != patient_key("upenn-gbm-00004_11")


@pytest.mark.parametrize(
    "name",
    [
        *("GBM_baseline_{}", "LGG_preop_{}", "glioma_day_{}", "gbm_v1-{}", "study_month_{}"),
        *("UCSF_baseline_{}", "Anna_postop_{}", "MGH_scan_{}", "MGH_followup_{}"),
    ],
)
def test_numbered_cases_of_a_disease_or_an_institute_are_different_patients(name):
    assert patient_of(name.format("001")) != patient_of(name.format("002"))


def test_scans_of_a_study_that_are_named_by_dates_are_different_patients():
    assert patient_of("study_2020-01-05") != patient_of("study_2020-01-06")
