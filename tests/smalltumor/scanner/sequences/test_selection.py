"""Which series of a study is chosen for each sequence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.series import Acquisition, Series


def series(
    name: str, spacing=(1.0, 1.0, 5.0), shape=(200, 200, 30), problem="", **acquisition
) -> Series:
    def read():
        pytest.fail("the voxels are not needed")

    return Series(
        title=name,
        patient="P1",
        study="1.2",
        date="20240101",
        acquisition=Acquisition(text=name, **acquisition),
        shape=shape,
        spacing=spacing,
        location=Path("folder"),
        read=read,
        problem=problem,
        uid=name,
    )


def chosen(*candidates: Series, given=None) -> dict[str, str]:
    return {m: s.title for m, s in assign(candidates, given).chosen.items()}


def test_each_sequence_gets_its_series_and_other_images_none():
    names = ("Ax T1", "Ax T1 POST", "Ax T2", "Ax FLAIR", "ADC", "loc")
    assert chosen(*map(series, names)) == {
        "t1": "Ax T1",
        "t1ce": "Ax T1 POST",
        "t2": "Ax T2",
        "flair": "Ax FLAIR",
    }


def test_a_volume_is_preferred_to_slices_and_the_reason_names_both():
    thin = series("sag FLAIR 3D", (1, 1, 1), (200, 200, 170))
    result = assign([series("Ax FLAIR"), thin])
    assert result.chosen["flair"] is thin
    assert "preferred to Ax FLAIR: 3D" in result.reasons["flair"]


def test_the_finest_slices_are_preferred():
    result = assign([series("T2 a"), series("T2 b", (1, 1, 3), (200, 200, 50))])
    assert result.chosen["t2"].title == "T2 b"
    assert "slices of 3 instead of 5 mm" in result.reasons["t2"]


def test_a_computed_image_is_not_preferred_to_the_acquired_one():
    acquired = series("T1 tra KM", time="100000")
    computed = series("T1 tra KM 2", time="100500", image_type=frozenset(("DERIVED", "SECONDARY")))
    result = assign([acquired, computed])
    assert result.chosen["t1ce"] is acquired
    assert "as acquired rather than computed" in result.reasons["t1ce"]


def test_a_series_of_another_part_of_the_body_is_used_only_if_there_is_no_other():
    head = series("T1 tra KM", body_part="HEAD")
    spine = series("T1 SPACE sag KM", (1, 1, 1), (200, 200, 170), body_part="CSPINE")
    result = assign([head, spine])
    assert result.chosen["t1ce"] is head
    assert "names the part CSPINE" in result.reasons["t1ce"]
    assert assign([spine]).chosen["t1ce"] is spine  # a header may be wrong


def test_the_proton_density_echo_of_two_is_no_t2():
    first = series("PD T2 TSE tra", repetition_time=3000.0, echo_time=15.0)
    second = series("PD T2 TSE tra", repetition_time=3000.0, echo_time=95.0)
    assert assign([first, second]).chosen == {"t2": second}


def test_a_part_of_the_head_is_chosen_only_if_there_is_nothing_else():
    orbits = series("T2 orbits", (0.5, 0.5, 2), (200, 200, 20))
    assert chosen(orbits, series("Ax T2"))["t2"] == "Ax T2"
    assert chosen(orbits)["t2"] == "T2 orbits"


def test_that_a_part_of_the_head_is_used_is_said():
    sella = series("T1 sella KM", (0.5, 0.5, 3), (300, 300, 14))
    (warning,) = assign([sella]).warnings
    assert warning == (
        "T1CE: T1 sella KM is only 42 mm long along one axis, as a part of the head is; look at it"
    )
    (warning,) = assign([series("T1 KM", body_part="ORBIT")]).warnings
    assert warning == "T1CE: T1 KM is of the part ORBIT by its header; look at it"
    assert not assign([series("T1 KM", body_part="BRAIN")]).warnings


def test_a_repeated_series_is_taken_as_the_better_one():
    first, second = series("Ax T2", time="1000"), series("Ax T2 repeat", time="1010")
    assert chosen(first, second)["t2"] == chosen(second, first)["t2"] == "Ax T2 repeat"


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        ({"spacing": (0.9, 0.9, 5.0)}, {}, "smaller voxels"),
        ({"spacing": (1.0, 1.0, 4.8)}, {}, "slices of 4.8 instead of 5 mm"),
        ({"time": "101000.5"}, {"time": "101000"}, "acquired later"),
        ({"time": "101000"}, {"time": ""}, "its time of acquisition is more complete"),
        (
            {"time": "20240102101000"},
            {"time": "111000"},
            "its time of acquisition is more complete",
        ),
        ({}, {}, "listed first"),
    ],
)
def test_the_reason_is_what_decided(better, worse, reason):
    best, other = series("Ax T2 a", **better), series("Ax T2 b", **worse)
    result = assign([best, other])
    assert result.chosen["t2"] is best
    assert result.reasons["t2"].endswith(f"preferred to Ax T2 b: {reason}")
    if reason != "listed first":
        assert assign([other, best]).chosen["t2"] is best


def test_a_t1_after_a_series_with_contrast_agent_is_not_taken_for_t1():
    early = series("Ax T1", time="0900")
    post = series("Ax T1 POST", time="1000")
    late = series("Cor T1", (1, 1, 1), (200, 200, 170), time="1010")
    result = assign([early, post, late])
    assert result.chosen["t1"] is early
    assert result.chosen["t1ce"] is late
    assert "acquired after a series with contrast agent" in result.reasons["t1ce"]


def test_a_name_that_tells_contrast_agent_goes_before_the_order_of_series():
    post = series("Ax T1 POST", time="1000")
    late = series("Ax T1", time="1010")
    result = assign([post, late])
    assert result.chosen["t1ce"] is post
    expected = "preferred to Ax T1: its name or header names the contrast agent"
    assert expected in result.reasons["t1ce"]


def test_a_gradient_echo_of_two_echoes_is_no_t1_by_its_times():
    echoes = [
        replace(series("Dual-echo", repetition_time=650, echo_time=te), uid="1.2") for te in (7, 10)
    ]
    assert chosen(*echoes) == {}
    assert chosen(echoes[0])["t1"] == "Dual-echo"
    named = [replace(s, acquisition=replace(s.acquisition, text="T1 mprage")) for s in echoes]
    assert chosen(*named)["t1"] == "Dual-echo"
    files = [replace(s, uid="") for s in echoes]  # of volumes, which may have one name
    assert chosen(*files)["t1"] == "Dual-echo"


def test_two_t1_without_a_word_of_contrast_leave_t1ce_undecided():
    result = assign([series("Ax T1", time="0900"), series("Ax T1 fs", time="1000")])
    assert "t1ce" not in result.chosen
    (sentence,) = (s for s in result.undecided if "T1CE" in s)
    assert "it is not known which of Ax T1, Ax T1 fs has contrast agent" in sentence


def test_a_damaged_series_is_not_chosen_and_is_named():
    result = assign([series("Ax T2", problem="slices are missing")])
    assert not result.chosen
    assert "T2 cannot be used: Ax T2 (slices are missing)" in result.undecided


def test_a_t1_after_contrast_that_the_user_uses_as_t1_is_warned_of_and_not_as_t1ce():
    early, after = series("Ax T1", time="0900"), series("Ax T1 POST", time="1000")
    late = series("Cor T1 MPRAGE", (1, 1, 3), (200, 200, 60), time="1010")
    study = [early, after, late]
    assert assign(study, {"t1ce": late}).warnings == ()
    (warning,) = assign(study, {"t1": late}).warnings
    assert "Cor T1 MPRAGE was chosen by the user, but seems to be T1CE" in warning


def test_sequences_that_no_series_shows_are_named_in_one_sentence():
    result = assign([series("Ax T2")])
    assert result.undecided == ("no series is FLAIR, T1CE or T1",)


def test_what_the_user_assigns_is_used_once_and_as_told():
    plain, fat_saturated = series("Ax T1"), series("Ax T1 fs")
    result = assign([plain, fat_saturated], {"t1ce": fat_saturated})
    assert result.chosen == {"t1ce": fat_saturated, "t1": plain}
    assert result.reasons["t1ce"] == "chosen by the user"
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("name", "modality"),
    [("Ax T1", "t1ce"), ("Ax T1 POST", "t1"), ("Ax FLAIR", "t2"), ("ADC", "t1ce"), ("SUB", "t1")],
)
def test_a_series_that_the_user_uses_against_its_name_is_warned_of(name: str, modality: str):
    named = {n: series(n) for n in ("Ax T1", "Ax T1 POST", "Ax T2", "Ax FLAIR", "ADC", "SUB")}
    result = assign(list(named.values()), {modality: named[name]})
    (warning,) = result.warnings
    assert f"{name} was chosen by the user, but seems to be" in warning
    assert "but seems to be" in result.reasons[modality]


def test_a_series_that_is_not_recognised_is_used_as_the_user_says():
    result = assign([series("Ax T1"), series("head")], {"t1ce": series("head")})
    assert result.warnings == ()
    assert result.reasons["t1ce"] == "chosen by the user"
