"""Start, pause, resume and stop training in a process of its own, through its run folder.

The process outlives the one that launched it. It is asked to stop through a file in the run
folder, on every platform in the same way. No torch is imported here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from smalltumor.errors import Action, OutputError, Remedy, TrainingError
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.events import END_EVENTS
from smalltumor.training.runs.process_tree import ProcessTree, lower_priority
from smalltumor.training.runs.run_folder import RunFolder, StopRequest
from smalltumor.training.runs.run_lock import (
    LockHolder,
    hold_launch_lock,
    is_locked,
    lock_is_held,
    read_lock_holder,
    write_lock_holder,
)

NICENESS = 5
"""How much lower the priority of training is than that of the program that started it."""

_GRACE_SECONDS = 4.5


def start(request: TrainingRequest) -> int:
    """Start a run in a process of its own.

    Parameters
    ----------
    request : TrainingRequest
        `TrainingRequest.run` is a new folder.

    Returns
    -------
    int
        The process's id.

    Raises
    ------
    TrainingError, OutputError
        If the folder holds a run already, cannot be made, or no process can be started.
    """
    run = RunFolder(request.run.resolve())
    run.create()
    with hold_launch_lock(run):
        if run.has(run.config):
            raise TrainingError(f"{run.path} holds a run already", Remedy(Action.CHOOSE_RUN_FOLDER))
        return _launch(run, request)


def resume(path: Path, changes: Mapping[str, int] | None = None) -> int:
    """Resume a run from its last saved state, in a process of its own.

    Parameters
    ----------
    path : Path
        The run folder.
    changes : mapping of str to int, optional
        New values for settings such as ``crop`` and ``batch_size``; steps and epochs count on.

    Returns
    -------
    int
        The process's id.

    Raises
    ------
    TrainingError
        If the folder holds no run, or a process trains in it already.
    """
    run = RunFolder(path.resolve())
    request = TrainingRequest.from_record(
        run.read_config(), run.path, changes=dict(changes or {}), resume=True
    )
    with hold_launch_lock(run):
        return _launch(run, request)


def pause(path: Path) -> bool:
    """Save and end a run's process; like `stop`, but the run is shown as paused."""
    return _end(RunFolder(path), StopRequest.PAUSE)


def stop(path: Path) -> bool:
    """Save and end a run's process and every process it has started, within five seconds.

    Parameters
    ----------
    path : Path
        The run folder.

    Returns
    -------
    bool
        False if the process did not save in time and was terminated: a resumed run then continues
        from the state saved last, at most a minute old. For a run on another machine, or in this
        very process, False means that it has been asked and may still run.
    """
    return _end(RunFolder(path), StopRequest.STOP)


def _end(run: RunFolder, stop_request: StopRequest) -> bool:
    holder = read_lock_holder(run)
    if holder is None or not is_locked(run):
        return True
    with suppress(OutputError):  # a full disk must not keep it running
        run.request_stop(stop_request)
    if not holder.is_local or holder.pid == os.getpid():
        return False
    tree = ProcessTree(holder.pid)
    is_starting = not lock_is_held(run)  # then there is nothing to save
    ended_itself = is_starting or tree.wait(_GRACE_SECONDS)
    tree.end()
    run.stop_request_file.unlink(missing_ok=True)
    has_saved = _record_stop(run, stop_request, holder)
    return ended_itself or has_saved


def _record_stop(run: RunFolder, stop_request: StopRequest, holder: LockHolder) -> bool:
    """Record the stop of a process unless it did so itself, which it does after saving.

    Returns
    -------
    bool
        Whether it did. A process on a busy machine may take long to exit after that.
    """
    events = list(run.read_events())
    last = events[-1] if events else {}
    if last.get("event") in END_EVENTS and last["time"] >= holder.since:
        return True
    step = max((event["step"] for event in events), default=0)
    with suppress(OutputError):
        run.append("stop", step, request=stop_request.value)
    return False


def _launch(run: RunFolder, request: TrainingRequest) -> int:
    request.write(run.training_request_file)
    run.stop_request_file.unlink(missing_ok=True)
    # -P: a file of the working folder must not take a module's place.
    command = [sys.executable, "-P", "-m", "smalltumor.cli"]
    command += ["train-request", str(run.training_request_file)]
    try:
        run.mark_launch()
        with run.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=run.path,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
                creationflags=_windows_flags(),
            )
    except OSError as error:
        raise TrainingError(f"training cannot be started: {error.strerror or error}") from error
    write_lock_holder(run, process.pid)
    lower_priority(process.pid, NICENESS)
    threading.Thread(target=process.wait, daemon=True).start()  # or it would stay a zombie
    return process.pid


def _windows_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
