"""Rows of a cohort's table."""

from __future__ import annotations

from unicodedata import normalize

import numpy as np
from smalltumor.cohort.results.rows import (
    CohortRow,
    cases_with_shared_labels,
    numbers_of,
    participant_and_session,
    without_labels,
)
from smalltumor.data.segmentation import Segmentation
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import TissueClass
from smalltumor.lesions import find_lesions


def row(case: str) -> CohortRow:
    participant, session = participant_and_session(case)
    return CohortRow(case, "kept", participant_id=participant, session_id=session)


def test_labels_that_two_patients_would_share_are_left_empty_and_said():
    cases = ("PAT_1_12", "PAT_11_2", "P7_visit1", "P7_visit2", "P 1", "P1", "Anna")
    shared = cases_with_shared_labels(cases)
    found = [without_labels(row(case)) if case in shared else row(case) for case in cases]
    assert [(each.participant_id, each.session_id) for each in found] == [
        *[("", "")] * 2,
        ("sub-P7", "ses-visit1"),
        ("sub-P7", "ses-visit2"),
        *[("", "")] * 2,
        ("sub-Anna", ""),
    ]
    assert found[0].note == "no participant_id, because another case would be sub-PAT112 as well"
    assert found[2].note == ""


def test_a_label_that_a_patient_of_another_run_has_is_not_given_again():
    others = ["PAT_1_12", "P7_visit1", "P7_visit2"]
    assert cases_with_shared_labels(["PAT_11_2", "P7_visit2"], others) == {"PAT_11_2"}
    assert cases_with_shared_labels(["PAT_1_12"], ["PAT_1_12"]) == frozenset()


def test_composed_and_decomposed_letters_give_one_label():
    assert (
        len({participant_and_session(normalize(form, "Müller_1")) for form in ("NFC", "NFD")}) == 1
    )


def test_a_table_whose_whole_numbers_got_a_decimal_point_is_read():
    """As of a data frame in which failed cases have no numbers."""
    cells = {"case": "P1", "outcome": "kept", "et_components": "3.0", "et_small": ""}
    found = CohortRow.from_cells(cells)
    assert (found.et_components, found.et_small) == (3, None)


def test_a_case_with_a_lesion_has_a_volume_however_small_it_is():
    classes = np.zeros((20, 20, 20), np.uint8)
    classes[3, 3, 3:6] = TissueClass.ET
    mask = Segmentation("case", classes, Grid(classes.shape, np.diag([0.5, 0.5, 0.5, 1])))
    assert numbers_of(mask, find_lesions(mask)) == (0.000375, 0.000375, 0.000375, 1, 1)
