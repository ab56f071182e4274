"""An evaluation says which cases the network of the masks has seen in training."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from smalltumor.cli import main
from smalltumor.cohort import seen_in_training
from smalltumor.cohort.cohort import info_of_run
from smalltumor.cohort.seen_in_training import notes_on_training, training_facts
from smalltumor.cohort.settings import CohortSettings
from smalltumor.data.identity.image_digests import comment_of
from smalltumor.errors import CheckpointError
from smalltumor.evaluation.pairing import masks_of_cases
from smalltumor.models.checkpoint import load_checkpoint
from synthetic import LPS

TRAINED, OTHER = "BraTS2021_00000", "BraTS2021_09999"
OWN_CARD = {"trained_on": ["P1_visit1", "P2"], "selected_on": ["P3"]}


def write_masks(folder: Path, *names: str, settings: object = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[3:6, 3:6, 3:6] = 4
    labels[6:9, 3:6, 3:6], labels[3:6, 6:9, 3:6] = 1, 2
    for name in names:
        nib.save(nib.Nifti1Image(labels, LPS), folder / f"{name}.nii.gz")
    if settings is not None:
        (folder / "cohort.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def notes_of(predictions: Path, names: list[str]) -> list[str]:
    return notes_on_training(masks_of_cases(predictions, names))


def test_patients_of_the_training_are_named_and_others_are_not(tmp_path):
    settings = {"weights": "mine", "digest": "c0ffee", **OWN_CARD}
    names = ["P1_visit2", "P2", "P3", "P4"]
    trained, chosen = notes_of(write_masks(tmp_path, *names, settings=settings), names)
    assert trained.startswith("the weights mine were trained on the patients of P1_visit2, P2;")
    assert chosen.startswith("the weights mine were chosen by scores on P3,")


def test_a_copy_of_a_training_case_is_known_by_the_images_that_its_mask_records(tmp_path):
    settings = {"weights": "mine", "digest": "c0ffee", **OWN_CARD, "trained_on_images": ["aa,bb"]}
    folder = write_masks(tmp_path, "Q1", "Q2", settings=settings)
    for name, digest in (("Q1", "zz,bb"), ("Q2", "zz,yy")):
        mask = nib.load(folder / f"{name}.nii.gz")
        comment = comment_of({"t1ce": digest}).encode()
        mask.header.extensions.append(nib.nifti1.Nifti1Extension("comment", comment))
        nib.save(mask, folder / f"{name}.nii.gz")
    (note,) = notes_of(folder, ["Q1", "Q2"])
    assert note.startswith("the weights mine were trained on the patients of Q1;")


def test_parts_are_one_network_and_reviews_are_of_the_masks_above_them(tmp_path):
    settings = {"weights": "mine", "digest": "c0ffee", **OWN_CARD}
    write_masks(tmp_path / "1", "P2", settings=settings)
    write_masks(tmp_path / "2", "P1_visit1", settings=settings | {"part": "2/2"})
    (note,) = notes_of(tmp_path, ["P1_visit1", "P2"])
    assert "P1_visit1, P2" in note
    reviewed = write_masks(tmp_path / "1" / "reviews" / "ann", "P2_review1")
    assert "the weights mine were trained" in notes_of(reviewed, ["P2"])[0]


def test_masks_of_an_unknown_origin_are_compared_with_the_shipped_weights_conditionally(tmp_path):
    (note,) = notes_of(write_masks(tmp_path, TRAINED, OTHER), [TRAINED, OTHER])
    assert note.startswith("if these masks are of the shipped weights: ")
    assert TRAINED in note
    assert OTHER not in note


def test_the_digest_of_the_shipped_weights_is_enough(tmp_path):
    settings = {"weights": "starter", "digest": load_checkpoint().digest}
    (note,) = notes_of(write_masks(tmp_path, TRAINED, settings=settings), [TRAINED])
    assert note.startswith("the shipped weights were trained on the patients of")


@pytest.mark.parametrize("facts", [{}, {"trained_on": "fifty patients", "selected_on": []}])
def test_a_training_that_is_not_recorded_is_said_to_be_unknown(tmp_path, facts):
    settings = {"weights": "mine", "digest": "c0ffee", **facts}
    (note,) = notes_of(write_masks(tmp_path, "P2", settings=settings), ["P2"])
    assert note.startswith("the training cases of the weights mine are not recorded")


def test_damaged_settings_do_not_stop_an_evaluation(tmp_path):
    folder = write_masks(tmp_path, OTHER)
    (folder / "cohort.json").write_text("{", encoding="utf-8")
    assert notes_of(folder, [OTHER]) == []


@pytest.fixture
def no_shipped_weights(monkeypatch):
    def missing():
        raise CheckpointError("this installation has no shipped weights")

    monkeypatch.setattr(seen_in_training, "load_checkpoint", missing)


@pytest.mark.parametrize("rules", ["brats2023", "brats2024"])
def test_masks_are_scored_without_the_shipped_weights(tmp_path, capsys, rules, no_shipped_weights):
    masks, truth = (write_masks(tmp_path / name, TRAINED) for name in ("masks", "truth"))
    options = ["--rules", rules, "--labels", "brats2018", "--truth-labels", "brats2018"]
    assert main(["evaluate", str(masks), str(truth), *options]) == 0
    out, err = capsys.readouterr()
    assert "ET" in out
    assert "were not compared with those of the shipped weights: this installation has no" in err


def test_masks_of_a_recorded_training_need_no_shipped_weights(tmp_path, no_shipped_weights):
    settings = {"weights": "mine", "digest": "c0ffee", **OWN_CARD}
    (note,) = notes_of(write_masks(tmp_path, "P2", settings=settings), ["P2"])
    assert note.startswith("the weights mine were trained on the patients of P2;")


def test_a_run_records_what_the_card_says(tmp_path):
    checkpoint = load_checkpoint()
    facts = training_facts(checkpoint.card)
    assert TRAINED in facts["trained_on"]
    assert len(facts["trained_on_images"]) == 50
    assert facts["selected_on"] == ["BraTS2021_00019"]
    assert info_of_run(checkpoint, CohortSettings(tmp_path)).training == facts
    assert training_facts({}) == {"trained_on": "not said", "selected_on": []}


@pytest.mark.parametrize("rules", ["brats2023", "brats2024"])
def test_the_command_warns_of_masks_and_of_the_baseline(tmp_path, capsys, rules):
    masks = write_masks(tmp_path / "masks", TRAINED, OTHER)
    truth = write_masks(tmp_path / "truth", TRAINED, OTHER)
    options = ["--rules", rules, "--labels", "brats2018", "--truth-labels", "brats2018"]
    if rules == "brats2023":
        options += ["--baseline", str(masks / f"{TRAINED}.nii.gz"), "-o", str(tmp_path / "report")]
    assert main(["evaluate", str(masks), str(truth), *options]) == 0
    warning = "smalltumor: warning: {}if these masks are of the shipped weights: they were"
    err = capsys.readouterr().err
    assert warning.format("") in err
    if rules == "brats2023":
        assert warning.format("baseline: ") in err
        assert TRAINED in (tmp_path / "report" / "report.txt").read_text().split("All cases")[0]
