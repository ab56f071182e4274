"""Checks before the computation that a prepared case can be written to a folder."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from smalltumor.data.made_by import holds_other_labels
from smalltumor.data.naming.case_files import MODALITIES
from smalltumor.data.volumes.nifti import read_nifti
from smalltumor.errors import Action, OutputError, Remedy, SmalltumorError
from smalltumor.files.atomic import check_output_folder
from smalltumor.files.damaged import DAMAGED
from smalltumor.files.existence import is_absent
from smalltumor.scanner.prepared.applied_steps import StepKind
from smalltumor.scanner.prepared.prepared_files import check_paths, prepared_paths
from smalltumor.text import list_text

_CORRECTIONS = {
    StepKind.BRAIN_CORRECTION: "a brain mask",
    StepKind.REGISTRATION_CORRECTION: "registrations",
}


def check_prepared(
    folder: Path,
    name: str,
    modalities: Collection[str],
    sources: Iterable[Path],
    *,
    overwrite: bool = False,
) -> None:
    """Check before the computation that a prepared case can be written.

    Raises
    ------
    OutputError
        If the folder is not writable, a file exists and `overwrite` is false, or is a source; or if
        people have corrected the case that would be replaced.
    """
    check_output_folder(folder)
    if is_absent(folder):
        return
    paths = prepared_paths(folder, name)
    files = [path for path in sources if path.is_file()]
    check_paths(paths, set(MODALITIES) - set(modalities), files, overwrite=overwrite)
    corrected = _corrected(paths["record"], paths["brain"])
    if corrected:
        raise OutputError(
            f"{folder} holds {list_text(corrected)} of {name} that people have corrected; move or "
            "delete the folder, or name another one",
            Remedy(Action.CHOOSE_OUTPUT),
        )


def check_outside_scan(folder: Path, scan: Path | None) -> None:
    """Check that a prepared case is not written within its scan, whose next search would find it.

    Raises
    ------
    OutputError
    """
    if scan is not None and folder.resolve().is_relative_to(scan.resolve()):
        raise OutputError(
            f"{folder} lies within the scan {scan}, which is never changed",
            Remedy(Action.CHOOSE_OUTPUT),
        )


def _corrected(record: Path, brain: Path) -> list[str]:
    """What people have corrected of the case that is there, by its record and its brain mask."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        steps = {s["kind"] for each in content["sequences"].values() for s in each["steps"]}
    except (OSError, *DAMAGED):
        steps = set()
    kinds = [kind for kind in _CORRECTIONS if kind in steps]
    if StepKind.BRAIN_CORRECTION not in kinds and _is_edited(brain):
        kinds.insert(0, StepKind.BRAIN_CORRECTION)
    return [_CORRECTIONS[kind] for kind in kinds]


def _is_edited(brain: Path) -> bool:
    """Whether another program has changed a brain mask."""
    try:
        return holds_other_labels(read_nifti(brain))
    except SmalltumorError:
        return False
