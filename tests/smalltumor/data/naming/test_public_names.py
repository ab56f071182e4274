"""File and folder names of public data sets and of tools; each row has its source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.naming.find_cases import find_case_files, find_cases
from smalltumor.data.read_case import read_case
from smalltumor.errors import CaseError
from synthetic import LPS, SHAPE


@dataclass(frozen=True)
class Naming:
    """How a source names FLAIR, T1CE, T1, T2 and, if it has one, the expert's segmentation.

    Other files of the source that are in the same folder must not be taken for them.
    """

    source: str
    pattern: str
    words: str
    case: str = "folder"
    scheme: str | None = None
    others: str = ""

    def files(self) -> list[str]:
        return [self.pattern.format(word) for word in self.words.split()]


V23, V18, V24P = "brats2023", "brats2018", "brats2024-ped"
BRATS_18, BRATS_23 = "flair t1ce t1 t2 seg", "t2f t1c t1n t2w seg"
UCSF_OTHERS = "{}_SWI {}_FLAIR_bias {}_T1c_bias {}_T1_bias {}_T2_bias {}_ADC {}_DTI_eddy_FA {}_ASL "
UCSF_OTHERS += "{}_brain_segmentation {}_brain_parenchyma_segmentation"

NAMINGS = [
    # BraTS: synapse.org syn51156910 and the pages of the earlier years
    Naming("BraTS 2013", "VSD.Brain.XX.O.{}.54512", "MR_Flair MR_T1c MR_T1 MR_T2 OT", "VSD.Brain",
           "brats2013"),
    Naming("BraTS 2017", "Brats17_TCIA_167_1_{}", BRATS_18, "Brats17_TCIA_167_1", V18),
    Naming("BraTS 2018", "Brats18_CBICA_AAB_1_{}", BRATS_18, "Brats18_CBICA_AAB_1", V18),
    Naming("BraTS 2019", "BraTS19_2013_10_1_{}", BRATS_18, "BraTS19_2013_10_1", V18),
    Naming("BraTS 2020", "BraTS20_Training_001_{}", BRATS_18, "BraTS20_Training_001", V18),
    Naming("BraTS 2021", "BraTS2021_00019_{}", BRATS_18, "BraTS2021_00019", V18),
    Naming("BraTS 2021, upper case", "BRATS2021_00019_{}", "FLAIR T1CE T1 T2 SEG",
           "BRATS2021_00019", V18),
    Naming("BraTS-Reg 2022", "BraTSReg_001_00_0000_{}", "flair t1ce t1 t2", "BraTSReg_001_00_0000",
           V18),
    Naming("BraTS 2023", "BraTS-GLI-00005-100-{}", BRATS_23, "BraTS-GLI-00005-100", V23),
    Naming("BraTS-SSA 2023", "BraTS-SSA-00002-000-{}", BRATS_23, "BraTS-SSA-00002-000", V23),
    Naming("BraTS-MEN 2023", "BraTS-MEN-00008-000-{}", BRATS_23, "BraTS-MEN-00008-000", V23),
    Naming("BraTS-MET 2023", "BraTS-MET-00086-000-{}", BRATS_23, "BraTS-MET-00086-000", V23),
    Naming("BraTS-PED 2023", "BraTS-PED-00051-000-{}", BRATS_23, "BraTS-PED-00051-000", V24P),
    Naming("BraTS 2024, post-treatment", "BraTS-GLI-02143-101-{}", BRATS_23, "BraTS-GLI-02143-101",
           V23),
    Naming("BraTS 2024, GoAT", "BraTS-GoAT-00000-{}", BRATS_23, "BraTS-GoAT-00000", V23),
    Naming("BraTS toolkit", "hdbet_brats-{}", "t2f t1c t1n t2w", "hdbet_brats", V23),
    # The Cancer Imaging Archive
    Naming("BraTS-TCGA", "TCGA-02-0006_1996.08.23_{}",
           "flair t1Gd t1 t2 GlistrBoost_ManuallyCorrected", "TCGA-02-0006_1996.08.23", V18,
           "TCGA-02-0006_1996.08.23_GlistrBoost"),
    Naming("UPENN-GBM", "UPENN-GBM-00003_11_{}", "FLAIR T1GD T1 T2 segm", "UPENN-GBM-00003_11", V18,
           "UPENN-GBM-00003_11_automated_approx_segm UPENN-GBM-00003_11_T1_unstripped"),
    Naming("UCSF-PDGM", "UCSF-PDGM-0004_{}", "FLAIR T1c T1 T2 tumor_segmentation",
           "UCSF-PDGM-0004", V18, UCSF_OTHERS.replace("{}", "UCSF-PDGM-0004")),
    Naming("UCSF-PDGM, later scan", "UCSF-PDGM-0429_FU003d_{}",
           "FLAIR T1c T1 T2 tumor_segmentation", "UCSF-PDGM-0429_FU003d", V18),
    Naming("UCSF-ALPTDG", "100010_time1_{}", BRATS_18, "100010_time1", None),
    Naming("UCSF-BMSR", "100101A_{}", "FLAIR T1post T1pre T2 seg", "100101A", None,
           "100101A_T2Synth 100101A_subtraction"),
    Naming("UCSD-PTGBM", "UCSD-PTGBM-0002_01_{}", "FLAIR T1post T1pre T2 BraTS_tumor_seg",
           "UCSD-PTGBM-0002_01", None,
           "UCSD-PTGBM-0002_01_total_cellular_tumor_seg UCSD-PTGBM-0002_01_brain_mask"),
    Naming("MU-Glioma-Post", "PatientID_0003_Timepoint_1_{}",
           "brain_t2f brain_t1c brain_t1n brain_t2w tumorMask", "PatientID_0003_Timepoint_1", V23),
    Naming("RHUH-GBM", "RHUH-0001_0_{}", "flair t1ce t1 t2 segmentations", "RHUH-0001_0", V18,
           "RHUH-0001_0_adc"),
    Naming("LUMIERE", "{}", "FLAIR CT1 T1 T2", "folder"),
    Naming("LUMIERE, HD-GLIO-AUTO", "{}_r2s_bet_reg", "FLAIR CT1 T1 T2", "folder", None,
           "CT1_r2s_bet_mask T1sub_r2s_bet_reg"),
    Naming("LUMIERE, DeepBraTumIA", "{}_skull_strip", "flair ct1 t1 t2", "folder"),
    Naming("EGD", "{}", "FLAIR T1GD T1 T2 MASK", "folder"),
    Naming("EGD, numbered", "{}", "4_FLAIR 2_T1GD 1_T1 3_T2 5_MASK", "folder"),
    # BIDS: bids-specification.readthedocs.io, anatomical images; ds001226 and ds002080
    Naming("BIDS", "sub-01_{}", "FLAIR ce-GAD_T1w T1w T2w", "sub-01"),
    Naming("BIDS, session", "sub-01_ses-1_{}", "FLAIR ce-GAD_T1w T1w T2w", "sub-01_ses-1"),
    Naming("BIDS, gadolinium in full", "sub-01_{}", "FLAIR ce-gadolinium_T1w T1w T2w", "sub-01"),
    Naming("BIDS, no agent said", "sub-01_{}", "FLAIR ce-gd_T1w ce-none_T1w T2w", "sub-01"),
    Naming("BIDS, acquisition", "sub-01_{}", "acq-tse_FLAIR acq-post_T1w acq-pre_T1w acq-tse_T2w",
           "sub-01"),
    Naming("BIDS, run", "sub-01_ses-preop_{}",
           "run-1_FLAIR ce-GAD_run-1_T1w run-1_T1w run-1_T2w", "sub-01_ses-preop"),
    Naming("BIDS, reconstruction", "sub-01_{}", "FLAIR rec-postgad_T1w T1w T2w", "sub-01"),
    Naming("BIDS, mask and other images", "sub-01_{}",
           "FLAIR ce-GAD_T1w T1w T2w label-tumor_mask", "sub-01", None,
           "sub-01_desc-brain_mask sub-01_inv-1_MP2RAGE sub-01_T2star sub-01_label-GM_probseg"),
    Naming("BIDS derivative", "sub-01_space-T1w_{}",
           "FLAIR ce-GAD_T1w T1w T2w seg-tumor_dseg", "sub-01", None, "sub-01_desc-aseg_dseg"),
    Naming("BIDS, registered", "sub-01_{}", "space-orig_FLAIR ce-GAD_space-orig_T1w "
           "space-orig_T1w space-orig_T2w", "sub-01"),
    # nnU-Net: documentation/dataset_format.md; Dataset137_BraTS21.py
    Naming("nnU-Net", "BraTS_case_{}", "0003 0001 0000 0002", "BraTS_case"),
    Naming("nnU-Net, dots in the name", "p.1_{}", "0003 0001 0000 0002", "p.1"),
    # Tools and habits
    Naming("Capital letters", "Pat_{}", "FLAIR T1CE T1 T2 SEG", "Pat", V18),
    Naming("T1Gd and T2-FLAIR", "p1_{}", "T2-FLAIR T1Gd T1 T2", "p1"),
    Naming("T2-FLAIR alone", "{}", "T2-FLAIR T1Gd T1 T2", "folder"),
    Naming("T2_FLAIR", "p1_{}", "T2_FLAIR T1_Gd T1 T2", "p1"),
    Naming("T1post", "p1_{}", "T2FLAIR T1post T1pre T2", "p1"),
    Naming("T1_post", "p1_{}", "FLAIR T1_post T1_pre T2", "p1"),
    Naming("T1-CE", "p1-{}", "FLAIR T1-CE T1 T2", "p1"),
    Naming("T1w with C", "p1_{}", "FLAIR T1w_CE T1w T2w", "p1"),
    Naming("T1KM, of German clinics", "p1_{}", "FLAIR T1KM T1nativ T2", "p1"),
    Naming("Raidionics", "{}", "flair t1gd t1w t2w", "folder"),
    Naming("GaNDLF", "001_{}", "flair t1gd t1 t2 label", "001"),
    Naming("MONAI", "patient-7_{}", "flair t1ce t1 t2 label", "patient-7", V18),
    Naming("HD-BET", "p1_{}_bet", "flair t1ce t1 t2", "p1", V18,
           "p1_t1_bet_mask p1_flair_bet_mask p1_bet_mask"),
    Naming("FSL", "p1_{}_brain", "FLAIR T1Gd T1 T2", "p1", None, "p1_T1_brain_mask"),
    Naming("CaPTk", "p1_{}", "FLAIR_stripped T1GD_stripped T1_stripped T2_stripped", "p1"),
    Naming("numbered sequences", "{}", "04_flair 02_t1ce 01_t1 03_t2", "folder", V18),
    Naming("fla", "p_{}", "fla t1c t1 t2", "p"),
    Naming("spaces", "Pat 1 {}", "FLAIR T1CE T1 T2", "Pat 1", V18),
    Naming("before surgery", "P1_pre_{}", "flair t1ce t1 t2 seg", "P1_pre", V18),
    Naming("after surgery", "P1_post_{}", "flair t1ce t1 t2 seg", "P1_post", V18),
]  # fmt: skip

LITTER = ["._a_t1.nii.gz", ".DS_Store", "._.DS_Store", "Thumbs.db", "notes.txt", ".a_t1ce.nii.gz"]


def touch(folder: Path, names: list[str], suffix: str = ".nii.gz") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}{suffix}").touch()


@pytest.mark.parametrize("naming", NAMINGS, ids=lambda naming: naming.source)
def test_the_sequences_of_a_source_are_found(tmp_path, naming):
    folder = tmp_path / "folder"
    touch(folder, [*naming.files(), *naming.others.split()])
    touch(folder, LITTER, suffix="")
    found = find_case_files(folder)
    assert found.problem() is None
    assert found.name == naming.case
    names = [f"{name}.nii.gz" for name in naming.files()]
    assert [found.modalities[m][0].name for m in MODALITIES] == names[:4]
    assert [path.name for path in found.labels] == names[4:]
    assert found.scheme_hint == naming.scheme
    assert [case.name for case in find_cases(tmp_path)] == [naming.case]


WITH_A_COMMON_NAME = [n for n in NAMINGS if "numbered" not in n.source]


@pytest.mark.parametrize("naming", WITH_A_COMMON_NAME, ids=lambda naming: naming.source)
def test_one_file_leads_to_the_others(tmp_path, naming):
    touch(tmp_path, [*naming.files(), *naming.others.split()])
    found = find_case_files(tmp_path / f"{naming.files()[1]}.nii.gz")
    assert sorted(found.modalities) == sorted(MODALITIES)


def test_there_are_about_sixty_namings():
    assert len(NAMINGS) >= 60
    assert len({naming.source for naming in NAMINGS}) == len(NAMINGS)


def images(folder: Path, *names: str, thickness: float = 1.0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    affine = LPS @ np.diag([1, 1, thickness, 1])
    for name in names:
        nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), affine), folder / f"{name}.nii.gz")


def test_a_3d_image_goes_before_a_2d_one_and_that_is_said(tmp_path):
    images(tmp_path, "sub-01_FLAIR", "sub-01_T1w", "sub-01_T2w")
    images(tmp_path, "sub-01_ce-GAD_acq-tse_T1w", thickness=5)
    images(tmp_path, "sub-01_ce-GAD_acq-mprage_T1w")
    found = find_case_files(tmp_path)
    assert [path.name for path in found.modalities["t1ce"]] == [
        "sub-01_ce-GAD_acq-mprage_T1w.nii.gz"
    ]
    assert found.notes == [
        "sub-01_ce-GAD_acq-mprage_T1w.nii.gz was taken as T1CE, not "
        "sub-01_ce-GAD_acq-tse_T1w.nii.gz: it is 3D"
    ]


def test_the_last_run_is_taken_and_that_is_said(tmp_path):
    images(tmp_path, "sub-01_FLAIR", "sub-01_run-1_T1w", "sub-01_run-2_T1w", "sub-01_T2w")
    images(tmp_path, "sub-01_ce-GAD_T1w")
    found = find_case_files(tmp_path)
    assert [path.name for path in found.modalities["t1"]] == ["sub-01_run-2_T1w.nii.gz"]
    assert found.notes == [
        "sub-01_run-2_T1w.nii.gz was taken as T1, not sub-01_run-1_T1w.nii.gz: it is the last "
        "by name"
    ]


def test_brain_extracted_images_are_taken_if_all_sequences_have_them(tmp_path):
    touch(tmp_path, [f"p_{m}{end}" for m in MODALITIES for end in ("", "_bet")])
    found = find_case_files(tmp_path)
    assert all("_bet" in paths[0].name for paths in found.modalities.values())
    assert len(found.notes) == 4
    (tmp_path / "p_t2_bet.nii.gz").unlink()
    found = find_case_files(tmp_path)
    assert not any("_bet" in paths[0].name for paths in found.modalities.values())


@pytest.mark.parametrize("names", [("p_t1ce", "p_t1gd"), ("p_t1", "P_T1")])
def test_two_files_that_their_names_do_not_rank_are_no_case(tmp_path, names):
    touch(tmp_path, [f"p_{m}" for m in MODALITIES])
    touch(tmp_path, list(names))
    assert "2 files for" in find_case_files(tmp_path).problem()


def test_t1_given_twice_is_no_case(tmp_path):
    touch(tmp_path, [f"p_{m}" for m in MODALITIES])
    paths = [tmp_path / f"p_{m}.nii.gz" for m in (*MODALITIES, "t1")]
    with pytest.raises(CaseError, match="2 files for T1"):
        read_case(paths)


def test_visits_of_one_name_under_different_patients_are_told_apart(tmp_path):
    for patient in ("Patient-001", "Patient-002"):
        for week in ("week-000-1", "week-044"):
            touch(tmp_path / patient / week, ["T1", "CT1", "T2", "FLAIR"])
    names = [case.name for case in find_cases(tmp_path)]
    assert names == [
        f"{patient}_{week}"
        for patient in ("Patient-001", "Patient-002")
        for week in ("week-000-1", "week-044")
    ]
    assert [patient_of(name) for name in names] == ["Patient-001"] * 2 + ["Patient-002"] * 2


def test_cases_of_one_name_in_several_folders_are_told_apart(tmp_path):
    for visit in ("v1", "v2"):
        touch(tmp_path / "P1" / visit, [f"scan_{m}" for m in MODALITIES])
    touch(tmp_path / "P2", [f"other_{m}" for m in MODALITIES])
    assert [case.name for case in find_cases(tmp_path)] == ["P1_v1_scan", "P1_v2_scan", "other"]


@pytest.mark.parametrize(
    ("case", "patient"),
    [
        ("Patient-001_week-000-1", "Patient-001"),
        ("PatientID_0003_Timepoint_1", "PatientID_0003"),
        ("UCSD-PTGBM-0002_01", "UCSD-PTGBM-0002"),
        ("RHUH-0001_0", "RHUH-0001"),
        ("100010_time1", "100010"),
        ("P7_visit2", "P7"),
    ],
)
def test_time_points_are_of_one_patient(case, patient):
    assert patient_of(case) == patient


def stack(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.stack([np.full(SHAPE, n, np.int16) for n in (1, 2, 3, 4)], axis=-1)
    nib.save(nib.Nifti1Image(data, LPS), path)


def numbers(case) -> list[int]:
    return [int(case.volumes[m][0, 0, 0]) for m in ("t1", "t1ce", "t2", "flair")]


def test_the_assumed_order_of_channels_is_said_and_can_be_given(tmp_path):
    stack(tmp_path / "mine.nii.gz")
    case = read_case(tmp_path / "mine.nii.gz")
    assert numbers(case) == [2, 3, 4, 1]
    assert case.warnings == [
        "mine.nii.gz: the channels were taken as FLAIR, T1, T1CE, T2, which is assumed"
    ]
    case = read_case(tmp_path / "mine.nii.gz", channels=("T1", "t1ce", "t2", "flair"))
    assert numbers(case) == [1, 2, 3, 4]
    assert case.warnings == []
    with pytest.raises(CaseError, match="do not name each of"):
        read_case(tmp_path / "mine.nii.gz", channels=("t1", "t1", "t2", "flair"))


def test_the_order_of_channels_is_read_from_the_data_set(tmp_path):
    stack(tmp_path / "imagesTr" / "case_7.nii.gz")
    channels = {"0": "T1w", "1": "T2w", "2": "t1gd", "3": "FLAIR"}
    (tmp_path / "dataset.json").write_text(json.dumps({"modality": channels}))
    case = read_case(tmp_path / "imagesTr" / "case_7.nii.gz")
    assert numbers(case) == [1, 3, 2, 4]
    assert case.warnings == []


def test_the_order_of_nnunets_numbers_is_said_or_read_or_given(tmp_path):
    for n in range(4):
        path = tmp_path / "imagesTr" / f"case_7_000{n}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(np.full(SHAPE, n + 1, np.int16), LPS), path)
    touch(tmp_path / "labelsTr", ["case_7"])
    case = read_case(tmp_path / "imagesTr")
    assert numbers(case) == [1, 2, 3, 4]
    assert case.labels_path == tmp_path / "labelsTr" / "case_7.nii.gz"
    assert case.warnings == [
        "the files case_7_0000 to _0003 were taken as T1, T1CE, T2, FLAIR, which is assumed"
    ]
    given = read_case(tmp_path / "imagesTr", channels=("flair", "t1", "t1ce", "t2"))
    assert numbers(given) == [2, 3, 4, 1]
    names = {"0": "FLAIR", "1": "T1", "2": "T1CE", "3": "T2"}
    (tmp_path / "dataset.json").write_text(json.dumps({"channel_names": names}))
    case = read_case(tmp_path / "imagesTr" / "case_7_0002.nii.gz")
    assert (numbers(case), case.warnings) == ([2, 3, 4, 1], [])
