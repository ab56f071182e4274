"""What "the same case" means by names and by images: rules that hold for all names, not examples.

A mask that one rule accepts for a case must not be refused by another one for the same evidence.
"""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from smalltumor.data.case import Case
from smalltumor.data.identity.case_names import is_named_after, states_case, states_other_case
from smalltumor.data.identity.image_digests import are_other_images, share_an_image, share_t1ce
from smalltumor.data.identity.mask_names import check_case, check_patient
from smalltumor.data.identity.patients import patient_key, patient_of, read_patients, same_patient
from smalltumor.data.identity.visits import is_name_of, stated_visit
from smalltumor.errors import CaseError
from smalltumor.files.names import same_name
from smalltumor.geometry.grid import Grid

GRID = Grid((2, 2, 2), np.eye(4))
ELSEWHERE = Path("/nowhere/masks")

PATIENTS = st.sampled_from(
    ["P7", "P70", "P8", "Anna", "Jörg", "case_12", "012", "sub-01", "sub-P7", "UPENN-GBM-00003"]
)
VISITS = st.sampled_from(
    ["", "_visit1", "_visit2", "_pre", "_post", "_v2", "_ses-1", "_2020-01-05"]
)
WORDS = st.sampled_from(["", "_pred", "_reader2", "-final", "_ET", " copy"])
SPELLINGS = st.sampled_from(
    [str, str.upper, str.lower, lambda n: normalize("NFD", n), lambda n: normalize("NFC", n)]
)


@st.composite
def names(draw):
    """The name of a case."""
    return draw(SPELLINGS)(draw(PATIENTS) + draw(VISITS))


@st.composite
def folders(draw):
    """The folder of a case, which may state its visit; None for images in no folder."""
    visit = draw(st.sampled_from([None, "", "visit1", "visit2", "pre"]))
    return None if visit is None else Path("/data") / visit / draw(names())


TABLES = st.dictionaries(names(), st.sampled_from(["ann", "Ann", "eve"]), max_size=4)


def is_accepted(check, name: str, case: str, folder: Path | None = None) -> bool:
    """Whether a mask of a name, elsewhere than any images, may be of a case."""
    paths = {"t1ce": (folder or Path("/nowhere/images")) / f"{case}_t1ce.nii.gz"}
    try:
        check(ELSEWHERE / f"{name}_seg.nii.gz", Case(case, {}, GRID, paths=paths))
    except CaseError:
        return False
    return True


@given(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_the_same_name_is_an_equivalence(a, b, c):
    assert same_name(a, a)
    assert same_name(a, b) == same_name(b, a)
    assert not (same_name(a, b) and same_name(b, c)) or same_name(a, c)


@given(names(), names(), names(), TABLES)
def test_the_same_patient_is_an_equivalence_with_and_without_a_table(a, b, c, table):
    for listed in ({}, table):
        assert same_patient(a, a, listed)
        assert same_patient(a, b, listed) == same_patient(b, a, listed)
        if same_patient(a, b, listed) and same_patient(b, c, listed):
            assert same_patient(a, c, listed)
        keys = patient_key(a, listed), patient_key(b, listed)
        assert same_patient(a, b, listed) == (keys[0] == keys[1])


@given(names(), SPELLINGS, SPELLINGS, TABLES)
def test_a_name_is_that_of_one_case_and_patient_however_it_is_spelled(name, one, other, table):
    assume(len({key.casefold() for key in map(str, table)}) == len(table))
    a, b = one(name), other(name)
    assert same_name(a, b)
    assert same_patient(a, b) and same_patient(a, b, table)
    assert is_name_of(a, b, None) and is_named_after(a, b, None) and states_case(a, b)
    assert not states_other_case(a, b)


@given(names(), WORDS, names(), folders())
def test_the_name_of_a_case_is_also_named_after_it_and_the_other_way_it_goes_on(
    name, word, case, folder
):
    if is_name_of(name, case, folder):
        assert is_named_after(name, case, folder)
    if states_case(name + word, case):
        assert is_named_after(name + word, case, folder)


@given(names(), WORDS, names())
def test_no_name_states_a_case_and_another_one(name, word, case):
    assert not (states_case(name + word, case) and states_other_case(name + word, case))


@given(names(), WORDS, names())
@example("P7_visit2", "", "sub-P7_ses-1")
@example("sub-P7_visit1", "", "P7_visit1")
@example("P7_visit1", "", "sub-P7_visit1")
@example("sub-P7_ses-1", "_pred", "P7_ses-1")
@example("sub-P8_visit1", "", "P7_visit1")
def test_a_mask_is_accepted_if_its_name_states_the_case_and_refused_if_another(name, word, case):
    if states_case(name + word, case):
        assert is_accepted(check_case, name + word, case)
    if states_other_case(name + word, case):
        assert not is_accepted(check_case, name + word, case)


@given(names(), WORDS, names(), VISITS)
@example("P7_visit1", "_pred", "P7", "_visit1")
def test_a_mask_with_the_visit_that_the_folder_states_is_accepted(name, word, case, visit):
    folder = Path("/nowhere") / (visit.strip("_") or "images") / case
    if is_named_after(name + word, case, folder):
        assert is_accepted(check_case, name + word, case, folder)
        assert is_accepted(check_patient, name + word, case, folder)


@given(names(), WORDS, names())
@example("P7_visit2", "", "sub-P7_ses-1")
def test_a_mask_that_is_measured_may_be_compared_and_a_patient_is_not_refused_as_another(
    name, word, case
):
    if is_accepted(check_case, name + word, case):
        assert is_accepted(check_patient, name + word, case)
    if same_patient(name, case) and not word:
        assert is_accepted(check_patient, name, case)


@given(names(), folders())
def test_a_visit_is_stated_by_the_name_or_by_the_folder(name, folder):
    alone = stated_visit(name, None)
    assert stated_visit(name, folder) == alone or not alone


BLOCK = st.sampled_from(["", "a", "b", "c", "d"])
IMAGE = st.lists(BLOCK, min_size=3, max_size=3).map(",".join)
IMAGES = st.dictionaries(st.sampled_from(["t1ce", "t1", "t2", "flair"]), IMAGE)


@given(IMAGES, IMAGES)
@example({"t1ce": "a,,", "t2": "b,,"}, {"t1ce": "c,,", "t2": "b,,"})
def test_no_mask_is_of_these_images_and_of_others(recorded, images):
    assert not (share_an_image(recorded, images) and are_other_images(recorded, images))
    if share_t1ce(recorded, images):
        assert share_an_image(recorded, images)
        assert share_t1ce(images, recorded)


@given(IMAGES)
def test_a_mask_is_not_of_others_than_its_own_images(images):
    assert not are_other_images(images, images)
    known = any(set(image) - {","} for image in images.values())
    assert share_an_image(images, images) == known


@pytest.mark.parametrize("case", ["p1", "P1", normalize("NFD", "Jörg"), "JÖRG"])
def test_a_table_lists_a_case_however_its_name_is_spelled(tmp_path, case):
    """Else a scan would be on both sides of a split although the table tells its patient."""
    path = tmp_path / "patients.csv"
    path.write_text("case,patient\nP1,ann\nJörg,ann\n", encoding="utf-8")
    assert patient_of(case, read_patients(path)) == "ann"


def test_a_case_is_not_listed_with_two_patients_under_two_spellings(tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("case,patient\nP1,ann\np1,eve\n", encoding="utf-8")
    with pytest.raises(CaseError, match="p1 is listed with two patients"):
        read_patients(path)
