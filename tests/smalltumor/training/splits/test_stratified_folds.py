"""Folds of cases on the disk: by their masks, and by what the starting weights have seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from smalltumor.errors import Action, TrainingError
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.dataset import labelled_cases
from smalltumor.training.data.same_images import t1ce_digests
from smalltumor.training.execution.run_cases import check_unique_names
from smalltumor.training.splits.stratified_folds import stratified_folds


def test_no_fold_validates_on_what_the_starting_weights_have_seen(data, weights_to_tune):
    initial = replace(load_checkpoint(weights_to_tune), card={"trained_on": ["case_01"]})
    said: list[str] = []
    config = TrainingConfig(folds=3)
    cases = labelled_cases(data)
    folds = stratified_folds(cases, config, initial, {}, {}, said.append, said.append)
    assert sorted(sum(folds.validation_cases, ())) == ["case_00", "case_02", "case_03"]
    assert said[0] == "reading the masks of 4 cases to split them into folds"
    assert "not scored: 1 case, because" in said[1] and said[1].endswith(": case_01")


def test_no_fold_validates_on_images_that_they_have_seen_under_another_name(data, weights_to_tune):
    cases = labelled_cases(data)
    digests = t1ce_digests(cases)
    card = {"trained_on": ["theirs"], "trained_on_images": [digests["case_02"]]}
    initial = replace(load_checkpoint(weights_to_tune), card=card)
    folds = stratified_folds(cases, TrainingConfig(folds=3), initial, digests, {}, print, print)
    assert folds.always_training == ("case_02",)


def test_a_mask_that_cannot_be_read_is_named_with_its_case(data, tmp_path):
    case, *others = labelled_cases(data)
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"")
    cases = [replace(case, labels=(broken,)), *others]
    with pytest.raises(TrainingError, match="case_00 cannot be trained on") as refused:
        stratified_folds(cases, TrainingConfig(folds=2), None, {}, {}, print, print)
    assert refused.value.remedy.action is Action.CHECK_DATASET


def test_two_cases_of_one_name_are_refused(data):
    cases = labelled_cases(data)
    check_unique_names(cases)
    with pytest.raises(TrainingError, match="more than one case named case_00"):
        check_unique_names([cases[0], *cases])
