"""`smalltumor folds`: the printed report, its files, and the comparison with a baseline."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from smalltumor.evaluation.summaries.case_rows import case_row, read_rows, write_rows
from smalltumor.labels.regions import TissueClass

NAMES = [f"case_{number}" for number in range(8)]


def write_scores(path: Path, shift: int) -> Path:
    """Scores of eight cases, each predicted as its truth moved by a few voxels."""
    rows = []
    for number, name in enumerate(NAMES):
        truth = np.zeros((24, 20, 20), np.uint8)
        truth[2:17, 2 : 8 + number, 2:17] = TissueClass.ET
        rows.append(case_row(name, "", np.roll(truth, shift, axis=0), truth))
    write_rows(rows, path)
    return path


@pytest.fixture
def tables(tmp_path) -> tuple[Path, Path]:
    return write_scores(tmp_path / "good.csv", 1), write_scores(tmp_path / "bad.csv", 4)


def test_the_table_is_printed_with_intervals(smalltumor, tables):
    code, out, _ = smalltumor("folds", tables[0])
    assert code == 0
    assert "good.csv: 8 out-of-fold cases" in out
    assert re.search(r"^Dice ET +8  0\.9333  0\.933 to 0\.933$", out, re.MULTILINE)
    assert "minus" not in out


def test_a_baseline_is_compared_case_by_case(smalltumor, tables):
    code, out, _ = smalltumor("folds", tables[0], "--baseline", tables[1])
    assert code == 0
    assert "good.csv (A) minus bad.csv (B), paired over the 8 cases on both sides" in out
    assert "+0.2000  0.200 to 0.200            better" in out


def test_report_numbers_and_tables_are_written(smalltumor, tables, tmp_path):
    out = tmp_path / "out"
    code, printed, _ = smalltumor("folds", tables[0], "--baseline", tables[1], "-o", out)
    assert code == 0
    assert (out / "report.txt").read_text() in printed
    assert json.loads((out / "scores.json").read_text())["differences"][0]["verdict"] == "better"
    assert read_rows(out / "out_of_fold.csv") == read_rows(tables[0])
    assert read_rows(out / "baseline.csv") == read_rows(tables[1])
    code, _, error = smalltumor("folds", tables[0], "-o", out)
    assert code == 1 and "report.txt exists" in error and "--overwrite" in error
    assert smalltumor("folds", tables[0], "-o", out, "--overwrite")[0] == 0


def test_the_result_of_an_evaluation_is_a_baseline_too(smalltumor, tables, tmp_path):
    scores = ["case,region,dice,tpr,false_ml,truth_voxels,predicted_voxels"]
    for row in read_rows(tables[0]):
        numbers = f"0.5,0.5,0,{row.et_voxels},{row.et_voxels}"
        scores += [f"{row.case},{region},{numbers}" for region in ("et", "tc", "wt")]
    (tmp_path / "cases.csv").write_text("\n".join(scores))
    components = ["case,region,voxels,found"]
    for row in read_rows(tables[0]):
        components += [f"{row.case},et,{row.et_voxels},true"]
    (tmp_path / "components.csv").write_text("\n".join(components))
    code, out, _ = smalltumor("folds", tables[0], "--baseline", tmp_path)
    assert code == 0
    assert "+0.4333  0.433 to 0.433            better" in out
    assert "not measured" in out  # an evaluation does not count false components by size
