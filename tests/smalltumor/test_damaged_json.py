"""JSON that another program changed is told in a message, whatever stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari_cases import case_along
from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.cohort.results.folder_settings import SETTINGS, CohortInfo, FolderSettings
from smalltumor.cohort.results.records import CohortCaseRecord
from smalltumor.data.bids.checks import check_bids
from smalltumor.data.bids.dataset import DESCRIPTION, authors_around, check_bids_dataset
from smalltumor.data.bids.names import bids_paths
from smalltumor.data.identity.image_digests import comment_of, recorded_images
from smalltumor.data.identity.recorded_patient import PATIENT_KEY
from smalltumor.data.made_by import MadeBy, made_by_comment, recorded_made_by
from smalltumor.data.naming.numbered_files import channel_order
from smalltumor.data.read_case import read_case
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.data.volumes.volume_files import read_volume
from smalltumor.errors import SmalltumorError
from smalltumor.files.tensor_file import write_tensors
from smalltumor.models.card import read_facts
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.stored_case import stored_case
from smalltumor.scanner.volume_series import series_of_file
from smalltumor.second_look.parameters import as_json, load_parameters
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.optimisation.state import FORMAT as STATE
from smalltumor.training.optimisation.state import FORMAT_VERSION as STATE_VERSION
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.current_weights import current_checkpoint
from smalltumor.training.runs.monitor import RunMonitor
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.run_lock import is_locked, write_lock_holder
from smalltumor.training.splits.split import Split
from training_cases import QUICK

Reader = tuple[str, Callable[[str], object]]

VALUES = ("null", f"1{'0' * 400}", "1e999", "-1", '"text"', "[]", "{}", "[[1, 2]]")
NESTED = "[" * 100_000
MARK = "a value that is exchanged"


def with_one_other_value(text: str) -> Iterator[str]:
    """The text with each value exchanged, of lists the first one; at last, one nested too deep."""
    content = json.loads(text)
    for other in _with_marks(content):
        for value in VALUES:
            yield json.dumps(other).replace(json.dumps(MARK), value)
    yield NESTED


def _with_marks(content: Any) -> Iterator[Any]:
    yield MARK
    if isinstance(content, dict | list):
        keys = content if isinstance(content, dict) else range(min(1, len(content)))
        for key in keys:
            copied = content.copy()
            for part in _with_marks(content[key]):
                copied[key] = part
                yield copied


def of_file(path: Path, text: str, read: Callable[[], object]) -> Reader:
    def read_text(other: str) -> object:
        path.write_text(other)
        return read()

    path.parent.mkdir(parents=True, exist_ok=True)
    return text, read_text


def comments(folder: Path) -> Iterator[Reader]:
    case, path = case_along(), folder / "mask.nii"
    labels = np.ones(case.grid.shape, np.uint8)
    write_volume(path, labels, case.grid)
    volume = read_volume(path)
    made_by = made_by_comment(MadeBy("AUTOMATIC", "weights", "0" * 16), labels, case.grid)
    yield made_by, lambda text: recorded_made_by(replace(volume, comments=(text,)))
    yield (
        comment_of({"t1ce": "0" * 16}),
        lambda text: recorded_images(replace(volume, comments=(text,))),
    )


def cohort(folder: Path) -> Iterator[Reader]:
    settings = FolderSettings(CohortInfo("brats"), outdated=("P1",), missing={"P1": ("t2",)})
    text = json.dumps(settings.to_json())
    yield of_file(folder / SETTINGS, text, lambda: FolderSettings.read(folder))
    path = folder / "record.json"
    CohortCaseRecord("weights", "0", "cpu", "torch", 1.0, "1", images={"t1ce": 3}).write(path)
    yield of_file(path, path.read_text(), lambda: CohortCaseRecord.read(path))


def bids(folder: Path) -> Iterator[Reader]:
    description = json.dumps({"Name": "x", "DatasetType": "derivative", "Authors": ["A"]})
    path = folder / "bids" / DESCRIPTION
    yield of_file(path, description, lambda: check_bids_dataset(path.parent, ["A"]))
    image = path.parent / "sub-1" / "t1.nii"
    yield of_file(path, description, lambda: authors_around([image]))
    mask, sidecar, _ = bids_paths("Pat", folder / "patients")
    mask.parent.mkdir(parents=True)
    mask.touch()
    text = json.dumps({PATIENT_KEY: "Pat"})
    yield of_file(sidecar, text, lambda: check_bids("Pat", folder / "patients", overwrite=True))


def images(folder: Path) -> Iterator[Reader]:
    channels = json.dumps({"channel_names": {"0": "T1", "1": "T1CE"}})
    path = folder / "numbered" / "dataset.json"
    yield of_file(path, channels, lambda: channel_order(path.parent, None, ("t1", "t1ce")))
    case, volume = case_along(), folder / "scan.nii"
    write_volume(volume, case.volumes["t1ce"], case.grid)
    keys = ("RepetitionTime", "EchoTime", "InversionTime", "PatientID", "AcquisitionTime")
    sidecar = json.dumps({**dict.fromkeys(keys, 1.5), "ImageType": ["ORIGINAL"]})
    yield of_file(volume.with_suffix(".json"), sidecar, lambda: series_of_file(volume))


def prepared(folder: Path) -> Iterator[Reader]:
    pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")
    write_prepared(prepared_by_hand(write_raw_scan(folder / "scan")), folder / "Pat")
    case, path = read_case(folder / "Pat"), folder / "Pat" / "Pat_prepared.json"
    yield of_file(path, path.read_text(), lambda: stored_case(case))


def weights(folder: Path) -> Iterator[Reader]:
    path = folder / "second_look.json"
    yield of_file(path, as_json(load_parameters()), lambda: load_parameters(path))
    card = folder / "card.json"
    yield of_file(card, '{"name": "x"}', lambda: read_facts(card))


def run_folder(folder: Path) -> Iterator[Reader]:
    run = RunFolder(folder / "run")
    request = TrainingRequest(folder, run.path, validation_cases=("P1",), patients={"P1": "P"})
    split = Split(("P1",), ("P2",), ("P1",))
    RunRecord(request, QUICK, split, {"started_from": "x"}, 5).write(run)
    text = run.config.read_text()
    yield of_file(run.config, text, lambda: TrainingRequest.from_record(run.read_config(), folder))
    yield of_file(run.config, text, lambda: RunMonitor(run.path).poll())
    weights = {"network.x": np.zeros(1, np.float32)}
    entries = {"progress": json.dumps({"step": 3, "frozen": False})}
    write_tensors(run.last, weights, STATE, STATE_VERSION, entries, overwrite=True)
    yield of_file(run.config, text, lambda: current_checkpoint(run.path))


def state_of_run(folder: Path) -> Iterator[Reader]:
    run = RunFolder(folder / "trained")
    run.path.mkdir()
    run.write_config({"training": QUICK.to_dict()})

    def read(text: str) -> object:
        weights = {"network.x": np.zeros(1, np.float32)}
        progress = {"progress": text}
        write_tensors(run.last, weights, STATE, STATE_VERSION, progress, overwrite=True)
        return current_checkpoint(run.path)

    yield json.dumps({"step": 3, "frozen": False}), read


def files_of_run(folder: Path) -> Iterator[Reader]:
    run = RunFolder(folder / "followed")
    run.path.mkdir()
    write_lock_holder(run, 1)
    yield of_file(run.process, run.process.read_text(), lambda: is_locked(run))
    path = folder / "request.json"
    TrainingRequest(folder, run.path, changes={"epochs": 3}).write(path)
    yield of_file(path, path.read_text(), lambda: TrainingRequest.read(path))
    for event in EVENTS:
        text = json.dumps(event)
        yield of_file(run.events, text, lambda: follow(run))


DICE = {"et": 0.5, "tc": 0.5, "wt": 0.5}
SCORED = {"step": 4, "time": 1.0, "score": 0.5, "by_case": [{"case": "P1", **DICE}]}
EVENTS = (
    {"event": "start", "step": 0, "time": 1.0, "steps": 4, "device": "cpu", "training": ["P1"]},
    {"event": "progress", "step": 1, "time": 1.0, "seconds_left": 5.0, "voxels_per_second": 2.0},
    {"event": "epoch", "step": 4, "time": 1.0, "epoch": 1, "epochs": 2, "segmentation": 0.5},
    {"event": "validation", "epoch": 0, **SCORED},
    {"event": "validation", "epoch": 1, "small_lesions": 0.5, **SCORED},
    {"event": "warning", "step": 4, "time": 1.0, "case": "P1", "message": "it is cut off"},
    {"event": "stop", "step": 4, "time": 1.0, "changes": {"epochs": 3}},
)


def follow(run: RunFolder) -> object:
    """What a monitor shows of an event, after and before others."""
    damaged = run.events.read_text()
    for before, after in (("", EVENTS), (EVENTS, ""), ("", "")):
        lines = [*map(json.dumps, before), damaged, *map(json.dumps, after)]
        run.events.write_text("\n".join(lines) + "\n")
        comparison = RunMonitor(run.path).poll().comparison
        assert comparison is None or comparison.message
    return run


@pytest.mark.parametrize(
    "readers",
    [comments, cohort, bids, images, prepared, weights, run_folder, state_of_run, files_of_run],
)
def test_damaged_json_is_read_or_refused_in_a_message(tmp_path, readers):
    for text, read in readers(tmp_path):
        read(text)
        for other in with_one_other_value(text):
            try:
                read(other)
            except SmalltumorError:
                continue
            except Exception as error:
                raise AssertionError(other[:2000]) from error
