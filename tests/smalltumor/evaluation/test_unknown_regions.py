"""A region is scored only if the label schemes of prediction and truth tell it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from slicer_files import write_segments
from smalltumor.cli import main
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.evaluation.challenge import challenge_text, evaluate_challenge
from smalltumor.evaluation.evaluate import Evaluation, evaluate
from smalltumor.evaluation.report.evaluation_tables import read_evaluation
from smalltumor.evaluation.report.figures import draw_volumes
from smalltumor.evaluation.report.report_files import as_json, write_report
from smalltumor.evaluation.report.text_report import report_text
from smalltumor.evaluation.summaries.comparison import compare
from smalltumor.evaluation.summaries.summary import lesion_means, means, overlaps
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import READ_SCHEMES
from synthetic import LPS

SHAPE = (20, 20, 20)
GRID = Grid(SHAPE, LPS)
NO_NECROSIS = "has no class for necrosis or non-enhancing core (label scheme hd-glio)"


def tumour() -> np.ndarray:
    classes = np.zeros(SHAPE, np.uint8)
    classes[2:18, 2:18, 2:18] = TissueClass.ED
    classes[4:14, 4:14, 4:14] = TissueClass.ET
    classes[6:10, 6:10, 6:10] = TissueClass.NCR
    return classes


def write(path: Path, scheme: str = "brats2018") -> None:
    """The tumour, in a file whose header names its scheme; HD-GLIO has necrosis as background."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, READ_SCHEMES[scheme].encode(tumour()), GRID, label_scheme=scheme)


def write_segment(path: Path, tissue: TissueClass) -> None:
    """A class of the tumour as the only segment of 3D Slicer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_segments(path, (tumour() == tissue).astype(np.uint8), GRID, [(tissue.name, 1)])


@pytest.fixture
def cases(tmp_path) -> Path:
    """A truth with all classes, and one without necrosis; the predictions have all classes."""
    for name, scheme in (("A", "brats2018"), ("B", "hd-glio")):
        write(tmp_path / "truth" / f"{name}.nii.gz", scheme)
        write(tmp_path / "predictions" / f"{name}.nii.gz")
    return tmp_path


def evaluated(folder: Path, predictions: str = "predictions") -> Evaluation:
    return evaluate(folder / predictions, folder / "truth")


@pytest.mark.parametrize("side", ["prediction", "truth"])
def test_only_regions_that_both_sides_tell_are_scored_and_a_note_says_why(tmp_path, side):
    other = {"prediction": "truth", "truth": "prediction"}[side]
    write(tmp_path / side / "B.nii.gz", "hd-glio")
    write(tmp_path / other / "B.nii.gz")
    evaluation = evaluate(tmp_path / "prediction", tmp_path / "truth")
    assert list(evaluation.cases[0].regions) == [Region.ET]
    assert evaluation.notes == [f"TC and WT are not scored, because the {side} {NO_NECROSIS}: B"]


def test_a_case_has_no_part_in_the_means_of_a_region_that_it_does_not_tell(cases):
    evaluation = evaluated(cases)
    counts = {region: means(overlaps(evaluation.cases, region)).cases for region in Region}
    assert counts == {Region.ET: 2, Region.TC: 1, Region.WT: 1}
    assert means(overlaps(evaluation.cases, Region.TC)).dice == 1
    assert lesion_means(evaluation.cases, Region.TC).lesions == 1


def test_what_is_not_scored_is_a_dash_in_the_report_and_an_empty_cell(cases):
    evaluation = evaluated(cases)
    text = report_text(evaluation)
    assert text.splitlines()[-3].split() == ["B", "1.0000", "936", *"----"]
    assert "here, 1 to 2 cases" in text
    assert "Every case has all three regions" not in text
    write_report(evaluation, cases / "report")
    with (cases / "report" / "cases.csv").open(newline="") as file:
        rows = {(row["case"], row["region"]): row for row in csv.DictReader(file)}
    assert set(rows) == {(case, region) for case in "AB" for region in ("et", "tc", "wt")}
    assert set([*rows["B", "tc"].values()][2:]) == {""}
    with (cases / "report" / "components.csv").open(newline="") as file:
        told = {(row["case"], row["region"]) for row in csv.DictReader(file)}
    assert told == {("A", "et"), ("A", "tc"), ("A", "wt"), ("B", "et")}


def test_a_region_that_no_case_tells_is_in_no_table_and_no_figure(tmp_path):
    write(tmp_path / "truth" / "B.nii.gz", "hd-glio")
    write(tmp_path / "predictions" / "B.nii.gz")
    evaluation = evaluated(tmp_path)
    lines = report_text(evaluation).splitlines()
    assert not [line for line in lines if line.startswith(("TC  ", "WT  "))]
    content = json.loads(json.dumps(as_json(evaluation)))
    tables = ("means", "lesions", "components_by_size")
    assert [[*content[table]] for table in tables] == [["et"]] * 3
    assert [*content["cases"]["B"]] == ["et"]
    labels = [tick.get_text() for tick in draw_volumes(evaluation).axes[0].get_xticklabels()]
    assert labels == ["enhancing tumour (ET)"]


def test_a_case_that_tells_no_region_is_left_out_and_named(cases):
    write_segment(cases / "truth" / "C.seg.nrrd", TissueClass.ED)
    write(cases / "predictions" / "C.nii.gz")
    evaluation = evaluated(cases)
    assert [case.name for case in evaluation.cases] == ["A", "B"]
    assert (
        "ET, TC and WT are not scored, because the truth has no class for necrosis or "
        "non-enhancing core or enhancing tumour (label scheme segment names): C"
    ) in evaluation.notes


@pytest.mark.parametrize("rules", ["brats2023", "brats2024"])
def test_a_comparison_of_which_nothing_is_left_is_refused_in_one_sentence(tmp_path, capsys, rules):
    write_segment(tmp_path / "truth" / "C.seg.nrrd", TissueClass.ET)
    write_segment(tmp_path / "predictions" / "C.seg.nrrd", TissueClass.ED)
    folders = str(tmp_path / "predictions"), str(tmp_path / "truth")
    assert main(["evaluate", *folders, "--rules", rules]) == 1
    (error,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert "no region can be scored: ET, TC" in error
    assert "because the prediction has no class for necrosis" in error


def test_regions_that_only_one_side_of_a_comparison_tells_are_named(cases):
    for name in "AB":
        write(cases / "baseline" / f"{name}.nii.gz", "hd-glio")
    comparison = compare(evaluated(cases), evaluated(cases, "baseline"))
    assert comparison.regions_of_one_side == {Region.TC: ("A",), Region.WT: ("A",)}
    patients = {d.measure.name: d.estimate.patients for d in comparison.differences}
    assert (patients["Dice ET"], patients["Dice TC"]) == (2, 0)
    text = report_text(evaluated(cases), comparison)
    assert "Left out of TC, for which one side has no class: A" in text


def test_the_rules_from_2024_score_the_classes_that_both_sides_tell(cases):
    write_segment(cases / "truth" / "C.seg.nrrd", TissueClass.ED)
    write(cases / "predictions" / "C.nii.gz")
    scores, notes = evaluate_challenge(cases / "predictions", cases / "truth")
    assert {case: [*regions] for case, regions in scores.items()} == {
        "A": ["et", "tc", "wt", "netc", "snfh"],
        "B": ["et", "snfh"],
        "C": ["snfh"],
    }
    assert f"TC, WT and NETC are not scored, because the truth {NO_NECROSIS}: B" in notes
    rows = {line.split()[0]: line.split()[1] for line in challenge_text(scores).splitlines()[2:]}
    assert rows == {"ET": "2", "TC": "1", "WT": "1", "NETC": "1", "SNFH": "3"}


def test_a_table_of_an_evaluation_is_read_without_what_was_not_scored(cases):
    write_report(evaluated(cases), cases / "report")
    known, unknown = read_evaluation(cases / "report")
    assert (known.tc_dice, known.wt_false_ml) == (1, 0)
    assert unknown.et_dice == 1
    assert {unknown.tc_dice, unknown.wt_dice, unknown.tc_tpr, unknown.tc_false_ml} == {None}
