"""Which sequence a series is."""

from __future__ import annotations

import pytest
from smalltumor.scanner.sequences.classification import classify
from smalltumor.scanner.series import Acquisition

NAMES = {
    "t1": (
        "Ax T1",
        "t1_se_tra",
        "T1_AX_TCGA-FG-6692_SE_10_se2d1_t1",
        "SAG T1 FLAIR",
        "AX T1 pre gd",
        "t1_mprage_sag_p2_iso",
        "T1W 3D TFE w/o contrast",
        "T1 axial nativ",
        "sub-01_ses-1_T1w",
        "BraTS-GLI-00001-000-t1n",
        "sub-01_ce-none_T1w",
        "T1 ax post-op",
        "Sag CUBE T1 ASSET",
        "3D T1 BRAVO",
        "sT1W_3D_TFE",
        "FM_pilot_t1",
        "anat-T1w_acq-tfl; *tfl3d1_16ns",
        *("T1W WS", "3D T1 TFE WS SENSE"),
        *("SAG 3D T1 SANS GADO", "T1 AVANT GADO", "T1 avant injection", "T1 SANS CONTRASTE"),
        *("T1 MPRAGE ohne Kontrastmittel", "T1 ohne Kontrast", "T1 vor Kontrastmittel"),
        *("T1 o. KM", "T1 o KM", "T1 vor Gabe KM", "T1 vor KM-Gabe", "T1_ohne_KM", "T1 tra nativ"),
        *("T1 SIN CONTRASTE", "T1 SEM CONTRASTE", "T1 SENZA CONTRASTO", "T1 prima del mdc"),
        *("T1 zonder contrast", "T1 uden kontrast", "T1 bez kontrastu", "T1 BEFORE GD"),
        *(
            "T1 造影なし",
            "造影なしT1",
            "T1 未增强",
            "T1 非增强",
            "T1WI 增强前",
            "AX T1 BRAIN/CERVICAL",
        ),
        *("T1 head neck spine coil", "SAG T1 CRANIO-CERVICAL", "T1 SAG-T1 COR", "T1w-T1 MPRAGE"),
        *(
            "T1 no Gd",
            "T1 NO GAD",
            "T1 non-contrast",
            "T1 non ce",
            "T1W 造影前",
            "T1 単純",
            "T1 平扫",
        ),
        *("T1強調", "T1 Ventrikel", "T1 sag", "3D EG T1", "T1_syngo"),
        *("T1 senza mezzo di contrasto", "T1 造影剤投与前", "T1 C-", "T1 v. KM", "T1 post biopsy"),
        *("RM encefalo senza e con mdc; T1 MPRAGE", "T1 dopo intervento", "T1 POST FOSSA"),
    ),
    "t1ce": (
        "MRHR_T1_AX_POST_GAD",
        "AX T1 POST GD FLAIR",
        "Ax T1 +C",
        "t1_mprage_sag KM",
        "T1 mit Kontrastmittel",
        "sub-01_ses-1_ce-GAD_T1w",
        "BraTS-GLI-00001-000-t1c",
        "UPENN-GBM-00001_11_T1GD",
        "patient007_CT1",
        "3D T1 MPRAGE Gadovist",
        "T1 W/WO CONTRAST POST",
        "T1post",
        "COR T1 POST-OP GD",
        "cs_sT1W_3D_TFE_tra+C",
        "T1 POST planning",
        "T1 3D post delayed phase",
        *("T1 APRÈS INJECTION", "T1 injecté", "T1 CON MDC", "T1 con contraste", "T1強調 造影後"),
        *("T1 I+", "T1 Gadavist", "T1 Vueway", "T1 Elucirem", "T1 Omniscan", "T1 dopo mdc"),
        *(
            "T1 KM Ventrikel",
            "T1 Differenzierung Hypophyse KM",
            "T1 tra Kontrast",
            "T1 nach KM",
            "T1 增强",
            "T1-GD",
            "T1_post-gd",
        ),
        *("T1 GADO transverse", "T1 mit KM", "AX T1 POST CON", "T1_postGd", "T1 post w/o FS"),
        *("RM encefalo senza e con mdc; T1 SE dopo mdc", "T1 POST - PRE-OP", "T1 조영증강"),
    ),
    "t2": (
        "AX T2 FR-FSE",
        "t2_tse_tra_512",
        "BraTS-GLI-00001-000-t2w",
        "sub-01_acq-space_run-2_T2w",
        "T2W_TSE",
        "Ax PD/T2 second echo",
        "eT2W_TSE",
        "T2 ventricules",
        "Ax T2 WS",
    ),
    "flair": (
        "MRHR_FLAIR_AX",
        "t2_tirm_tra_dark-fluid",
        "AXIAL FLAIR RF2_150",
        "T2-FLAIR",
        "BraTS-GLI-00001-000-t2f",
        "3D Brain VIEW FLAIR SENSE",
        "t2_spc_da-fl_sag; *spcir_278ns",
        *("T2 压水", "黑水 T2", "T2 水抑制"),
    ),
    None: (
        "Localizer",
        "3-plane loc",
        "ep2d_diff_3scan_trace_ADC",
        "DWI b1000",
        "Ax T2* GRE",
        "SWI_Images",
        "TOF 3D multi-slab",
        "T1 SUB",
        "perfusion DSC T1 map",
        "relCBF",
        "sub-01_T1w_mask",
        "PD axial",
        "MIP t1 ce",
        "AAHScout",
        "gre_field_mapping",
        "fcMRI Field Mapping; T1FFE",
        "sub-01_magnitude1",
        "B0 NS",
        "dyn T1 vibe",
        "T2W_FFE",
        "Ax T2 GRE",
        "COR T2 STIR",
        "t2_ciss3d_tra",
        "t1_mp2rage_sag_T1_Images",
        "isoDWI",
        "something else",
        *("T1CE-T1", "T1 GADO SOUSTRACTION", "T1 GD SUBSTRACTION", "T1 KM Differenz", "T1 GD-T1"),
        *("T1 SPACE sag HWS KM", "T2 sag c-spine", "T2 cervical spine", "T1 LWS"),
        *("T2 colonna", "T2 columna", "T2 頚椎", "T1 POST MINUS PRE"),
        *("T1 POST-PRE", "T1 POST - PRE", "T1 KM - nativ", "T1 RESTA", "T1 造影 差分", "T1 减影"),
        *("PC venc40", "venography 2D", "ven_pc_3d"),
        *("t1_mp2rage_INV1", "sub-01_inv-2_MP2RAGE", "SynT1 FLAIR", "MAGiC T2", "SyMRI T1"),
        *("T2 Stern tra", "AX T2 ETOILE", "AXIAL T2 EG", "T2 eco gradiente", "T2 écho de gradient"),
        *("DIFUSAO AXIAL T2", "T2 Diffusion", "T2 拡散", "弥散 T2", "PERFUSÃO T1", "T1 灌注"),
        *("T1 sag GWS KM", "T2 SAG LOMBAIRE", "T2 moelle", "T2 颈椎", "T1 脊髄", "T1 HWS"),
        *("T1 DINAMICO", "t1_dynamisch", "REPERAGE T1", "T1 Übersicht", "定位像 T1"),
    ),
}


@pytest.mark.parametrize(
    ("name", "sequence"), [(n, sequence) for sequence, names in NAMES.items() for n in names]
)
def test_names_tell_the_sequence(name, sequence):
    found = classify(Acquisition(text=name))
    assert found.sequence == sequence, found.reason
    assert found.reason


@pytest.mark.parametrize(
    ("times", "techniques", "sequence"),
    [
        ((600, 9, None), {"SE"}, "t1"),
        ((1900, 2.5, 900), {"GR", "IR"}, "t1"),
        ((2200, 12, 860), {"IR", "SE"}, "t1"),
        ((8, 3.2, None), {"GR"}, "t1"),
        ((4500, 95, None), {"SE"}, "t2"),
        ((3200, 410, 0), {"SE"}, "t2"),
        ((9000, 110, 2500), {"IR", "SE"}, "flair"),
        ((5000, 390, 1800), {"IR", "SE"}, "flair"),
        ((700, 20, None), {"GR"}, None),
        ((2500, 15, None), {"SE"}, None),
        ((4000, 80, None), {"EP"}, None),
        ((4500, 70, 220), {"IR", "SE"}, None),
        ((4500, 45, 150), {"IR", "SE"}, None),
    ],
)
def test_times_tell_the_sequence_of_a_series_without_a_telling_name(times, techniques, sequence):
    tr, te, ti = times
    found = classify(
        Acquisition(
            text="head axial",
            repetition_time=tr,
            echo_time=te,
            inversion_time=ti,
            techniques=frozenset(techniques),
        )
    )
    assert found.sequence == sequence, found.reason


@pytest.mark.parametrize(
    ("name", "techniques", "sequence"),
    [
        ("t2_tirm_tra_dark-fluid Epi", "SE IR", "flair"),
        ("3D FLAIR Epi-Protokoll", "", "flair"),
        ("EPI FLAIR", "EP SE IR", "flair"),
        ("t1_mpr_sag_iso_Epi", "GR", "t1"),
        ("t2_tse_cor_Epi", "", "t2"),
        ("epi 64ch", "", None),
        ("epi 64ch", "EP GR", None),
    ],
)
def test_epi_is_no_functional_image_in_the_names_of_an_epilepsy_protocol(
    name, techniques, sequence
):
    acquisition = Acquisition(text=name, techniques=frozenset(techniques.split()))
    assert classify(acquisition).sequence == sequence


def test_a_contrast_agent_in_the_header_tells_t1ce():
    found = classify(Acquisition(text="Ax T1", contrast_agent="Gadavist 8 ml"))
    assert found.sequence == "t1ce"
    assert "Gadavist 8 ml" in found.reason
    assert classify(Acquisition(text="Ax T1", contrast_agent="NONE")).sequence == "t1"


def test_a_name_that_says_before_contrast_wins_over_the_header_and_the_reason_says_so():
    found = classify(Acquisition(text="Ax T1 PRE", contrast_agent="Gadavist"))
    assert found.sequence == "t1"
    assert "although the header names the agent Gadavist" in found.reason


def test_the_protocol_names_a_weighting_but_says_nothing_of_contrast_agent():
    found = classify(Acquisition(text="ax", protocol="BRAIN T1 WITH CONTRAST"))
    assert found.sequence == "t1"


@pytest.mark.parametrize(
    ("text", "folder", "sequence"),
    [
        ("image", "T1CE", "t1ce"),
        ("", "T1", "t1"),
        ("", "flair", "flair"),
        ("scan", "T2w", "t2"),
        ("scan", "DWI", None),
        ("Ax T1", "T1_post", "t1ce"),
        ("Ax T1", "T1_pre", "t1"),
        ("Ax T1 pre", "T1_post", "t1"),
        ("t2_tse", "T1CE", "t2"),
        ("scan", "patient 7", None),
    ],
)
def test_the_name_of_its_folder_counts_where_the_series_says_nothing(text, folder, sequence):
    found = classify(Acquisition(text=text, folder=folder))
    assert found.sequence == sequence, found.reason


def test_a_name_that_the_times_exclude_is_undecided():
    found = classify(Acquisition(text="Ax T2", repetition_time=500, echo_time=8))
    assert found.sequence is None
    assert found.undecided


@pytest.mark.parametrize(
    ("name", "sequence"), [("Ax T1", "t1"), ("Ax FLAIR", "flair"), ("Ax T2", None)]
)
def test_times_of_a_proton_density_image_exclude_a_t2_alone(name, sequence):
    found = classify(Acquisition(text=name, repetition_time=3000, echo_time=15))
    assert found.sequence == sequence, found.reason
    assert "TR 3000, TE 15 ms: proton density" in found.reason
    assert not found.undecided


def test_an_inversion_time_makes_a_flair_of_what_is_named_t2():
    found = classify(
        Acquisition(text="T2 TSE IR", repetition_time=9000, echo_time=110, inversion_time=2500)
    )
    assert found.sequence == "flair"


def test_a_gradient_echo_with_t2_in_its_name_is_susceptibility_weighted():
    acquisition = Acquisition(text="Ax T2 hem", techniques=frozenset({"GR"}))
    assert classify(acquisition).sequence is None
    assert classify(Acquisition(text="Ax T2", techniques=frozenset({"SE"}))).sequence == "t2"


def test_an_inversion_that_suppresses_fat_is_no_flair():
    stir = Acquisition(text="t2_tirm_cor", repetition_time=4000, echo_time=40, inversion_time=150)
    assert classify(stir).sequence is None
    assert "TI 150 ms" in classify(stir).reason


@pytest.mark.parametrize(
    "text",
    [
        "t1_tse_dixon_tra_KM_F",
        "t1_vibe_dixon_tra_opp",
        "T2 Dixon_F; *tse2d1",
        "FAT: Ax T1 IDEAL +C",
        "T1 mDIXON KM FF",
        "out of phase T1",
        "OutPhase: Ax T1 +C",
        "T1 VIBE KM_F",
        "T1 VIBE no KM FAT",
        "t1 vibe no fat; t1 vibe fat",
    ],
)
def test_fat_and_opposed_phase_images_are_no_sequence(text):
    found = classify(Acquisition(text=text))
    assert found.sequence is None and "fat or opposed-phase" in found.reason


@pytest.mark.parametrize("value", ["FAT", "F", "FF", "OPP_PHASE", "OP", "OUT_PHASE"])
def test_fat_and_opposed_phase_images_are_told_by_their_type(value):
    acquisition = Acquisition(text="T1 mDIXON KM", image_type=frozenset((value, "PRIMARY")))
    assert classify(acquisition).sequence is None


@pytest.mark.parametrize(
    ("text", "sequence"),
    [
        ("t1_tse_dixon_tra_KM_W", "t1ce"),
        ("t1_tse_dixon_tra_in", "t1"),
        ("WATER: Ax T1 IDEAL +C", "t1ce"),
        ("Ax T1 FS +C", "t1ce"),
        ("T1 fat sat post Gd", "t1ce"),
        ("T2 FatSat", "t2"),
        ("AX T2 FLAIR F", "flair"),
        ("t1 vibe post no fat", "t1ce"),
        ("T1 VIBE W/O FAT", "t1"),
        ("t1_vibe_dixon_non-fat; *fl3d1", "t1"),
        ("T1 LAVA KM ohne Fat", "t1ce"),
    ],
)
def test_water_and_in_phase_images_and_fat_saturation_are_sequences(text, sequence):
    assert classify(Acquisition(text=text)).sequence == sequence
