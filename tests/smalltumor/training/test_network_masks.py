"""Validation masks that a network made: what is said of them, and that runs record it."""

from __future__ import annotations

import pytest
from smalltumor.cli import main
from smalltumor.data.made_by import MadeBy
from smalltumor.data.masks.label_files import read_labels
from smalltumor.data.read_case import read_case
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.data.dataset_folder import add_case
from smalltumor.training.execution.train import train
from smalltumor.training.network_masks import NetworkMasks
from smalltumor.training.runs.monitor import RunMonitor
from synthetic import write_weights
from training_runs import events, request_for, silent

START = "ab" * 32
OF_START = MadeBy.network("starter", START, "0.1.0")
OF_OTHERS = MadeBy.network("other", "cd" * 32, "0.1.0")


def test_masks_of_the_starting_weights_are_told_from_those_of_others_and_of_people():
    masks = [OF_START.edited, None, MadeBy("MANUAL"), OF_OTHERS.edited, MadeBy("SEMIAUTOMATIC")]
    found = NetworkMasks.among(masks, [START])
    assert (found.cases, found.of_start) == (5, (OF_START.edited,))
    assert found.as_validation == (
        "1 of 5 validation masks is a corrected result of the starting weights: this Dice favours "
        "the starting weights. 2 of 5 validation masks are corrected results of other or "
        "unknown networks: this Dice favours those networks."
    )
    assert found.as_training == (
        "3 of 5 training masks are corrected results of a network: what was not corrected is "
        "learnt as if it were right."
    )
    people = NetworkMasks.among([None, MadeBy("MANUAL")], [START])
    assert people.as_validation == people.as_training == ""


def test_masks_that_nobody_corrected_are_not_called_corrected():
    only = NetworkMasks.among([OF_START], [START]).as_validation
    assert only.startswith("The validation mask is a result of the starting weights")
    both = NetworkMasks.among([OF_START, OF_START.edited], ["ef" * 32, START]).as_validation
    assert both.startswith("2 of 2 validation masks are results of the starting weights")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_run_from_a_pack_says_that_its_starting_weights_made_a_validation_mask(data, tmp_path):
    weights = write_weights(tmp_path / "w.safetensors")
    folder, pack = tmp_path / "collected", tmp_path / "pack"
    for name in ("case_00", "case_01"):
        case = read_case(data / name)
        made_by = MadeBy.network("w", load_checkpoint(weights).digest, "0.1.0").edited
        add_case(folder, case, read_labels(case)[0], made_by=made_by)
    assert main(["pack", str(folder), str(pack)]) == 0
    warnings: list[str] = []
    request = request_for(
        pack,
        tmp_path / "run",
        preset="finetune",
        validation_folder=None,
        validation_cases=("case_00",),
        weights=weights,
        changes={"epochs": 1, "validation_interval": 1},
    )
    train(request, silent, warn=warnings.append)
    said = "The validation mask is a corrected result of the starting weights"
    assert any(text.startswith(said) for text in warnings)
    comparison = RunMonitor(tmp_path / "run").poll().comparison
    assert comparison is not None and comparison.favours_start


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_run_says_and_records_that_its_starting_weights_made_a_validation_mask(data, tmp_path):
    first = write_weights(tmp_path / "first.safetensors")
    weights = write_weights(
        tmp_path / "w.safetensors", started_from_digest=load_checkpoint(first).digest
    )
    folder = tmp_path / "collected"
    for name in ("case_00", "case_01"):
        case = read_case(data / name)
        made_by = MadeBy.network("w", load_checkpoint(first).digest, "0.1.0").edited
        add_case(folder, case, read_labels(case)[0], made_by=made_by)
    said = "The validation mask is a corrected result of the starting weights"
    for run in (tmp_path / "run", tmp_path / "from the cache"):
        warnings: list[str] = []
        request = request_for(
            folder,
            run,
            preset="finetune",
            validation_folder=folder / "case_00",
            weights=weights,
            cache=tmp_path / "cache",
            changes={"epochs": 1, "validation_interval": 1},
        )
        train(request, silent, warn=warnings.append)
        assert any(text.startswith(said) for text in warnings)
        status = RunMonitor(run).poll()
        assert any(text.startswith(said) for text in status.warnings)
        assert status.comparison is not None and status.comparison.favours_start
        assert said in status.comparison.message
    (start,) = events(run, "start")
    assert list(start["made_by"]) == ["case_00"]
    ancestors = load_checkpoint(run / "final.safetensors").card["started_from_ancestors"]
    assert ancestors == [load_checkpoint(first).digest]
