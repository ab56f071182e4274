"""Evaluation of label files: scores, report, written files and errors."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.cli import main
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import Action, CaseError, GridMismatchError, LabelError, Remedy
from smalltumor.evaluation.challenge import evaluate_challenge
from smalltumor.evaluation.evaluate import evaluate, score_case
from smalltumor.evaluation.report.report_files import (
    BASELINE_CASES,
    FIGURES,
    FILES,
    FROC,
    FROC_FIGURE,
)
from smalltumor.evaluation.report.text_report import report_text
from smalltumor.evaluation.summaries.comparison import compare
from smalltumor.evaluation.summaries.summary import (
    absent_tumours,
    by_size,
    means,
    overlaps,
    small_tumours,
)
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import SCHEMES
from synthetic import LPS

OPTIONAL = {FROC, FROC_FIGURE, BASELINE_CASES}

SHAPE = (40, 36, 32)


def tumour(et_edge: int, shift: int = 0) -> np.ndarray:
    """Edema around a core around enhancing tumour, cubes, moved along the first axis."""
    classes = np.zeros(SHAPE, np.uint8)
    classes[4:34, 4:32, 4:28] = TissueClass.ED
    classes[8:28, 8:28, 8 : 16 + et_edge] = TissueClass.NCR
    classes[10 : 10 + et_edge, 10 : 10 + et_edge, 10 : 10 + et_edge] = TissueClass.ET
    return np.roll(classes, shift, axis=0)


def write(path: Path, classes: np.ndarray, scheme: str = "brats2018", affine=LPS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = SCHEMES[scheme].encode(classes)
    write_volume(path, labels, Grid(classes.shape, affine), overwrite=True)


@pytest.fixture
def cohort(tmp_path):
    """Cases with 729, 1331 and no ET voxels; the first is predicted right, the last with ET."""
    for name, truth, prediction in (
        ("A", tumour(9), tumour(9)),
        ("B", tumour(11), tumour(11, shift=1)),
        ("C", tumour(0), tumour(3)),
    ):
        write(tmp_path / "truth" / name / f"{name}_seg.nii.gz", truth)
        write(tmp_path / "predictions" / f"{name}.nii.gz", prediction, "brats2023")
    return tmp_path


def run(cohort: Path, *more: str) -> int:
    folders = (str(cohort / "predictions"), str(cohort / "truth"))
    schemes = ("--labels", "brats2023", "--truth-labels", "brats2018")
    return main(["evaluate", *folders, *schemes, *more])


def test_schemes_may_differ_and_do_not_change_the_scores(cohort):
    evaluation = evaluate(
        cohort / "predictions", cohort / "truth", labels="brats2023", truth_labels="brats2018"
    )
    assert (evaluation.prediction_scheme, evaluation.truth_scheme) == ("brats2023", "brats2018")
    et = {case.name: case.regions[Region.ET].overlap for case in evaluation.cases}
    assert (et["A"].dice, et["A"].tpr, et["A"].hd95) == (1, 1, 0)
    assert et["B"].dice == pytest.approx(10 / 11)
    assert (et["C"].dice, et["C"].tpr, et["C"].predicted_voxels) == (0, None, 27)


def test_small_tumours_are_cases_with_few_but_some_enhancing_voxels(cohort):
    evaluation = evaluate(
        cohort / "predictions", cohort / "truth", labels="brats2023", truth_labels="brats2018"
    )
    assert [s.truth_voxels for s in small_tumours(evaluation, 2000)] == [729, 1331]
    assert means(small_tumours(evaluation, 1000)).dice == 1
    everything = means(overlaps(evaluation.cases, Region.ET))
    assert everything.dice == pytest.approx((1 + 10 / 11 + 0) / 3)
    assert everything.tpr == pytest.approx((1 + 10 / 11) / 2)
    count, wrong = absent_tumours(evaluation, Region.ET)
    assert (count, [case.name for case in wrong]) == (1, ["C"])


def test_components_are_counted_by_size():
    truth = np.zeros(SHAPE, np.uint8)
    for start, edge in ((2, 3), (10, 6), (20, 11)):  # 27, 216 and 1331 voxels
        truth[start : start + edge, start : start + edge, start : start + edge] = TissueClass.ET
    prediction = truth.copy()
    prediction[2:5] = 0
    prediction[10:13, 10:16] = 0
    classes = by_size([score_case("A", prediction, truth)], Region.ET)
    seen = [(c.start, c.stop, c.components, c.found, c.covered) for c in classes if c.components]
    assert seen == [(1, 50, 1, 0, 0), (50, 250, 1, 1, 0.5), (1000, 2000, 1, 1, 1)]
    assert classes[0].sensitivity == 0 and classes[2].sensitivity is None


def test_volumes_in_a_sheared_grid_are_those_of_its_voxels(tmp_path):
    sheared = LPS.copy()
    sheared[0, 1] = 1.0  # the edge along j is longer, the volume is not
    classes = np.zeros(SHAPE, np.uint8)
    for name, edge in (("predictions", 6), ("truth", 5)):
        classes[4:8, 4:8, 4 : 4 + edge] = TissueClass.ET
        write(tmp_path / name / "A.nii.gz", classes, affine=sheared)
        classes[:] = 0
    folders = tmp_path / "predictions", tmp_path / "truth"
    (case,) = evaluate(*folders, labels="brats2018", truth_labels="brats2018").cases
    et = case.regions[Region.ET]
    assert et.overlap.false_ml == pytest.approx(16 / 1000)
    assert et.lesions.ignored == 0 and len(et.lesions.lesions) == 1


def test_surface_distances_in_a_sheared_grid_are_those_in_the_patient(tmp_path):
    sheared = LPS.copy()
    sheared[0, 1] = 1.0
    for name, voxel in (("predictions", (6, 6, 5)), ("truth", (5, 5, 5))):  # 1 mm behind the other
        classes = np.zeros(SHAPE, np.uint8)
        classes[voxel] = TissueClass.ET
        write(tmp_path / name / "A.nii.gz", classes, affine=sheared)
    folders = tmp_path / "predictions", tmp_path / "truth"
    (case,) = evaluate(*folders, labels="brats2018", truth_labels="brats2018").cases
    overlap = case.regions[Region.ET].overlap
    assert (overlap.hd95, overlap.nsd) == (pytest.approx(1), 1)


def test_report_holds_the_papers_tables_beside_the_scores(cohort):
    text = report_text(
        evaluate(
            cohort / "predictions", cohort / "truth", labels="brats2023", truth_labels="brats2018"
        )
    )
    assert "3 cases; predictions in the scheme brats2023, truth in brats2018" in text
    assert "here, 2 cases     0.9545  0.9545" in text
    assert "Ngo 2020          0.4499  0.4269" in text
    assert "1 case without enhancing tumour: reported in 1: C (27 voxels)" in text
    assert "all below 2000    2 of 2      0.9545" in text


def test_command_writes_numbers_tables_and_figures(cohort, capsys):
    assert run(cohort, "-o", str(cohort / "out")) == 0
    printed = capsys.readouterr().out
    assert {path.name for path in (cohort / "out").iterdir()} == FILES - OPTIONAL
    assert (cohort / "out" / "report.txt").read_text().strip() in printed
    numbers = json.loads((cohort / "out" / "scores.json").read_text())
    assert numbers["small_enhancing_tumours"]["1000"]["cases"] == 1
    assert numbers["cases"]["C"]["et"]["tpr"] is None
    rows = list(csv.DictReader(io.StringIO((cohort / "out" / "cases.csv").read_text())))
    assert [(r["case"], r["region"]) for r in rows[:3]] == [("A", "et"), ("A", "tc"), ("A", "wt")]
    assert float(rows[3]["dice"]) == pytest.approx(10 / 11, abs=1e-5)
    parts = list(csv.DictReader(io.StringIO((cohort / "out" / "components.csv").read_text())))
    assert {p["voxels"] for p in parts if p["region"] == "et"} == {"729", "1331"}


def test_without_matplotlib_everything_but_the_figures_is_written(cohort, capsys, monkeypatch):
    monkeypatch.setattr("smalltumor.evaluation.report.figures.find_spec", lambda name: None)
    assert run(cohort, "-o", str(cohort / "out")) == 0
    assert {path.name for path in (cohort / "out").iterdir()} == FILES - set(FIGURES) - OPTIONAL
    assert 'pip install "napari-smalltumor[report]"' in capsys.readouterr().err


def test_files_of_an_earlier_evaluation_with_candidates_or_a_baseline_do_not_stay(cohort):
    out = cohort / "out"
    out.mkdir()
    for name in OPTIONAL:
        (out / name).write_text("earlier")
    assert run(cohort, "-o", str(out), "--overwrite") == 0
    assert not {path.name for path in out.iterdir()} & OPTIONAL


def test_other_predictions_are_compared_over_the_cases_of_both(cohort, capsys):
    """Eight cases: A is predicted right, and in the baseline a voxel too far."""
    for number in range(8):
        for side, shift in (("predictions", 0), ("truth", 0), ("baseline", 1)):
            scheme = "brats2018" if side == "truth" else "brats2023"
            name = f"{number}_seg" if side == "truth" else f"{number}"
            write(cohort / side / f"{name}.nii.gz", tumour(9, shift), scheme)
    baseline = cohort / "baseline"
    out = cohort / "out"
    assert run(cohort, "--baseline", str(baseline), "-o", str(out)) == 0
    text = (out / "report.txt").read_text()
    assert "paired over the 8 cases on both sides" in text
    assert "Left out, only in A: A, B, C" in text
    assert (out / BASELINE_CASES).is_file()
    rows = {d["measure"]: d for d in json.loads((out / "scores.json").read_text())["differences"]}
    assert rows["Dice ET"]["difference"] == pytest.approx(1 - 8 / 9)
    assert (rows["Dice ET"]["verdict"], rows["HD95 ET, mm"]["verdict"]) == ("better", "better")
    assert (rows["NSD ET"]["difference"], rows["NSD ET"]["verdict"]) == (0, "may be chance")
    for path in baseline.iterdir():
        path.rename(baseline / f"other_{path.name}")
    assert run(cohort, "--baseline", str(baseline)) == 1
    assert "baseline (other_0" in capsys.readouterr().err


def test_sides_that_were_scored_against_different_masks_are_refused(cohort):
    one = evaluate(
        cohort / "predictions", cohort / "truth", labels="brats2023", truth_labels="brats2018"
    )
    write(cohort / "truth" / "A" / "A_seg.nii.gz", tumour(8))
    other = evaluate(
        cohort / "predictions", cohort / "truth", labels="brats2023", truth_labels="brats2018"
    )
    with pytest.raises(CaseError, match=r"A: .*different expert's masks .ET of 729 and of 512"):
        compare(one, other)


def test_results_are_overwritten_only_on_request(cohort, capsys):
    assert run(cohort, "-o", str(cohort / "out")) == 0
    before = (cohort / "out" / "report.txt").stat().st_mtime_ns
    capsys.readouterr()
    assert run(cohort, "-o", str(cohort / "out")) == 1
    assert "exists" in capsys.readouterr().err
    assert (cohort / "out" / "report.txt").stat().st_mtime_ns == before
    assert run(cohort, "-o", str(cohort / "out"), "--overwrite") == 0


def test_different_grids_are_an_error_that_names_both(cohort):
    moved = LPS.copy()
    moved[0, 3] = 4
    write(cohort / "predictions" / "B.nii.gz", tumour(11), "brats2023", moved)
    with pytest.raises(GridMismatchError, match=r"B.nii.gz is on another grid .*first voxel"):
        evaluate(
            cohort / "predictions", cohort / "truth", labels="brats2023", truth_labels="brats2018"
        )


def test_a_mask_with_several_volumes_is_named_once(tmp_path):
    sides = [tmp_path / side / "P_seg.nii.gz" for side in ("predictions", "truth")]
    for path, labels in zip(sides, (np.stack([tumour(11)] * 2, -1), tumour(11)), strict=True):
        path.parent.mkdir()
        write_volume(path, labels, Grid(SHAPE, LPS))
    with pytest.raises(LabelError, match=r"x 2; a label volume is 3D") as refused:
        evaluate(sides[0].parent, sides[1].parent, truth_labels="brats2023")
    assert str(refused.value).count(str(sides[0])) == 1


def test_labels_that_fit_several_schemes_are_refused(cohort):
    with pytest.raises(LabelError) as refused:
        evaluate(cohort / "predictions", cohort / "truth", truth_labels="brats2018")
    assert refused.value.remedy == Remedy(Action.NAME_SCHEME, side="predictions")
    with pytest.raises(LabelError) as refused:
        evaluate(cohort / "predictions", cohort / "truth", labels="brats2023")
    assert refused.value.remedy == Remedy(Action.NAME_SCHEME, side="truth")


def test_the_scheme_in_the_headers_of_our_own_masks_is_used(cohort):
    for name in "ABC":
        classes = tumour(9)
        labels, path = SCHEMES["msd"].encode(classes), cohort / "predictions" / f"{name}.nii.gz"
        grid = Grid(classes.shape, LPS)
        write_volume(path, labels, grid, label_scheme="msd", overwrite=True)
    evaluation = evaluate(cohort / "predictions", cohort / "truth", truth_labels="brats2018")
    assert evaluation.prediction_scheme == "msd"
    assert evaluation.cases[0].regions[Region.WT].overlap.dice == 1


@pytest.mark.parametrize("rules", [evaluate, evaluate_challenge])
def test_a_named_scheme_that_contradicts_headers_is_noted(cohort, rules):
    for name in "AB":
        path = cohort / "predictions" / f"{name}.nii.gz"
        labels = SCHEMES["brats2023"].encode(tumour(9))
        write_volume(
            path, labels, Grid(labels.shape, LPS), label_scheme="brats2023", overwrite=True
        )
    options = {"labels": "msd", "truth_labels": "brats2018"}
    (cohort / "predictions" / "C.nii.gz").unlink()
    found = rules(cohort / "predictions", cohort / "truth", **options)
    notes = found[1] if isinstance(found, tuple) else found.notes
    text = "the headers of A.nii.gz, B.nii.gz name brats2023, but they were read as msd"
    assert text in notes
    found = rules(cohort / "predictions", cohort / "truth", **{**options, "labels": "brats2024"})
    notes = found[1] if isinstance(found, tuple) else found.notes
    assert not any("brats2023" in note for note in notes)  # these values mean the same in both


def test_masks_whose_headers_name_different_schemes_are_each_read_in_their_own(cohort):
    grid = Grid(tumour(9).shape, LPS)
    only_core = np.where(tumour(9) == TissueClass.NCR, tumour(9), 0).astype(np.uint8)
    for name, scheme, classes in (("A", "msd", only_core), ("B", "brats2018", tumour(9))):
        labels, path = SCHEMES[scheme].encode(classes), cohort / "predictions" / f"{name}.nii.gz"
        write_volume(path, labels, grid, label_scheme=scheme, overwrite=True)
    write(cohort / "predictions" / "C.nii.gz", tumour(9))
    evaluation = evaluate(cohort / "predictions", cohort / "truth", truth_labels="brats2018")
    assert evaluation.prediction_scheme == "brats2018 and msd"
    expected = score_case("A", only_core, tumour(9)).regions[Region.TC].overlap.dice
    assert evaluation.cases[0].regions[Region.TC].overlap.dice == expected > 0
    assert [case.regions[Region.WT].overlap.dice for case in evaluation.cases[1:]] == [1, 1]


def test_a_prediction_of_other_axes_or_cropped_is_compared_in_its_place(cohort):
    path = cohort / "predictions" / "A.nii.gz"
    stored = SCHEMES["brats2023"].encode(tumour(9))
    turned = nib.as_closest_canonical(nib.Nifti1Image(stored, LPS)).slicer[2:, 1:, 3:29]
    nib.save(turned, path)
    evaluation = evaluate(
        cohort / "predictions", cohort / "truth", labels="brats2023", truth_labels="brats2018"
    )
    assert evaluation.cases[0].regions[Region.ET].overlap.dice == 1


def test_a_case_without_enhancing_tumour_is_read_in_the_scheme_of_the_other_files(cohort):
    write(cohort / "predictions" / "A.nii.gz", tumour(9))
    write(cohort / "predictions" / "B.nii.gz", tumour(9))
    write(cohort / "predictions" / "C.nii.gz", tumour(0))
    evaluation = evaluate(cohort / "predictions", cohort / "truth", truth_labels="brats2018")
    assert evaluation.prediction_scheme == "brats2018"
    assert evaluation.cases[2].regions[Region.TC].overlap.dice == 1


def test_a_missing_prediction_is_reported(cohort, capsys):
    (cohort / "predictions" / "B.nii.gz").unlink()
    assert run(cohort) == 0
    assert "not predicted, and left out of the means: B" in capsys.readouterr().out


def test_the_sample_truth_scores_one_against_itself(sample_folder, capsys):
    truth = str(sample_folder / "BraTS2021_00019_seg.nii.gz")
    assert main(["evaluate", truth, str(sample_folder)]) == 0
    out = capsys.readouterr().out
    assert "1 case; predictions in the scheme brats2018" in out
    assert "ET      1.0000  1.0000  1.0000  1.0000  0.0000      0.0" in out
    assert "1 patient: too few for 95 % intervals" in out
    assert "all below 1000    1 of 1      1.0000" in out


def test_predictions_of_ones_alone_are_not_read_in_the_scheme_of_the_truth(tmp_path):
    """They may be whole tumours, which would be scored as necrosis."""
    write(tmp_path / "truth" / "BraTS2021_00001_seg.nii.gz", tumour(9))
    ones = (tumour(9) > 0).astype(np.uint8)
    nib.save(nib.Nifti1Image(ones, LPS), tmp_path / "BraTS2021_00001.nii.gz")
    with pytest.raises(LabelError, match="label value 1 alone") as refused:
        evaluate(tmp_path / "BraTS2021_00001.nii.gz", tmp_path / "truth")
    assert refused.value.remedy == Remedy(Action.NAME_REGION, side="predictions")


@pytest.mark.parametrize("run", [evaluate, evaluate_challenge])
def test_a_pair_of_which_one_mask_is_mirrored_is_noted(tmp_path, run):
    beside = np.zeros(SHAPE, np.uint8)
    beside[2:12, 4:30, 4:28] = TissueClass.ET
    for name, mask in (("one", beside), ("two", beside[::-1])):
        write(tmp_path / "truth" / f"{name}_seg.nii.gz", beside)
        write(tmp_path / "masks" / f"{name}.nii.gz", mask)
    found = run(
        tmp_path / "masks", tmp_path / "truth", labels="brats2018", truth_labels="brats2018"
    )
    notes = found[1] if isinstance(found, tuple) else found.notes
    assert [n for n in notes if "mirrored" in n] == [
        "two: prediction or truth seems to be mirrored, since they have a Dice of 1.00 mirrored "
        "left to right, and 0.00 as is"
    ]
