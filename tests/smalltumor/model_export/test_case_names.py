"""Names of training cases, which may be those of patients, can be left out of exported networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from smalltumor.models.card import known_cases, listed_names, lists_all_cases, without_names
from synthetic import write_weights

CARD = {
    "trained_on": ["Mueller_Anna_19610304", "P2"],
    "selected_on": ["Schmidt_Hans"],
    "started_from_trained_on": ["P3"],
    "licence": "mine",
    "scores": {
        "validation": {"et": 0.5},
        "by_case": [{"case": "Schmidt_Hans", "et": 0.5}, {"case": "Weber_Eva", "et": 0.5}],
    },
}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "mine.safetensors", **CARD)


@pytest.mark.parametrize("without", [False, True])
def test_a_bundle_has_the_names_unless_they_are_left_out(smalltumor, weights, tmp_path, without):
    out = tmp_path / "bundle"
    option = ("--without-names",) if without else ()
    code, _, stderr = smalltumor(
        *("export-model", out, "--format", "monai", "--weights", weights, *option)
    )
    assert code == 0, stderr
    content = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for name in (b"Mueller_Anna", b"Schmidt_Hans", b"Weber_Eva"):
        assert (name in content) != without
    warning = f"warning: {out} has the names of 5 training cases"
    assert (warning in stderr) != without


def test_the_shipped_weights_are_exported_without_a_warning(smalltumor, tmp_path):
    code, _, stderr = smalltumor("export-model", tmp_path / "bundle", "--format", "monai")
    assert code == 0
    assert "names of" not in stderr


def test_a_card_without_names_says_how_many_cases_there_were_and_claims_no_complete_list():
    card = without_names(CARD)
    assert card["trained_on"] == "2 cases, not named"
    assert card["selected_on"] == "1 case, not named"
    assert card["licence"] == "mine"
    assert listed_names(card) == frozenset() and not lists_all_cases(card)
    assert not known_cases(card) & known_cases(CARD)
    assert card["scores"] == {"validation": {"et": 0.5}}
    assert without_names(card) == card


def test_a_sentence_of_names_is_left_out():
    """Averages and networks that started from one without a list have such sentences."""
    card = without_names({"trained_on": "Mueller_Anna, P2; not said", "licence": "mine"})
    assert card == {"trained_on": "left out with the names of cases", "licence": "mine"}
    assert without_names(card) == card


def test_listed_names_are_left_out_of_all_texts_of_a_card():
    facts = {
        "name": "average of Mueller_Anna_19610304, P22",
        "data": ["Schmidt_Hans was not trained on", {"folds": [{"by_case": [{"case": "P9"}]}]}],
    }
    card = without_names(CARD | facts)
    assert card["name"] == "average of a case, P22"
    assert card["data"] == ["a case was not trained on", {"folds": [{}]}]
    assert "P9" in listed_names(CARD | facts)
