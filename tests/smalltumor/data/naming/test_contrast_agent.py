"""Which words of series descriptions and of BIDS names tell that a contrast agent was given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.naming.contrast_agent import (
    ContrastAgent,
    agent_of_entities,
    agent_of_text,
    names_agent,
)

GIVEN, NOT_GIVEN, UNKNOWN = ContrastAgent.GIVEN, ContrastAgent.NOT_GIVEN, ContrastAgent.UNKNOWN

TEXTS = {
    "trade names and agents": (
        GIVEN,
        "T1 Gadovist|T1 Gadavist 7ml|AX T1 Dotarem|T1 Clariscan|T1 Vueway|T1 Elucirem|T1 Omniscan"
        "|T1 ProHance|T1 MAGNEVIST|T1 Multihance 10 ml|T1 Primovist|T1 Eovist|T1 Artirem"
        "|T1 Gd-DOTA|T1 Gd-DTPA|T1 gadolinio|T1 gadotersäure|T1 gadobénate|T1 gado",
    ),
    "signs with": (
        GIVEN,
        "T1 C+|T1 (C+)|T1+c|T1 +C|T1 + C|AX T1 FSE+C|T1 FS+C|T1WI+C|T1 Gd+|T1 KM+|T1 I+|T1 IV+"
        "|T1 C(+)|T1_c|T1c|ct1|T1-Gd|T1 - KM|T1 KM - tra|T1 C/C|T1 W C|T1 FS- C+"
        "|T1wC|T1wC FS|T1wCON",
    ),
    "signs without": (
        NOT_GIVEN,
        "T1 C-|T1 C- SE|T1 -C|T1 (-C)|T1 I-|T1 Gd-|T1 KM-|T1 KM- tra|T1 GAD-|T1 C(-)|T1 Gd (-)"
        "|T1 S/C|T1 N/C|T1 FS+ C-|T1 造影(-)|T1 造影－",
    ),
    "signs that cannot be told": (UNKNOWN, "T1 -gd|T1 -KM|T1 W|T1WI|T1WI-|T1 FS+|T1 FS-|T1 BI+"),
    "English": (
        GIVEN,
        "AX T1 POST|T1 post Gd|T1_postGd|T1postGd|T1 POSTGAD|T1 AFTER GAD|T1 w/ gad|T1 W CON"
        "|T1 with gado|T1 contrast-enhanced|T1 ENH|T1 post 5 min|T1 POST2|T1 Gd free breathing"
        "|T1 POST CONTRAST HIGH RES|POST SAG T1|T1 post scan|T1 SS GD|prior_T1_gd|prior gd T1",
    ),
    "English, before": (
        NOT_GIVEN,
        "AX T1 PRE|T1pre|t1_pre|T1 preGd|T1 prior to contrast|T1 w/out gad|T1 no IV contrast"
        "|T1 NON-CON|T1 w/o|T1 wo contrast|AX T1 WITHOUT CONT|T1 un-enhanced|T1 plain|T1n"
        "|T1 w/o contrast with FS|T1 contrast none|T1 contrast nil",
    ),
    "German": (
        GIVEN,
        "T1 KM|T1 mit Kontrastmittel|T1 n. KM|T1 nach KM-Gabe|t1_tse_nachKM|T1 mKM"
        "|T1 nach Injektion|T1 vorne KM|T1 Nord KM|T1 o. FS n. KM",
    ),
    "German, before": (
        NOT_GIVEN,
        "T1 nativ|T1 ohne KM|T1 o. KM|T1 oKM|T1 v. KM|T1 vor Gabe von KM|T1 vor der KM-Gabe"
        "|T1 vor i.v. KM|T1 ohne intravenöses KM|T1 kontrastmittelfrei|T1 KM frei|t1_ohneKM"
        "|T1 ohne Injektion|T1 ohne Gadovist|T1 vor Applikation KM|T1 KM nein|T1 nicht KM",
    ),
    "French": (
        GIVEN,
        "T1 GADO|T1 INJ|T1 avec PDC|T1 APRÈS INJECTION|T1 injectée|T1 avec produit de contraste"
        "|T1 après injection de produit de contraste|T1GADO",
    ),
    "French, before": (
        NOT_GIVEN,
        "T1 SANS GADO|T1SANSGADO|T1 ss gado|T1 sans produit de contraste|T1 sans PDC|T1 sans IV"
        "|T1 non injecté|T1 aucun contraste|T1 avant injection de gadolinium|T1 natif",
    ),
    "Italian": (GIVEN, "T1 m.d.c.|T1 con mdc|T1 dopo mdc|T1 con mezzo di contrasto|T1 post-mdc"),
    "Italian, before": (
        NOT_GIVEN,
        "T1 prima del mdc|T1 senza mezzo di contrasto|T1 senza m.d.c.|T1 basale|T1 SE senza mdc ev"
        "|T1 senza somministrazione di mdc|T1 nessun contrasto",
    ),
    "Spanish and Portuguese": (
        GIVEN,
        "T1 con contraste|T1 c/ contraste|T1 poscontraste|T1 tras contraste|T1 con civ"
        "|T1 com o contraste|T1 pós-contraste|T1 após gadolínio|T1 con CTE",
    ),
    "Spanish and Portuguese, before": (
        NOT_GIVEN,
        "T1 sin medio de contraste|T1 sem meio de contraste|T1 s/contraste|T1 S/ CTE|T1 sin civ"
        "|T1 antes do contraste|T1 antes de la inyección|T1 pré-contraste|T1 nenhum contraste"
        "|T1 ningún contraste",
    ),
    "Dutch, Polish, Nordic and Turkish": (
        GIVEN,
        "T1 na gado|T1 met contrast|T1 po kontraście|T1 po k.l.|T1 z kontrastem|T1 efter kontrast",
    ),
    "Dutch, Polish, Nordic and Turkish, before": (
        NOT_GIVEN,
        "T1 blanco|T1 voor contrast|T1 zonder toediening contrast|T1 przed podaniem kontrastu"
        "|T1 bez k.l.|T1 bez KL|T1 før kontrast|T1 utan kontrast|T1 kontrastsız|T1 geen contrast"
        "|T1 niet contrast|T1 ingen kontrast|T1 kontrast yok",
    ),
    "Japanese, Chinese, Korean and Russian": (
        GIVEN,
        "T1 造影後|造影T1|T1 Gd造影後|T1 post造影|T1 造影剤投与後|T1 增强扫描|T1+增强"
        "|T1 조영증강 후|T1 조영제 주입 후|T1 с контрастом|T1 после контраста|T1 С КУ",
    ),
    "Japanese, Chinese, Korean and Russian, before": (
        NOT_GIVEN,
        "T1 造影前|T1 造影剤投与前|T1 造影剂注射前|T1 造影なし|T1 造影剤未使用|非造影T1"
        "|T1 単純|T1 plain(造影前)|T1 平扫|T1 增强前|T1 未增强|术后平扫 T1"
        "|T1 무조영|T1 조영증강 전|T1 조영제 주입 전|T1 без контраста|T1 до введения контраста"
        "|T1 нет контраста|T1 造影否",
    ),
    "after, at the end of a name": (
        GIVEN,
        "T1 dopo|T1 SE dopo|T1 FS après|T1_MPRAGE_nach|AX T1 AFTER|SAG T1 DESPUES; *se2d1|T1 после",
    ),
    "after, of something else": (
        UNKNOWN,
        "T1 tras|T1 POS|T1 APOS|T1 na|T1 RT dopo|T1 6 mesi dopo|T1 2 settimane dopo|T1 prima e dopo"
        "|T1 nach 2|T1 op; dopo|T1 術后|T1 post-op dopo",
    ),
    "names of studies and pairs": (
        UNKNOWN,
        "RM encefalo senza e con mdc; T1 MPRAGE|IRM sans et avec injection de gadolinium; T1 SE"
        "|IRM avec et sans injection T1|IRM sans puis avec gado; T1|RM con y sin contraste; T1"
        "|RM CRANEO S/C CONTRASTE T1|RM sem e com contraste; T1|MRT ohne und mit KM; t1_tse"
        "|MRT Kopf nativ und KM T1|MRT nativ + KM t1_tse|MRT o. u. m. KM T1|MRT o.u.m. KM T1"
        "|MR zonder en met contrast; T1|MR bez i z kontrastem T1|МРТ без и с контрастом T1"
        "|平扫+增强 T1WI|頭部 単純・造影 T1|T1 造影前後|MRI W/WO CONTRAST; AX T1"
        "|MRI WO/W CON AX T1|MRI WWO T1|MRI W & W/O T1|MRI WITHOUT AND WITH CONTRAST T1"
        "|T1 pre-/post-Gd|AX T1 PRE POST"
        "|T1 +/- Gd|T1 C-/C+|T1 before and after contrast|T1 vor und nach KM|T1 avant/après gado",
    ),
    "what tells beside them": (
        GIVEN,
        "RM encefalo senza e con mdc; T1 SE dopo mdc|IRM sans et avec injection; T1 gado"
        "|MRT Schädel nativ + KM T1 tra KM|MRI W AND WO; AX T1 +C|平扫+增强; T1WI 增强",
    ),
    "what tells beside them, before": (
        NOT_GIVEN,
        "MRI W/WO CONTRAST; AX T1 PRE|MRT ohne und mit KM; T1 nativ|RM con mdc; T1 senza mdc"
        "|MRI with contrast AX T1 PRE|MR met contrast T1 blanco|T1 W W/O CONTRAST",
    ),
    "after surgery or therapy": (
        UNKNOWN,
        "T1 dopo intervento|T1 après chirurgie|T1 después de cirugía|T1 depois da cirurgia"
        "|T1 nach Bestrahlung|T1 na operatie|T1 po operacji|T1 после операции|T1 術後"
        "|T1 放疗后|T1 수술 후|T1 postop|T1 post-op|T1 post RT|T1 postTherapy|T1 post biopsy"
        "|T1 post radiation"
        "|T1 pre gamma knife|T1 3 months post|T1 post 6 weeks|T1 vor OP|sub-01_ses-post_T1w",
    ),
    "an agent after surgery": (
        GIVEN,
        "T1 post op gd|T1 POST-OP POST GD|T1 post-RT gad|T1 après chirurgie gado|T1 KM vor OP"
        "|T1 pre biopsy GAD|T1 POST FOSSA GAD|T1 AC-PC Gd",
    ),
    "something else is missing": (
        GIVEN,
        "T1 post w/o FS|T1 w/o fs post|T1 GD without fat sat|T1 POST NO MT|T1 sans FS gado"
        "|T1 KM ohne FS|T1 no fat sat post",
    ),
    "parts of other words": (
        UNKNOWN,
        "T1 w/o FS|T1 space|T1 slice 1mm|T1 reduced FOV|T1 reference|T1 preproc|T1 norm|T1 denoised"
        "|T1 Ice|T1 AC-PC|T1 AC/PC|T1 post fossa|T1 POSTERIOR FOSSA|T1 pre-scan normalize|T1 presat"
        "|T1 post-processed|T1 trace|T1 high contrast|tissue contrast T1|T1 gadget|T1 con FS"
        "|T1 tra|T1 enhancement|Delgado_T1|KM012_T1|PC01_T1|post001_T1|sub-PRE001_T1w"
        "|T1 contralateral",
    ),
}

WITH = [
    *("ce-gd", "ce-GAD", "ce-gadolinium_desc-preproc", "ce-gd_rec-norm", "ce-1"),
    *("acq-post", "acq-POST", "acq-gd", "acq-ce", "acq-T1ce", "acq-t1Ce", "acq-km", "acq-postgd"),
    *("acq-postcontrast", "acq-mpragePost", "acq-mpragepost", "acq-monopost", "acq-spacePost"),
    *("acq-post_desc-preproc", "acq-post_rec-norm", "acq-post_desc-denoised", "rec-enhanced"),
    *("acq-gado", "acq-gadobutrol", "acq-gadavist", "acq-prohance", "acq-mpragegado"),
    *("acq-mpragece", "acq-SPACEce", "acq-gdmprage", "acq-preopGd", "acq-SPACEpost"),
    *("acq-gd_desc-preproc", "acq-contrast", "desc-postcontrast", "acq-MPRAGEpost", "acq-3Dgd"),
    *(
        "acq-AnonGd",
        "acq-AnonPost",
        "acq-postopgd",
        "acq-postRTgd",
        "acq-postopGd",
        "acq-postOpPost",
    ),
    *("acq-vueway", "acq-clariscan", "acq-mdc", "acq-injected", "acq-inj", "acq-mitKM", "acq-axkm"),
    *("acq-t1wpost", "acq-T1wPostGd", "acq-ADNIPost", "acq-CUBEGd", "acq-mp2ragece", "acq-gddtpa"),
    *("acq-sagce", "acq-GdDTPA", "acq-Gd2", "acq-T1wGd", "acq-post1", "acq-ISOce"),
    *("acq-T1wC", "acq-T1dopo"),
]
WITHOUT = [
    *("", "acq-mprage", "acq-space", "acq-SPACE", "acq-slice1mm", "acq-reduced", "acq-iso"),
    *("acq-ref_desc-reference", "desc-spaceMNI", "desc-preproc", "rec-norm", "acq-posterior"),
    *("ce-none", "ce-no", "ce-pre", "ce-noncontrast", "ce-native", "acq-pre", "acq-preGd"),
    *("ce-na", "ce-null", "ce-unknown", "ce-nein", "ce-nogd", "ce-n"),
    *("acq-nogd", "acq-precontrast", "acq-noncontrast", "acq-spacePre", "acq-native", "acq-kmno1"),
    *("acq-postPre", "acq-enhancement2", "acq-postOp", "acq-postop", "acq-preop", "ce-false"),
    *("acq-sansGado", "acq-sansgado", "acq-Ice", "acq-gadget", "acq-gadgetron", "acq-ohneKM"),
    *("acq-woGd", "acq-wocontrast", "acq-ungd", "acq-postTherapy", "acq-postRadiation"),
    *("acq-postBiopsy", "acq-postResection", "acq-postTx", "acq-postMortem", "acq-post3months"),
    *("acq-3monthsPost", "acq-highContrast", "acq-highcontrast", "acq-postCovid", "acq-postFossa"),
    *("acq-trace", "acq-prescanNormalize", "acq-post_desc-noGd", "acq-acpc"),
]


@pytest.mark.parametrize(
    ("agent", "text"),
    [(agent, text) for agent, texts in TEXTS.values() for text in texts.split("|")],
)
def test_a_text_tells_whether_an_agent_was_given(agent, text):
    statement = agent_of_text(text)
    assert statement.agent is agent, statement.words
    assert bool(statement.words) == (agent is not UNKNOWN)


def test_the_words_that_tell_are_those_of_the_text():
    assert agent_of_text("T1 SE Sans Gado FS").words == "sans gado"
    assert agent_of_text("T1 vor Gabe von KM").words == "vor gabe von km"
    assert agent_of_text("T1 3D après injection").words == "apres injection"
    assert agent_of_text("T1_TRA_POSTGD_2").words == "postgd"
    assert agent_of_text("sag T1ce FS").words == "t1ce"


def entities(name):
    return dict(entity.split("-", 1) for entity in name.split("_") if entity)


@pytest.mark.parametrize("name", WITH)
def test_a_name_tells_an_agent(name):
    assert agent_of_entities(entities(name)) is GIVEN


@pytest.mark.parametrize("name", WITHOUT)
def test_a_name_tells_no_agent(name):
    assert agent_of_entities(entities(name)) is not GIVEN


@given(st.text())
def test_any_text_is_told(text):
    statement = agent_of_text(text)
    assert bool(statement.words) == (statement.agent is not UNKNOWN)


@pytest.mark.parametrize(
    "entry",
    [
        *("Gadovist 7,5 ml", "10 ml Dotarem", "Magnevist i.v.", "Omniscan 0.5mmol/ml", "GD", "KM"),
        *(
            "yes",
            "Y",
            "ja",
            "oui",
            "1",
            "with contrast",
            "造影剤",
            "a contrast agent",
            "IV CONTRAST",
        ),
        *("0,1 ml/kg Gadovist", "Nanomag", "Gadoteridol", "post", "10 mg"),
        *("Gadovist (unknown)", "Omniscan, anonymized", "Feraheme, removed", "GD N", "Dotarem NA"),
        *("NA-gadoterate", "unknown Gadovist", "Magnevist (pre-filled syringe)", "null Gadovist"),
        *("pre-filled Gadovist", "Gadovist 7.5 ml pre-filled"),
    ],
)
def test_an_entry_of_a_header_names_an_agent(entry):
    assert names_agent(entry)


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "",
            "-",
            "?",
            "NO",
            "N",
            "n/a",
            "N.A.",
            "none",
            "none given",
            "false",
            "0",
            "0.0",
            "0 ml",
        ),
        *("kein", "KEIN KM", "ohne", "Nein", "nicht gegeben", "KM: nein", "sans", "aucun", "não"),
        *("sin contraste", "ninguno", "nessuno", "geen", "нет", "なし", "造影なし", "无造影剂"),
        *(
            "No Contrast Agent",
            "not applicable",
            "NATIVE",
            "UNKNOWN",
            "XXXX",
            "without",
            "ANONYMIZED",
        ),
        *("null", "nothing", "niet", "ingen", "inget", "geen contrast", "nil", "negative", "yok"),
        *("0 mg", "0 mmol/kg", "0,0 ml/s", "0.00 cc", "Contrast: 0 ml"),
        *("contrast agent unknown", "Unknown contrast medium", "IV contrast: N", "agent n/a"),
        *("KM: nej", "kontrast yok", "pre-contrast", "Contrast: no", "with and without"),
    ],
)
def test_an_entry_of_a_header_names_no_agent(entry):
    assert not names_agent(entry)


@given(st.text())
def test_any_entry_of_a_header_is_told(entry):
    assert names_agent(entry) in (True, False)
