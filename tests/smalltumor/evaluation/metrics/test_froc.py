"""FROC: what masks and candidates find together, against false positives per case."""

from __future__ import annotations

import csv

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from smalltumor.errors import GridMismatchError, SmalltumorError
from smalltumor.evaluation.candidate_files import candidates_beside
from smalltumor.evaluation.evaluate import evaluate
from smalltumor.evaluation.metrics.froc import at_rates, case_candidates, froc_curve
from smalltumor.evaluation.report.report_files import write_report
from smalltumor.evaluation.report.text_report import report_text
from smalltumor.geometry.grid import Grid
from smalltumor.labels.regions import TissueClass

SHAPE = (40, 30, 20)


def boxes(*starts, size=3):
    """A mask of cubes of 27 voxels."""
    mask = np.zeros(SHAPE, bool)
    for i, j, k in starts:
        mask[i : i + size, j : j + size, k : k + size] = True
    return mask


FIRST, SECOND, THIRD, NOWHERE = (2, 2, 2), (12, 2, 2), (22, 2, 2), (32, 20, 12)


def labelled(**places):
    """A label image of cubes by value, such as ``_5=(2, 2, 2)``."""
    image = np.zeros(SHAPE, np.uint16)
    for name, start in places.items():
        image[boxes(start)] = int(name[1:])
    return image


def compared(case="a", scores=None, **places):
    scores = scores or {int(name[1:]): 0.5 for name in places}
    truth = boxes(FIRST, SECOND, THIRD)
    return case_candidates(case, boxes(FIRST, NOWHERE), truth, labelled(**places), scores)


def test_a_lesion_is_found_by_the_mask_or_by_a_candidate_on_it():
    case = compared(_5=SECOND, _6=NOWHERE, scores={5: 0.3, 6: 0.6})
    assert (case.components, case.found_by_mask, case.false_in_mask) == (3, (0,), 1)
    assert [(x.score, x.false_positive, x.finds) for x in case.candidates] == [
        (0.6, True, ()),
        (0.3, False, (1,)),
    ]
    assert [case.found(least) for least in (0.9, 0.6, 0.3)] == [1, 1, 2]
    assert [case.false_positives(least) for least in (0.9, 0.6, 0.3)] == [0, 1, 1]


def test_a_lesion_that_is_found_twice_counts_once():
    case = compared(_5=FIRST, _6=FIRST)
    assert case.found(0) == 1


def test_a_candidate_on_a_lesion_of_another_size_is_not_false():
    truth = boxes((2, 2, 2), size=14)  # 2744 voxels: not small
    case = case_candidates("a", boxes(), truth, labelled(_5=(3, 3, 3)), {5: 0.5})
    assert (case.components, case.candidates[0].false_positive, case.candidates[0].finds) == (
        0,
        False,
        (),
    )


def test_components_from_another_size_on_may_be_asked_for():
    truth = boxes(FIRST) | boxes(SECOND, size=2)  # 27 and 8 voxels
    counts = [
        case_candidates("a", boxes(), truth, labelled(_5=SECOND), {5: 0.5}, least_voxels=least)
        for least in (20, 8)
    ]
    assert [(case.components, case.found(0)) for case in counts] == [(1, 0), (2, 1)]
    assert not any(case.candidates[0].false_positive for case in counts)


def test_the_curve_starts_with_the_mask_alone_and_rises_with_the_candidates():
    curve = froc_curve([compared("a", _5=SECOND), compared("b", {6: 0.4}, _6=NOWHERE)])
    assert [(p.least_score, p.false_positives_per_case, p.found) for p in curve] == [
        (None, 0.0, 2),
        (0.5, 0.0, 3),
        (0.4, 0.5, 3),
    ]
    assert curve[0].sensitivity.value == pytest.approx(2 / 6)
    assert curve[-1].sensitivity.low <= 0.5 <= curve[-1].sensitivity.high


def test_a_rate_takes_the_last_point_that_does_not_exceed_it():
    scores = {5: 0.9, 6: 0.8, 7: 0.7}
    curve = froc_curve([compared("a", scores, _5=NOWHERE, _6=SECOND, _7=(32, 2, 12))])
    alone, at_half, at_one = at_rates(curve, (0.5, 1.0))
    assert (alone.found, at_half.found, at_one.found) == (1, 1, 2)
    assert at_one.false_positives_per_case == 1


def write(folder, name, candidates=None, score="0.4"):
    """Write a mask, and candidates with their table beside it."""
    folder.mkdir(exist_ok=True)
    classes = boxes(FIRST) * np.uint8(TissueClass.ET)
    nib.save(nib.Nifti1Image(classes, np.eye(4)), folder / f"{name}.nii.gz")
    if candidates is not None:
        image = nib.Nifti1Image(candidates, np.eye(4))
        nib.save(image, folder / f"{name}_candidates.nii.gz")
        text = f"id,list,score\n1,found,0.9\n2,second_look,{score}\n"
        (folder / f"{name}_lesions.csv").write_text(text)


@pytest.fixture
def folders(tmp_path):
    write(tmp_path / "predicted", "Pat_001", labelled(_2=SECOND))
    truth = boxes(FIRST, SECOND) * np.uint8(TissueClass.ET)
    (tmp_path / "truth").mkdir()
    for name in ("Pat_001", "Pat_002"):
        nib.save(nib.Nifti1Image(truth, np.eye(4)), tmp_path / "truth" / f"{name}.nii.gz")
    return tmp_path / "predicted", tmp_path / "truth"


def evaluated(folders):
    return evaluate(*folders, labels="brats2023", truth_labels="brats2023")


def test_candidates_beside_the_masks_are_scored_and_written(folders, tmp_path):
    evaluation = evaluated(folders)
    assert [case.name for case in evaluation.cases] == ["Pat_001"]
    assert "mask alone" in report_text(evaluation)
    written = write_report(evaluation, tmp_path / "report")
    with (tmp_path / "report" / "froc.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["least_score"], row["found"], row["components"]) for row in rows] == [
        ("", "1", "2"),
        ("0.4", "2", "2"),
    ]
    figure = tmp_path / "report" / "froc.png"
    assert figure not in written or figure.stat().st_size > 1000


def test_a_case_without_candidates_is_left_out_of_the_curve_and_named(folders):
    write(folders[0], "Pat_002")
    evaluation = evaluated(folders)
    assert len(evaluation.cases) == 2
    assert [case.case for case in evaluation.candidates] == ["Pat_001"]
    assert "left out of the FROC: Pat_002" in report_text(evaluation)


def test_without_candidates_the_report_is_as_before(folders):
    for path in folders[0].glob("*_*_*"):
        path.unlink()
    evaluation = evaluated(folders)
    assert evaluation.candidates == ()
    assert "false positives" not in report_text(evaluation)


@pytest.mark.parametrize(
    ("image", "score", "message"),
    [
        (labelled(_7=SECOND), "0.4", "no score of candidate 7"),
        (labelled(_2=SECOND), "high", "is damaged"),
    ],
)
def test_files_that_do_not_fit_are_refused(folders, image, score, message):
    write(folders[0], "Pat_001", image, score)
    classes = boxes().astype(np.uint8)
    with pytest.raises(SmalltumorError, match=message):
        beside(folders[0], classes)


def beside(folder, classes, affine=None):
    grid = Grid(classes.shape, np.eye(4) if affine is None else affine)
    return candidates_beside("Pat_001", folder / "Pat_001.nii.gz", classes, classes, grid)


def test_candidates_on_another_grid_are_refused(folders):
    affine = np.diag([1.1, 1, 1, 1])
    with pytest.raises(GridMismatchError, match="is on another grid than Pat_001"):
        beside(folders[0], boxes().astype(np.uint8), affine)


@pytest.mark.parametrize("axes", ["LPS", "PSR"])
def test_candidates_are_compared_in_their_place_whatever_the_axes_of_the_truth(folders, axes):
    expected = evaluated(folders).candidates[0]
    for path in folders[1].iterdir():
        image = nib.load(path)
        to_axes = ornt_transform(io_orientation(image.affine), axcodes2ornt(axes))
        nib.save(image.as_reoriented(to_axes), path)
    found = evaluated(folders).candidates[0]
    assert found.found(0.4) == expected.found(0.4) == 2
    assert [each.false_positive for each in found.candidates] == [False]
