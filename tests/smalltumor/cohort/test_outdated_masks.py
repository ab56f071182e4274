"""An evaluation says which masks of a cohort are left from an earlier run."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from cohort_files import interrupt_in_second_case
from smalltumor.cohort.outdated_masks import notes_on_outdated
from smalltumor.cohort.seen_in_training import notes_on_training
from smalltumor.evaluation.pairing import masks_of_cases
from smalltumor.models.checkpoint import load_checkpoint

NAMES = ("ann", "bob", "cyd")


def notes_of(folder) -> list[str]:
    return notes_on_outdated(masks_of_cases(folder, NAMES))


def test_masks_of_the_last_run_have_no_note(cohort, tmp_path):
    cohort()
    assert notes_of(tmp_path / "out") == []
    cohort("--overwrite")
    assert notes_of(tmp_path / "out") == []


@pytest.fixture
def begun_again(cohort, monkeypatch, weights_to_tune):
    """A cohort whose masks are replaced with other weights, which was stopped after one case."""
    cohort()
    interrupt_in_second_case(monkeypatch)
    code, *_ = cohort("--overwrite", weights=weights_to_tune)
    assert code == 130


def test_masks_that_were_to_be_replaced_are_named(begun_again, tmp_path):
    (note,) = notes_of(tmp_path / "out")
    assert note.startswith("the cohort was begun again with other settings and not finished")
    assert note.endswith("the run before: bob, cyd")


def test_the_training_of_a_mask_that_is_left_is_that_of_its_own_weights(
    begun_again, tmp_path, narrow_weights
):
    masks = masks_of_cases(tmp_path / "out", NAMES)
    name = load_checkpoint(narrow_weights).name
    note = f"the training cases of the weights {name} are not recorded"
    assert any(found.startswith(note) for found in notes_on_training({"bob": masks["bob"]}))


def test_masks_of_cases_that_failed_since_are_named(cohort, data, tmp_path):
    cohort()
    path = data / "bob" / "bob_t1.nii.gz"
    image = nib.load(path)
    nib.save(nib.Nifti1Image(2 * np.asarray(image.dataobj), image.affine), path)
    _, rows, *_ = cohort()
    assert rows[1]["outcome"] == "failed"
    (note,) = notes_of(tmp_path / "out")
    assert note.startswith("the last run of the cohort failed on bob; the masks there are of an")
