"""Titles of series in a record tell nothing of the patient, however an ID or a name is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.scanner.deidentification.deidentified_title import deidentified_title
from smalltumor.scanner.series import Acquisition, Instance, Series, StoredFrame

WORDS = ("3", "T1", "Ax", "post", "FLAIR", "mDIXON")


def series(title: str, patient_id: str = "", name: str = "") -> Series:
    """A DICOM series of a patient."""
    return Series(
        title=title,
        patient=patient_id,
        study="1.2",
        date="",
        acquisition=Acquisition(),
        shape=(1, 1, 1),
        spacing=(1.0, 1.0, 1.0),
        location=Path("study"),
        read=lambda: None,
        frames=(StoredFrame(Path("slice"), 0, Instance("1", "1.2", "P")),),
        identity=(patient_id, name),
    )


@pytest.mark.parametrize(
    ("title", "patient_id", "name", "left"),
    [
        ("3 KH 48213 Ax T1", "KH 48213", "Doe^Jane", "3 Ax T1"),
        ("3 KH 48213 Ax T1", "KH-48213", "Doe^Jane", "3 Ax T1"),
        ("3 T1 123 456 789 post", "123456789", "Doe^Jane", "3 T1 post"),
        ("3 T1 12-34-56", "123456", "Doe^Jane", "3 T1"),
        ("KH 48 T1 213", "KH48213", "Doe^Jane", "T1"),
        ("123 T2 456", "123456", "Doe^Jane", "T2"),
        ("3 T1 Mc Donald", "1234", "McDonald^Ron", "3 T1"),
        ("3 T1 Van der Berg post", "1234", "VanderBerg^Ron", "3 T1 post"),
        ("3 T1 MARIA JOSE", "1234", "Lopez^MariaJose", "3 T1"),
        ("3 T1 Jane Doe", "1234", "Doe^Jane", "3 T1"),
        ("3 T1 김 철수", "1234", "Kim^CS=김철수", "3 T1"),
        ("3 Ax T1 post", "1234", "Doe^Jane", "3 Ax T1 post"),
    ],
)
def test_ids_and_names_of_several_words_are_left_out(title, patient_id, name, left):
    assert deidentified_title(series(title, patient_id, name)) == left


@given(
    st.lists(st.sampled_from(WORDS), max_size=3),
    st.lists(st.text("BCDGHJKMNPQRSVWXYZ456789", min_size=2, max_size=4), min_size=1, max_size=4),
    st.lists(st.sampled_from(WORDS), max_size=3),
    st.sampled_from([" ", "-", "_", ""]),
)
def test_no_part_of_an_id_is_left_however_it_is_divided(before, parts, after, mark):
    title = " ".join((*before, *parts, *after))
    found = deidentified_title(series(title, mark.join(parts), "Doe^Jane")).split()
    assert "".join(parts) not in "".join(found)
