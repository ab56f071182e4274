"""The training request of a new run, and the run folders inside a training folder."""

from __future__ import annotations

import time
from pathlib import Path

from smalltumor.errors import Action, OutputError, Remedy, TrainingError
from smalltumor.training.request import TrainingRequest

from napari_smalltumor.finetune.next_run.expected_length import validation_interval
from napari_smalltumor.finetune.next_run.starting_weights import RANDOM
from napari_smalltumor.finetune.next_run.train_page import TrainPage
from napari_smalltumor.finetune.runs_folder import RUNS


def new_request(data: Path, page: TrainPage) -> TrainingRequest:
    """Training request with the settings of the *Train* page, and a new run folder for it.

    Parameters
    ----------
    data : Path
        The training folder.
    page : TrainPage

    Raises
    ------
    TrainingError
        If the preset needs weights to start from and none are selected.
    CheckpointError
        If the shipped weights are selected but not installed.
    OutputError
        If the run folder cannot be created.
    """
    weights, validation = _weights_of(page), page.chosen_validation
    changes = {
        "epochs": page.epochs.value,
        "crop": page.crop.value,
        "batch_size": page.batch_size.value,
        "validation_interval": validation_interval(page.epochs.value),
    }
    if weights is not None:
        changes["starting_weights_share"] = page.starting_weights_share.value / 100
    if validation.every:
        changes |= {"validation_stride": validation.every}
    return TrainingRequest(
        data=data,
        run=create_run_folder(data),
        preset=page.preset.value,
        weights=weights,
        validation_folder=validation.folder,
        validation_cases=validation.cases,
        cache=data / RUNS / "cache",
        device=page.device.value,
        changes=changes,
    )


def create_run_folder(data: Path) -> Path:
    """Create a run folder named after the time, which no other window can get as well.

    Raises
    ------
    OutputError
        If it cannot be created.
    """
    name = time.strftime("%Y-%m-%d_%H%M")
    path, number = data / RUNS / name, 2
    while True:
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if not path.parent.is_dir():
                raise OutputError(f"{path.parent} is not a folder") from None
            path, number = path.with_name(f"{name}_{number}"), number + 1
        except OSError as error:
            raise OutputError(f"{path} cannot be created: {error.strerror or error}") from error
        else:
            return path


def _weights_of(page: TrainPage) -> Path | None:
    from smalltumor.models.checkpoint import starter_weights

    selected = page.weights.value
    if selected != RANDOM:
        return Path(selected) if selected else starter_weights()
    if page.preset.value == "finetune":
        raise TrainingError("Fine-tuning starts from weights", Remedy(Action.CHOOSE_WEIGHTS))
    return None
