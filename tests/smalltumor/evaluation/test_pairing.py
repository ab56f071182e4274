"""Matching of predicted label files with the truth."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from label_file_search import find_label_files
from smalltumor.data.naming.cohort_names import REVIEW_TABLE
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.data.segmentation import Segmentation, write_regions, write_segmentation
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.errors import CaseError
from smalltumor.evaluation.label_pairs import notes_on_pairing
from smalltumor.evaluation.pairing import masks_of_cases, pair_label_files
from smalltumor.geometry.grid import Grid
from synthetic import LPS


def touch(root: Path, *names: str, shape=(2, 2, 2)) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_volume(path, np.zeros(shape, np.uint8), Grid(shape[:3], LPS))
    return root


def names(pairing) -> list[tuple[str, str]]:
    return [(ours.path.name, theirs.path.name) for ours, theirs in pairing.pairs]


def test_every_naming_of_the_same_case_is_matched(tmp_path):
    predictions = touch(tmp_path / "p", "A.nii.gz", "sub/B_pred.nii", "C-seg.nii.gz", "d_mask.nii")
    truth = touch(tmp_path / "t", "A_seg.nii.gz", "B/B-seg.nii.gz", "c_segm.nii.gz", "D/seg.nii.gz")
    assert names(pair_label_files(predictions, truth)) == [
        ("A.nii.gz", "A_seg.nii.gz"),
        ("B_pred.nii", "B-seg.nii.gz"),
        ("C-seg.nii.gz", "c_segm.nii.gz"),
        ("d_mask.nii", "seg.nii.gz"),
    ]


def test_a_case_is_matched_in_composed_and_decomposed_letters(tmp_path):
    predictions = touch(tmp_path / "p", normalize("NFC", "köln01.nii.gz"))
    truth = touch(tmp_path / "t", normalize("NFD", "Köln01_seg.nii.gz"), "B_seg.nii.gz")
    assert len(pair_label_files(predictions, truth).pairs) == 1


def test_the_last_review_of_a_case_counts_however_its_name_is_spelled(tmp_path):
    folder = touch(tmp_path, "reviews/Eva/P1_review1.nii.gz", "reviews/Eva/p1_review2.nii.gz")
    (folder / "cohort.json").write_text("{}")
    (found,) = find_label_files(folder / "reviews" / "Eva")
    assert found.path.name == "p1_review2.nii.gz"


def test_a_review_counts_once_it_is_in_the_table_of_its_reader(tmp_path):
    folder = touch(tmp_path, *(f"reviews/Eva/P{n}_review{k}.nii.gz" for n in "12" for k in "12"))
    touch(tmp_path, "reviews/Eva/P3.nii.gz")
    (folder / "cohort.json").write_text("{}")
    masks = folder / "reviews" / "Eva"
    found = {file.name: file.path.name for file in find_label_files(masks)}
    assert found == {"P1": "P1_review2.nii.gz", "P2": "P2_review2.nii.gz", "P3": "P3.nii.gz"}
    (masks / REVIEW_TABLE).write_text("case,number\nP1,1\nP2,1\nP2,2\n")
    found = {file.name: file.path.name for file in find_label_files(masks)}
    assert found == {"P1": "P1_review1.nii.gz", "P2": "P2_review2.nii.gz", "P3": "P3.nii.gz"}


def test_folders_that_are_links_are_searched_once_as_cases_are(tmp_path):
    touch(tmp_path / "elsewhere", "A/A-seg.nii.gz")
    truth = touch(tmp_path / "truth", "B/B-seg.nii.gz")
    try:
        (truth / "A").symlink_to(tmp_path / "elsewhere" / "A", target_is_directory=True)
        (truth / "B" / "up").symlink_to(truth, target_is_directory=True)
    except OSError:
        pytest.skip("links need a right that this user does not have")
    assert sorted(file.name for file in find_label_files(truth)) == ["A", "B"]


def test_only_label_files_of_a_folder_of_cases_are_found(tmp_path):
    touch(tmp_path, "A/A-t1n.nii.gz", "A/A-t2f.nii.gz", "A/A-seg.nii.gz", "A/notes.nii.gz")
    touch(tmp_path, "B_seg.nii.gz", "B_seg_et.nii.gz", ".hidden.nii.gz")
    touch(tmp_path, "probabilities.nii.gz", shape=(2, 2, 2, 4))
    found = {file.name: file.hint for file in find_label_files(tmp_path)}
    assert found == {"A": "brats2023", "B": None}


def test_the_decathlons_images_are_not_labels(tmp_path):
    touch(tmp_path, "imagesTr/BRATS_001.nii.gz", shape=(2, 2, 2, 4))
    touch(tmp_path, "labelsTr/BRATS_001.nii.gz")
    assert [file.path.parent.name for file in find_label_files(tmp_path)] == ["labelsTr"]


def test_two_single_files_need_no_common_name(tmp_path):
    touch(tmp_path, "mine.nii.gz", "theirs.nii.gz")
    pairing = pair_label_files(tmp_path / "mine.nii.gz", tmp_path / "theirs.nii.gz")
    assert names(pairing) == [("mine.nii.gz", "theirs.nii.gz")]


def test_a_file_is_found_in_a_folder_by_its_name(tmp_path):
    touch(tmp_path, "A_pred.nii.gz", "truth/A_seg.nii.gz", "truth/B_seg.nii.gz")
    pairing = pair_label_files(tmp_path / "A_pred.nii.gz", tmp_path / "truth")
    assert names(pairing) == [("A_pred.nii.gz", "A_seg.nii.gz")]
    assert [file.name for file in pairing.without_prediction] == ["B"]


def test_files_without_a_partner_are_listed(tmp_path):
    touch(tmp_path, "p/A.nii.gz", "p/X.nii.gz", "t/A.nii.gz", "t/Y.nii.gz")
    pairing = pair_label_files(tmp_path / "p", tmp_path / "t")
    assert [f.name for f in pairing.without_truth] == ["X"]
    assert [f.name for f in pairing.without_prediction] == ["Y"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["p/A.nii.gz", "p/C.nii.gz", "t/B.nii.gz"], "no case of .* is in"),
        (["p/A.nii.gz", "p/A_seg.nii.gz", "t/A.nii.gz"], "both for the case A; keep one"),
        (["t/A.nii.gz"], "does not exist"),
        (["p/A_t1.nii.gz", "t/A.nii.gz"], "contains no label file"),
    ],
)
def test_files_that_cannot_be_matched_are_refused(tmp_path, files, message):
    touch(tmp_path, *files)
    with pytest.raises(CaseError, match=message):
        pair_label_files(tmp_path / "p", tmp_path / "t")


def test_cases_of_one_name_are_named_as_a_cohort_names_them(tmp_path):
    files = [f"{site}/P1/P1_{role}.nii.gz" for site in "AB" for role in ("t1ce", "seg")]
    data = touch(tmp_path / "data", *files)
    cases = [case.name for case in find_cases(data)]
    assert cases == ["A_P1", "B_P1"]
    masks = touch(tmp_path / "masks", *(f"{case}.nii.gz" for case in cases))
    pairs = pair_label_files(masks, data).pairs
    assert [(p.path.name, t.path.parents[1].name) for p, t in pairs] == [
        ("A_P1.nii.gz", "A"),
        ("B_P1.nii.gz", "B"),
    ]


def test_beside_images_the_exported_mask_is_the_prediction_and_the_experts_the_truth(tmp_path):
    files = (
        "A/A_t1ce.nii.gz",
        "A/A_seg.nii.gz",
        "A/A_smalltumor.nii.gz",
        "A/A_smalltumor_et.nii.gz",
    )
    data = touch(tmp_path, *files)
    assert names(pair_label_files(data, data)) == [("A_smalltumor.nii.gz", "A_seg.nii.gz")]
    exported = touch(tmp_path / "exported", "A_smalltumor.nii.gz")
    assert names(pair_label_files(exported, data)) == [("A_smalltumor.nii.gz", "A_seg.nii.gz")]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("P10.nii.gz", "P1_seg.nii.gz"), ("P1_smalltumor.nii.gz", "P10_seg.nii.gz")],
)
def test_two_files_that_are_named_after_different_cases_have_a_note(tmp_path, ours, theirs):
    root = touch(tmp_path, f"ours/{ours}", f"theirs/{theirs}")
    pairing = pair_label_files(root / "ours" / ours, root / "theirs" / theirs)
    (note,) = notes_on_pairing(pairing)
    assert note.startswith(f"by its name, {ours} is a mask of P1")


def test_cases_without_an_exported_mask_are_not_scored_against_themselves(tmp_path):
    files = [f"{case}/{case}_{role}.nii.gz" for case in "AB" for role in ("t1ce", "seg")]
    data = touch(tmp_path, *files, "A/A_smalltumor.nii.gz")
    pairing = pair_label_files(data, data)
    assert names(pairing) == [("A_smalltumor.nii.gz", "A_seg.nii.gz")]
    assert notes_on_pairing(pairing) == ["not predicted, and left out of the means: B"]


def test_two_masks_of_a_case_beside_its_images_are_refused(tmp_path):
    data = touch(tmp_path, "A/A_t1ce.nii.gz", "A/A_seg.nii.gz", "A/A_mask.nii.gz")
    truth = touch(tmp_path / "truth", "A_seg.nii.gz")
    with pytest.raises(CaseError, match="both for the case A; keep one"):
        pair_label_files(data / "A", truth)


def test_the_mask_of_a_region_is_no_label_file(tmp_path):
    root = touch(tmp_path, "mask_et.nii.gz", "seg.nii.gz")
    with pytest.raises(CaseError, match="named as the mask of one region"):
        pair_label_files(root / "mask_et.nii.gz", root / "seg.nii.gz")


def test_the_mask_of_a_case_whose_name_ends_like_a_region_is_a_label_file(tmp_path):
    grid = Grid((4, 4, 4), np.eye(4))
    mask = Segmentation("M1_WT", np.ones(grid.shape, np.uint8), grid)
    for side in ("predicted", "truth"):
        (tmp_path / side).mkdir()
    path = write_segmentation(mask, tmp_path / "predicted" / "M1_WT.nii.gz")
    write_regions(mask, path)
    write_segmentation(mask, tmp_path / "truth" / "M1_WT_seg.nii.gz")
    for predicted in (path, path.parent):
        ((found, _),) = pair_label_files(predicted, tmp_path / "truth").pairs
        assert (found.name, found.path) == ("M1_WT", path)


def test_without_a_header_it_is_one_if_the_other_side_has_the_case(tmp_path):
    ours = touch(tmp_path / "p", "M1_WT.nii.gz", "A.nii.gz", "A_et.nii.gz", "A_candidates.nii.gz")
    truth = touch(tmp_path / "t", "m1_wt/m1_wt_seg.nii.gz", "A_seg.nii.gz", "B_WT.nii.gz")
    for sides in ((ours, truth), (truth, ours), (ours / "M1_WT.nii.gz", truth)):
        pairing = pair_label_files(*sides)
        paired = {tuple(file.name.lower() for file in pair) for pair in pairing.pairs}
        assert ("m1_wt", "m1_wt") in paired
        left_out = pairing.without_prediction + pairing.without_truth
        assert not {"b_wt", "a_et", "a_candidates"} & {file.name.lower() for file in left_out}
    assert masks_of_cases(ours, ["A", "M1_WT"]).keys() == {"A", "M1_WT"}
    assert masks_of_cases(ours, ["A"]).keys() == {"A"}
