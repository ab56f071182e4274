"""peers.py trains, resumes and scores each network, and refuses what would not be comparable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import peers
import pytest
import torch
from peer_networks import (
    NAMES,
    WIDTHS,
    MonaiArchitecture,
    MonaiNetwork,
    segresnet_vae,
    study_networks,
)
from peer_tables import small_table
from smalltumor.cli import main as smalltumor
from smalltumor.evaluation.report.out_of_fold_report import Results
from smalltumor.evaluation.summaries.case_rows import CaseRow, case_row, read_rows
from smalltumor.labels.regions import TissueClass
from smalltumor.training.data.dataset import labelled_cases, prepare_case
from smalltumor.training.data.pack_writer import PackWriter
from smalltumor.training.execution import train as training_run
from smalltumor.training.loop.stopping import StepAborted
from smalltumor.training.optimisation.learner import Learner
from smalltumor.training.runs.run_folder import RunFolder
from training_cases import QUICK, write_lesion_cases
from training_runs import assert_same_state

FIRST, OTHERS = ("multi-task", "dynunet", "segresnet-vae"), ("baseline", "unet")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Four cases with lesions."""
    return write_lesion_cases(tmp_path_factory.mktemp("data") / "cases", 4)


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """One step a fold, and narrow networks."""
    presets = {"starter": replace(QUICK, crops_per_case=1)}
    for name in WIDTHS:
        monkeypatch.setitem(WIDTHS, name, 8)
    monkeypatch.setattr(training_run, "PRESETS", presets)
    monkeypatch.setattr(peers, "PRESETS", presets)


def arguments(data: Path, study: Path, *further: str) -> list[str]:
    words = [str(data), "--study", str(study), "--folds", "2", "--fold", "0", "--epochs", "1"]
    return [*words, "--cache", str(data.parent / "cache"), "--device", "cpu", *further]


def scored(study: Path, name: str) -> list[CaseRow]:
    return read_rows(study / f"{name}.csv")


@pytest.mark.slow
def test_networks_are_trained_and_scored_on_the_same_validation_cases(data, tmp_path, capsys):
    assert {*FIRST, *OTHERS} == set(NAMES)
    assert peers.main(arguments(data, tmp_path, "--networks", *FIRST)) == 0
    rows = {name: scored(tmp_path, name) for name in FIRST}
    validation_cases = [row.case for row in rows["multi-task"]]
    assert len(validation_cases) == 2
    for name in FIRST:
        assert [row.case for row in rows[name]] == validation_cases
        trained = RunFolder(tmp_path / name / "fold-0").read_config()["split"]["trained_on"]
        assert set(trained).isdisjoint(validation_cases)
    text = (tmp_path / "tables.txt").read_text()
    assert text in capsys.readouterr().out
    networks = study_networks(QUICK)
    for name in FIRST:
        assert text.count(networks[name].title) >= 4  # parameters, and three tables
    one, other = (str(tmp_path / f"{name}.csv") for name in FIRST[:2])
    assert smalltumor(["folds", one, "--baseline", other]) == 0
    assert "multi-task.csv (A) minus dynunet.csv (B)" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_a_study_stopped_in_a_step_and_in_scoring_ends_as_one_that_was_not(
    data, tmp_path, monkeypatch, name
):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    further = ("--epochs", "3", "--networks", name)
    assert peers.main(arguments(data, whole, *further)) == 0
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", aborted_in_the_second(Learner.step))
        assert peers.main(arguments(data, stopped, *further)) == 0
    run = RunFolder(stopped / name / "fold-0")
    assert not run.is_done
    with monkeypatch.context() as patch:
        patch.setattr(peers, "case_row", interrupted_at_the_second(peers.case_row))
        assert peers.main(arguments(data, stopped, *further)) == 130
    assert len(peers.fold_rows(run)) == 1
    assert peers.main(arguments(data, stopped, *further)) == 0
    assert_same_state(whole / name / "fold-0", run.path)
    for row, same in zip(scored(whole, name), scored(stopped, name), strict=True):
        assert replace(row, weights="") == replace(same, weights="")


def aborted_in_the_second(step):
    def call(learner, batch):
        if learner.progress.step == 1:
            raise StepAborted
        return step(learner, batch)

    return call


def interrupted_at_the_second(function):
    calls = iter(range(1000))

    def call(*arguments):
        if next(calls) == 1:
            raise KeyboardInterrupt
        return function(*arguments)

    return call


def test_a_study_is_not_continued_with_other_settings(data, tmp_path, capsys):
    assert peers.main(arguments(data, tmp_path, "--networks", "baseline")) == 0
    assert peers.main(arguments(data, tmp_path, "--networks", "unet", "--crop", "16")) == 1
    assert "crop = 16: the study was started with None" in capsys.readouterr().err
    assert peers.main(arguments(data, tmp_path, "--preset", "paper")) == 1
    assert "preset = paper: the study was started with starter" in capsys.readouterr().err
    assert peers.main([str(data), "--study", str(tmp_path), "--tables"]) == 0


@pytest.mark.slow
def test_a_pack_gives_the_same_folds_and_nearly_the_same_scores(data, tmp_path):
    writer = PackWriter(tmp_path / "pack", QUICK.preprocessing)
    for case in labelled_cases(data):
        writer.add(prepare_case(case, QUICK.preprocessing))
    writer.close()
    network = ("--networks", "baseline")
    assert peers.main(arguments(data, tmp_path / "files", *network)) == 0
    assert peers.main(arguments(tmp_path / "pack", tmp_path / "packed", *network)) == 0
    for row, same in zip(
        scored(tmp_path / "files", "baseline"), scored(tmp_path / "packed", "baseline"), strict=True
    ):
        assert (row.case, row.et_voxels) == (same.case, same.et_voxels)
        assert row.wt_dice == pytest.approx(same.wt_dice, abs=0.02)


def test_the_autoencoder_s_loss_is_part_of_the_training_only():
    network = MonaiNetwork(segresnet_vae(16)).to(memory_format=torch.channels_last_3d)
    output = network.outputs(torch.randn(2, 4, 16, 16, 16))
    assert output.logits.shape == (2, 4, 16, 16, 16)
    assert output.regularisation is not None and output.regularisation.requires_grad
    with torch.no_grad():
        assert network.eval().outputs(torch.zeros(1, 4, 16, 16, 16)).regularisation is None
        assert network(torch.zeros(1, 4, 32, 16, 48)).shape == (1, 4, 32, 16, 48)


def test_a_network_is_read_as_it_was_written(tmp_path):
    architecture = MonaiArchitecture(lambda: torch.nn.Conv3d(4, 4, 1))
    network = architecture.inference_network()
    architecture.save(tmp_path / "final.safetensors", network, QUICK.preprocessing, {})
    read = architecture.load(tmp_path / "final.safetensors")
    for name, value in network.state_dict().items():
        assert torch.equal(read.state_dict()[name], value)


def test_small_tumours_are_those_with_some_et_below_the_limit():
    rows = tuple(row(f"case_{number}", voxels) for number, voxels in enumerate((0, 500, 1500)))
    table = small_table([Results("network", rows)], 1000)
    assert table.startswith("Table 2: patients with an enhancing tumour below 1000 voxels")
    cells = table.splitlines()[2].split()
    assert cells[:3] == ["network", "1", "0.1000"]
    assert f"{9000 / (240 * 240 * 155 - 500):.4f}" in cells
    assert "9.0000" in cells  # ml
    assert "published: Ngo et al. 2020" in table


def row(case: str, et_voxels: int) -> CaseRow:
    """A case with so much enhancing tumour, which is found, and 9000 false voxels."""
    truth, predicted = np.zeros(20_000, np.uint8), np.zeros(20_000, np.uint8)
    truth[:et_voxels] = predicted[: et_voxels + 9000] = TissueClass.ET
    return case_row(case, "", predicted.reshape(20, 20, 50), truth.reshape(20, 20, 50))
