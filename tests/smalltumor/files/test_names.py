"""Names that become file names."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smalltumor.files.names import safe_name

DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"
}
"""Names that Windows keeps for devices, in capitals and with any ending."""


@pytest.mark.parametrize(
    "name", ["BraTS2021_00019", "BraTS-GLI-00005-100", 'päti\'ent 1 "β"', "W39_1998.09.19", "P-1"]
)
def test_an_ordinary_name_is_kept(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("", "case"),
        ("..", "case"),
        (" . ", "case"),
        (".hidden", "_hidden"),
        ("P1.", "P1dot"),
        (" P1 .", "_P1spacedot"),
        ("a/b\\c", "a_b_c"),
        ("a\nb", "a_b"),
        ("CON", "_CON"),
        ("nul.t1", "_nul.t1"),
        ("com1", "_com1"),
        ("COM¹", "_COM¹"),
        ("CONTRAST", "CONTRAST"),
    ],
)
def test_an_unsafe_name_is_replaced(name, safe):
    assert safe_name(name) == safe


@given(st.text(max_size=40))
@example("aux .x")
@example("conin$")
@example(". . a/. ")
def test_every_name_is_one_visible_file_on_every_system(name):
    safe = safe_name(name)
    for ending in ("", ".nii.gz", "_lesions.csv"):
        assert PurePosixPath(safe + ending).name == safe + ending
        assert (safe + ending).partition(".")[0].rstrip(" ").upper() not in DEVICES
    assert safe.strip(". ") == safe != ""
    assert safe_name(safe) == safe
