"""Scores of a network on the validation cases of a run, kept in a table as they come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from smalltumor.data.case import Case
from smalltumor.data.identity.patients import patient_of
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.data.preprocessing import PREPROCESSING_VERSION
from smalltumor.data.read_case import read_case_files
from smalltumor.data.segmentation import InferenceRun, Segmentation
from smalltumor.errors import OutputError
from smalltumor.evaluation.summaries.case_rows import CaseRow, case_row, read_rows, write_rows
from smalltumor.files.existence import exists
from smalltumor.inference.predict import segment
from smalltumor.labels.regions import known_regions
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.progress import ProgressCallback
from smalltumor.training.cross_validation.validation_cases import ValidationCases
from smalltumor.training.data.case_digest import case_digest
from smalltumor.training.data.expert_labels import read_expert_labels

SCORING_VERSION = 3
"""Raised when the numbers of a `CaseRow` are others for the same input and weights.

They are all that a run keeps: overlap, volumes, and components by their voxels. Scores that are
computed each time, such as those of lesions that the dilated truth merges, are not among them. A
raise has all cases of all runs segmented again."""

OUT_OF_FOLD = "out_of_fold.csv"
"""Scores with the final weights of the run itself."""

Warn = Callable[[str], None]


def score_validation_cases(
    validation: ValidationCases,
    checkpoint: Checkpoint,
    table: str,
    *,
    device: str = "auto",
    flips: bool = False,
    progress: ProgressCallback | None = None,
    warn: Warn | None = None,
) -> list[CaseRow]:
    """Segment whole volumes as `segment` does, and score them.

    Each score is written to the table in the run folder at once. A case is not segmented again if
    the table has its scores with these weights, and neither its images and masks nor the versions
    of preprocessing and scoring have changed since.

    Parameters
    ----------
    validation : ValidationCases
    checkpoint : Checkpoint
    table : str
        Name of the table in the run folder.
    device : str
    flips : bool
        As for `segment`.
    progress : callable, optional
        Called with the fraction done and the name of the case.
    warn : callable, optional
        Called with each reason to doubt the scores of a case that is segmented.

    Returns
    -------
    list of CaseRow
        In the order of the cases, without those whose expert's mask tells no region.

    Raises
    ------
    CaseError, LabelError, CheckpointError
        If a case or the weights cannot be used.
    SmalltumorError
        If the table is damaged, or memory does not suffice.
    OutputError
        If the table cannot be written.
    """
    path, key = validation.run.path / table, weights_key(checkpoint)
    predict = partial(segment, checkpoint=checkpoint, device=device, flips=flips)
    rows = {row.case: row for row in _known(path) if row.weights == key}
    for number, files in enumerate(validation.cases):
        patient = patient_of(files.name, validation.patients)
        inputs = case_digest(files, PREPROCESSING_VERSION, SCORING_VERSION, flips)[:12]
        known = rows.get(files.name)
        if known is not None and known.inputs == inputs:
            rows[files.name] = replace(known, patient=patient)
            continue
        if progress is not None:
            progress(number / len(validation.cases), files.name)
        row = _scored(files, key, predict, warn)
        if row is None:
            rows.pop(files.name, None)
            continue
        rows[files.name] = replace(row, patient=patient, inputs=inputs)
        write_rows(rows.values(), path)
    return [rows[files.name] for files in validation.cases if files.name in rows]


def _scored(
    files: CaseFiles, key: str, predict: Callable[[Case], Segmentation], warn: Warn | None
) -> CaseRow | None:
    """Segment and score a case; None if its expert's mask tells no region."""
    case = read_case_files(files)
    labels = read_expert_labels(case)
    regions = known_regions(labels.scheme.known_classes)
    if not regions:
        return None
    segmentation = predict(case)
    if warn is not None:
        for text in _warnings(case, segmentation.run):
            warn(f"{files.name}: {text}")
    edges = case.grid.voxel.edges
    return case_row(files.name, key, segmentation.classes, labels.classes, edges, regions=regions)


def _warnings(case: Case, run: InferenceRun | None) -> list[str]:
    return [*case.warnings, *map(str, run.findings), *run.warnings] if run else case.warnings


def _known(path: Path) -> list[CaseRow]:
    return read_rows(path) if exists(path, unreachable=OutputError) else []


def weights_key(checkpoint: Checkpoint) -> str:
    """First digits of a digest of the weights.

    Unlike that of the file, it is the same for two runs that end with the same weights: the order
    of the metadata in a safetensors file is not fixed.
    """
    digest = hashlib.sha256(json.dumps(checkpoint.preprocessing.to_dict()).encode())
    for name in sorted(checkpoint.arrays):
        digest.update(name.encode() + np.ascontiguousarray(checkpoint.arrays[name]).tobytes())
    return digest.hexdigest()[:12]
