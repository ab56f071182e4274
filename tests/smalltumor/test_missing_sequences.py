"""A case without T1, T2 or FLAIR is segmented by weights that can miss them, which is said."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.data.bids.write import write_bids
from smalltumor.data.case import Case
from smalltumor.data.input_checks import FindingKind
from smalltumor.data.made_by import MadeBy, recorded_made_by
from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import write_segmentation
from smalltumor.errors import Action, CaseError
from smalltumor.files.user_dirs import CACHE_VARIABLE
from smalltumor.geometry.grid import Grid
from smalltumor.inference import devices, segment
from smalltumor.inference.backends import openvino_backend, torch_backend
from smalltumor.inference.devices import has_openvino
from smalltumor.models.checkpoint import load_checkpoint, random_checkpoint
from synthetic import write_case
from training_cases import NARROW

CAN_MISS = random_checkpoint(seed=3, config=NARROW)
CAN_MISS.card["modality_dropout"] = 0.2

needs_openvino = pytest.mark.skipif(not has_openvino(), reason="the extra openvino is absent")


@pytest.fixture
def without_flair(tmp_path: Path) -> Path:
    """Folder of a case that lacks FLAIR."""
    return write_case(tmp_path / "data" / "ann", modalities="t1ce t1 t2")


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Make every backend compute in float32, even if the processor supports bfloat16."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    for module in (devices, openvino_backend):
        monkeypatch.setattr(module, "cpu_has_bfloat16", lambda: False)
    for pool in (torch_backend._backends, openvino_backend._backends):
        pool.clear()
    yield
    for pool in (torch_backend._backends, openvino_backend._backends):
        pool.clear()


@pytest.fixture(scope="module")
def part(sample_folder: Path) -> Case:
    """A part of the sample case without FLAIR, 40 voxels wide: its crop fits one window."""
    case = read_case(sample_folder)
    box = np.s_[80:120, 80:120, 60:100]
    volumes = {m: np.asfortranarray(v[box]) for m, v in case.volumes.items() if m != "flair"}
    return Case("part", volumes, Grid((40, 40, 40), np.diag([-1.0, -1.0, 1.0, 1.0])))


def test_the_result_says_what_is_missing_and_what_was_seen(without_flair, dropout_weights):
    case = read_case(without_flair, allow_missing=True)
    run = segment(case, load_checkpoint(dropout_weights), device="cpu", backend="torch").run
    assert run.modalities == ("t1ce", "t1", "t2")
    assert run.missing == ("flair",)
    assert FindingKind.MISSING in [finding.kind for finding in run.findings]


def test_the_result_says_what_the_weights_lose(without_flair, dropout_weights):
    checkpoint = load_checkpoint(dropout_weights)
    measured = {"all": {"wt": 0.9}, "flair": {"wt": 0.8}}
    checkpoint = replace(checkpoint, card={**checkpoint.card, "dice_without": measured})
    case = read_case(without_flair, allow_missing=True)
    run = segment(case, checkpoint, device="cpu", backend="torch").run
    assert ("wt", 0.8, 0.9) in run.findings[0].dice


def test_weights_that_were_trained_on_complete_cases_refuse_it(without_flair, narrow_weights):
    case = read_case(without_flair, allow_missing=True)
    with pytest.raises(CaseError, match="case has no FLAIR, which these weights need") as caught:
        segment(case, load_checkpoint(narrow_weights), device="cpu", backend="torch")
    assert caught.value.remedy.action is Action.CHOOSE_WEIGHTS


def test_a_complete_case_has_no_such_finding(tmp_path, dropout_weights):
    case = read_case(write_case(tmp_path))
    run = segment(case, load_checkpoint(dropout_weights), device="cpu", backend="torch").run
    assert run.missing == ()
    assert run.modalities == ("flair", "t1ce", "t1", "t2")


@pytest.mark.usefixtures("float32")
@pytest.mark.parametrize("backend", ["torch", pytest.param("openvino", marks=needs_openvino)])
@pytest.mark.parametrize("windows", [None, 64])
def test_every_path_gives_the_same_labels(part, backend, windows):
    expected = segment(part, CAN_MISS, device="cpu", backend="torch").classes
    got = segment(part, CAN_MISS, device="cpu", backend=backend, windows=windows).classes
    assert len(np.unique(expected)) > 1
    assert np.mean(got == expected) > 0.999


def test_the_order_of_the_axes_changes_nothing(part):
    flipped = replace(
        part,
        volumes={m: v[::-1] for m, v in part.volumes.items()},
        grid=Grid((40, 40, 40), np.diag([1.0, -1.0, 1.0, 1.0])),
    )
    expected = segment(part, CAN_MISS, device="cpu", backend="torch").classes
    got = segment(flipped, CAN_MISS, device="cpu", backend="torch").classes
    np.testing.assert_array_equal(got, expected[::-1])


def test_the_command_line_asks_before_it_segments_without_an_image(
    smalltumor, without_flair, dropout_weights, tmp_path
):
    command = ("segment", without_flair, "-o", tmp_path / "m.nii.gz", "--weights", dropout_weights)
    code, _, stderr = smalltumor(*command)
    assert code == 1
    assert "no FLAIR image" in stderr
    assert "or pass --allow-missing" in stderr
    code, stdout, stderr = smalltumor(*command, "--allow-missing")
    assert code == 0
    assert "warning: case: FLAIR is missing; the result is less reliable" in stderr
    assert "segmented without FLAIR" in stdout


def test_what_is_made_of_the_file_of_a_mask_says_what_its_network_did_not_see(
    smalltumor, without_flair, dropout_weights, tmp_path
):
    mask, numbers = tmp_path / "case_mask.nii.gz", tmp_path / "report.json"
    options = ("--weights", dropout_weights, "--allow-missing")
    code, _, stderr = smalltumor("segment", without_flair, "-o", mask, *options)
    assert code == 0
    for command in ("info", "lesions"):
        assert "segmented without FLAIR, not edited" in smalltumor(command, mask)[1]
    code, _, stderr = smalltumor("report", without_flair, mask, "--json", numbers)
    assert code == 0
    said = "case_mask.nii.gz was segmented without FLAIR; it is less reliable than with all"
    assert said in stderr
    content = json.loads(numbers.read_text())
    assert content["made_by"]["missing_sequences"] == ["flair"]
    assert any(said in warning for warning in content["warnings"])
    stored = read_stored_mask(mask, "ann", "brats2018")
    _, sidecar, _ = write_bids(stored, tmp_path / "bids")
    assert json.loads(sidecar.read_text())["MissingSequences"] == ["flair"]


@pytest.mark.parametrize("scheme", ["brats2018", "msd"])
def test_an_edited_mask_keeps_what_its_network_did_not_see(without_flair, tmp_path, scheme):
    result = segment(read_case(without_flair, allow_missing=True), CAN_MISS)
    path = tmp_path / "mask.nii.gz"
    write_segmentation(replace(result, made_by=result.made_by.edited), path, scheme=scheme)
    made_by = recorded_made_by(read_label_volume(path))
    assert (made_by.algorithm_type, made_by.missing) == ("SEMIAUTOMATIC", ("flair",))


def test_sequences_that_are_none_are_not_taken_from_a_file():
    content = {"algorithm_type": "AUTOMATIC", "missing_sequences": ["x", "t2", 3, "flair"]}
    assert MadeBy.from_json(content).missing == ("flair", "t2")
    with pytest.raises(TypeError):
        MadeBy.from_json({"algorithm_type": "AUTOMATIC", "missing_sequences": 3})


def test_the_command_line_says_which_weights_are_needed(smalltumor, without_flair, tmp_path):
    code, _, stderr = smalltumor(
        "segment", without_flair, "-o", tmp_path / "mask.nii.gz", "--allow-missing"
    )
    assert code == 1
    assert "choose weights trained with modality dropout with --weights" in stderr
    assert not (tmp_path / "mask.nii.gz").exists()


def test_a_complete_case_is_segmented_alike_with_the_option(smalltumor, dropout_weights, tmp_path):
    case = write_case(tmp_path / "case")
    for name, options in (("a", ()), ("b", ("--allow-missing",))):
        output = tmp_path / f"{name}.nii.gz"
        code, stdout, stderr = smalltumor(
            "segment", case, "-o", output, "--weights", dropout_weights, *options
        )
        assert code == 0
        assert "missing" not in stderr + stdout
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_cohort_records_which_masks_were_made_without_an_image(
    smalltumor, without_flair, dropout_weights, tmp_path
):
    output = tmp_path / "masks"
    command = ("cohort", without_flair.parent, "-o", output, "--weights", dropout_weights)
    code, stdout, stderr = smalltumor(*command, "--backend", "torch")
    assert code == 1
    assert "failed: case: no FLAIR image" in stdout
    hint = "failed without T1, T2 or FLAIR: 1; to segment these cases, "
    assert stderr == f"smalltumor: {hint}pass --allow-missing\n"
    for outcome in ("segmented", "kept"):
        code, _, stderr = smalltumor(*command, "--backend", "torch", "--allow-missing")
        assert (code, stderr) == (0, "")
        with (output / "cohort.csv").open(newline="") as file:
            (row,) = csv.DictReader(file)
        assert row["outcome"] == outcome
        assert "FLAIR" in row["warnings"]
    record = json.loads((output / "cohort.json").read_text())
    assert record["missing_modalities"] == {"case": ["flair"]}


def test_a_cohort_names_a_sequence_that_was_added_to_a_case_since(
    smalltumor, without_flair, dropout_weights, tmp_path
):
    output = tmp_path / "masks"
    options = ("-o", output, "--weights", dropout_weights, "--backend", "torch", "--allow-missing")
    assert smalltumor("cohort", without_flair.parent, *options)[0] == 0
    before = (output / "case.nii.gz").read_bytes()
    flair = write_case(tmp_path / "complete") / "case_flair.nii.gz"
    (without_flair / flair.name).write_bytes(flair.read_bytes())
    assert smalltumor("cohort", without_flair.parent, *options)[0] == 0
    assert (output / "case.nii.gz").read_bytes() == before
    with (output / "cohort.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["note"] == (
        "FLAIR was added after the case was segmented; delete the mask to have it segmented again"
    )


def test_a_cohort_names_the_weights_that_are_needed(
    smalltumor, without_flair, narrow_weights, tmp_path
):
    command = ("cohort", without_flair.parent, "-o", tmp_path / "masks")
    options = ("--weights", narrow_weights, "--backend", "torch")
    needed = "choose weights trained with modality dropout with --weights\n"
    assert smalltumor(*command, *options)[2].endswith(f"pass --allow-missing and {needed}")
    code, stdout, stderr = smalltumor(*command, *options, "--allow-missing")
    assert code == 1
    assert "failed: case has no FLAIR, which these weights need" in stdout
    assert stderr.endswith(f"to segment these cases, {needed}")
