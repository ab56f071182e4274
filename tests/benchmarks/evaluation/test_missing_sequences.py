"""missing_sequences.py scores each case without each sequence once, by weights new to the case."""

from __future__ import annotations

import sys

import missing_sequences
import pytest
from smalltumor.evaluation.summaries.case_rows import read_rows
from smalltumor.inference import fallback
from synthetic import write_weights
from training_cases import write_lesion_cases


@pytest.fixture
def table(tmp_path, monkeypatch, capsys):
    """Run the script on two cases, each known to one of two networks; returns what it prints."""
    data = write_lesion_cases(tmp_path / "data", 2)
    first, second = sorted(path.name for path in data.iterdir())
    weights = [
        write_weights(tmp_path / f"{case}.safetensors", seed=seed, trained_on=[case])
        for seed, case in enumerate((first, second))
    ]
    words = ("missing_sequences.py", data, "--results", tmp_path / "out", "--device", "cpu")

    monkeypatch.setattr(fallback, "has_openvino", lambda: False)  # compiling takes seconds

    def run(count: int = 2) -> str:
        monkeypatch.setattr(sys, "argv", [*map(str, (*words, "--weights", *weights[:count]))])
        missing_sequences.main()
        return capsys.readouterr().out

    return run


@pytest.mark.slow
def test_every_case_is_scored_by_the_weights_that_do_not_know_it(table, tmp_path):
    text = table()
    assert "2 cases; differences" in text
    assert [line.split("|")[1].strip() for line in text.splitlines()[-4:]] == [
        "all four",
        "without T1",
        "without T2",
        "without FLAIR",
    ]
    complete, without_t1 = (
        [row.weights for row in read_rows(tmp_path / "out" / f"{name}.csv")]
        for name in ("all_four", "without_T1")
    )
    assert len(set(complete)) == 2
    assert complete == without_t1


@pytest.mark.slow
def test_an_interrupted_run_continues_where_it_stopped(table, tmp_path, monkeypatch):
    text = table()
    (tmp_path / "out" / "without_T2.csv").unlink()
    resumed = table()
    assert resumed.splitlines()[-6:] == text.splitlines()[-6:]
    scored = [line for line in resumed.splitlines() if ": ET " in line]
    assert len(scored) == 2
    assert all("without T2: ET" in line for line in scored)


def test_a_case_that_all_weights_know_is_left_out(table):
    text = table(1)
    assert "is left out: all weights have been trained on it" in text
    assert "1 cases; differences" in text
