"""Which names of patients are spellings of one."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from smalltumor.scanner.deidentification.patient_names import patient_name_key, spellings


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "^^", "***", "Anonymous", "ANONYMIZED^", "anonymous^patient", "Anonymous=山"),
        *("Unknown", "No^Name", "XXXX", "de-identified", "none"),
    ],
)
def test_names_of_nobody_are_unknown(name):
    assert patient_name_key(name) == ("", "")


@pytest.mark.parametrize(
    "name", ["Anonymous1", "Anonymous^17", "Na^Li", "No^Kim", "Xu^X", "TCGA-FG-6692", "Doe^Jane"]
)
def test_names_and_pseudonyms_are_known(name):
    assert patient_name_key(name).full


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Meier^Anna", "MEIER ^ ANNA"),
        ("Meier^Anna", "Meier Anna"),
        ("Meier^Anna Maria", "Meier^Anna^Maria"),
        ("Groß^Jürgen", "GROSS^JUERGEN"),
        ("Müller^A", normalize("NFD", "Müller^A")),
        ("Sørensen^Åse", "Soerensen^Aase"),
        ("Nowak^Łukasz", "Nowak^Lukasz"),
        ("Prof. Meier^Anna", "Meier^Anna^^Prof. Dr. med.^PhD"),
        ("=山田^太郎", "山田^太郎"),
    ],
)
def test_names_that_differ_in_spelling_only_have_one_key(name, same):
    assert patient_name_key(name).full == patient_name_key(same).full


def test_a_title_alone_is_a_name():
    assert patient_name_key("Med^Anna") != patient_name_key("Dr^Anna")


def test_a_name_without_middle_name_is_that_with_it_if_there_is_one():
    whole = spellings(["A^B", "A^B^C", "unknown"])
    assert set(whole.values()) == {"A^B^C", ""}
    assert set(spellings(["A^B", "A^B^C", "A^B^D"]).values()) == {"A^B", "A^B^C", "A^B^D"}
