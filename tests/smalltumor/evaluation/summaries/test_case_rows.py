"""A case's scores in one row: computed, written, read back."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import GridMismatchError, SmalltumorError
from smalltumor.evaluation.evaluate import evaluate
from smalltumor.evaluation.report.evaluation_tables import is_evaluation, read_evaluation
from smalltumor.evaluation.report.report_files import write_report
from smalltumor.evaluation.summaries.case_rows import (
    COLUMNS,
    CaseRow,
    case_row,
    read_rows,
    write_rows,
)
from smalltumor.files.tables import write_table
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import LPS

SHAPE = (40, 36, 32)


def classes_with(*cubes) -> np.ndarray:
    """Enhancing cubes, given as start and edge, within edema."""
    classes = np.zeros(SHAPE, np.uint8)
    classes[1:39, 1:35, 1:31] = TissueClass.ED
    for start, edge in cubes:
        classes[start : start + edge, start : start + edge, start : start + edge] = TissueClass.ET
    return classes


TRUTH = classes_with((2, 3), (8, 2), (14, 13))  # 27, 8 and 2197 voxels
PREDICTED = classes_with((4, 1), (14, 13), (29, 1))  # touches the first, misses the second
PREDICTED[33:36, 2:5, 2:5] = TissueClass.ET  # 27 false voxels


def test_a_row_counts_what_is_found_and_what_is_false():
    row = case_row("a", "0123", PREDICTED, TRUTH, (1, 1, 2))
    assert row.et_voxels == 27 + 8 + 2197
    assert row.et_predicted_voxels == 1 + 2197 + 1 + 27
    assert (row.small_components, row.small_found) == (1, 1)  # 8 voxels are too few, 2197 too many
    assert row.false_components == 1  # that of one voxel is not counted
    assert row.et_dice == pytest.approx(2 * 2198 / (2232 + 2226), abs=1e-6)
    assert row.et_tpr == pytest.approx(2198 / 2232, abs=1e-6)
    assert row.et_false_ml == pytest.approx(28 * 2 / 1000)
    assert (row.wt_dice, row.wt_tpr, row.wt_false_ml) == (1, 1, 0)


def test_without_enhancing_tumour_the_sensitivity_is_not_defined():
    row = case_row("a", "", PREDICTED, classes_with())
    assert (row.et_dice, row.et_tpr, row.et_voxels) == (0, None, 0)
    assert row.false_components == 2


def test_a_region_that_is_not_told_has_no_numbers():
    row = case_row("a", "", PREDICTED, TRUTH, regions=(Region.ET,))
    names = [f"{region}_{what}" for region in ("tc", "wt") for what in ("dice", "tpr", "false_ml")]
    assert row == replace(case_row("a", "", PREDICTED, TRUTH), **dict.fromkeys(names))


def test_arrays_of_different_shapes_are_refused():
    with pytest.raises(GridMismatchError, match="a: the prediction has shape"):
        case_row("a", "", PREDICTED[:9], TRUTH)


SCORES = st.floats(0, 1).map(lambda value: float(f"{value:.7g}"))
COUNTS = st.integers(0, 10**6)
ROWS = st.builds(
    CaseRow,
    case=st.text("abc_0", min_size=1, max_size=4),
    weights=st.text("0123456789abcdef", max_size=12),
    et_dice=SCORES,
    **{f"{region}_dice": st.none() | SCORES for region in ("tc", "wt")},
    **{f"{region}_tpr": st.none() | SCORES for region in ("et", "tc", "wt")},
    et_false_ml=SCORES,
    **{f"{region}_false_ml": st.none() | SCORES for region in ("tc", "wt")},
    et_voxels=COUNTS,
    et_predicted_voxels=COUNTS,
    small_components=COUNTS,
    small_found=COUNTS,
    false_components=st.none() | COUNTS,
    patient=st.text("abc_0", min_size=1, max_size=4),
    inputs=st.text("0123456789abcdef", max_size=12),
)


@given(rows=st.lists(ROWS, max_size=4))
def test_rows_come_back_from_their_file_sorted_by_case(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    write_rows(rows, path)
    assert read_rows(path) == sorted(rows, key=lambda row: row.case)


def test_a_table_whose_whole_numbers_got_a_decimal_point_is_read(tmp_path):
    """As of a data frame that has empty cells in the column."""
    row = case_row("a", "", PREDICTED, TRUTH)
    cells = ["1.0" if name == "false_components" else cell for name, cell in asdict(row).items()]
    write_table(tmp_path / "rows.csv", COLUMNS, [cells])
    assert ",1.0," in (tmp_path / "rows.csv").read_text()
    (found,) = read_rows(tmp_path / "rows.csv")
    assert found.false_components == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "case,weights\na,b\n",
        "\0",
        ",".join(COLUMNS) + "\na,b\n",
        f"{','.join(COLUMNS)}\n" + "x," * 17,
    ],
)
def test_another_table_is_named(tmp_path, content):
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(SmalltumorError, match=r"rows\.csv"):
        read_rows(tmp_path / "rows.csv")


def test_what_evaluate_has_written_gives_the_same_rows_without_false_components(tmp_path):
    for side, classes in (("predictions", PREDICTED), ("truth", TRUTH)):
        (tmp_path / side).mkdir()
        labels = SCHEMES["brats2018"].encode(classes)
        write_volume(tmp_path / side / "a.nii.gz", labels, Grid(SHAPE, LPS))
    assert not is_evaluation(tmp_path)
    scores = evaluate(
        tmp_path / "predictions", tmp_path / "truth", labels="brats2018", truth_labels="brats2018"
    )
    write_report(scores, tmp_path / "report")
    assert is_evaluation(tmp_path / "report")
    expected = replace(case_row("a", "", PREDICTED, TRUTH), false_components=None)
    assert read_evaluation(tmp_path / "report") == [expected]


def test_a_damaged_evaluation_is_named(tmp_path):
    columns = "case,region,dice,tpr,false_ml,truth_voxels,predicted_voxels\n"
    (tmp_path / "components.csv").write_text("case,region,voxels,found\n")
    (tmp_path / "cases.csv").write_text(columns + "a,et,1,,0,0,0\n")  # TC and WT are missing
    with pytest.raises(SmalltumorError, match=r"tables in .* are damaged"):
        read_evaluation(tmp_path)
