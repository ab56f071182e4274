"""Which case a name states."""

from __future__ import annotations

import pytest
from smalltumor.data.identity.case_names import continues_name, states_case, states_other_case

EXAMPLES = [
    # name, case, states it, states another one
    ("P7", "P7", True, False),
    ("P7_pred", "P7", True, False),
    ("p7 ET", "P7", True, False),
    ("P7-2nd.try", "P7", True, False),
    ("corrected", "P7", False, False),
    ("mask_final", "P7", False, False),
    ("P8", "P7", False, True),
    ("P8_pred", "P7", False, True),
    ("P70", "P7", False, True),
    ("P7b", "P7", False, True),
    ("Anna", "Ann", False, False),
    ("BraTS2021_00002", "BraTS2021_00000", False, True),
    ("P7_visit1_pred", "P7_visit1", True, False),
    ("P7_visit2_pred", "P7_visit1", False, True),
    ("P7_visit10", "P7_visit1", False, True),
    ("P7_visit2", "P7", False, True),
    ("P7", "P7_visit2", False, False),
    ("P7_postop_pred", "P7_baseline", False, True),
    ("P7_V2", "P7_V1", False, True),
    ("P7_V2", "P7_baseline", False, True),
    ("P7_v2", "P7", True, False),
    ("P7_baseline_v2", "P7_baseline", True, False),
    ("corrected_v2", "P7", False, False),
    ("sub-01_ses-1_dseg", "sub-01_ses-1", True, False),
    ("sub-01_ses-2_dseg", "sub-01_ses-1", False, True),
    ("sub-02_ses-1_dseg", "sub-01_ses-1", False, True),
    ("UPENN-GBM-00003_11_pred", "upenn-gbm-00003_11", True, False),
    ("UPENN-GBM-00003_21", "UPENN-GBM-00003_11", False, True),
    ("Patient-001_week-000-2_pred", "Patient-001_week-000-1", False, True),
    ("Patient-001_week-000-1_pred", "Patient-001_week-000-1", True, False),
    ("002_pred", "001", False, True),
    ("10", "9", False, True),
    ("001_pred", "001", True, False),
    ("2nd_reader", "001", False, False),
    ("2024-01-10", "1", False, False),
    ("BraTS-GLI-00005-001", "BraTS-GLI-00005-000", False, True),
]


@pytest.mark.parametrize(("name", "case", "states", "states_other"), EXAMPLES)
def test_what_a_name_states_of_a_case(name, case, states, states_other):
    assert states_case(name, case) is states
    assert states_other_case(name, case) is states_other


@pytest.mark.parametrize("rest", ["", "_pred", " ET", ".2", "-x"])
def test_a_name_that_goes_on_after_a_separator_continues_another(rest):
    assert continues_name(f"P1{rest}", "p1")


@pytest.mark.parametrize("rest", ["0", "b", "test", "é", "²"])
def test_a_name_that_goes_on_with_a_letter_or_digit_is_another_name(rest):
    assert not continues_name(f"P1{rest}", "P1")
