"""Start, pause, resume and stop training in a process of its own, through its run folder.

The process outlives the one that started it. No torch is imported here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from smalltumor.errors import Action, OutputError, Remedy, TrainingError
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_folder import RunFolder, StopRequest
from smalltumor.training.runs.run_lock import (
    is_locked,
    is_process_running,
    read_lock_holder,
    write_lock_holder,
)

NICENESS = 5
"""How far training stands back behind the program that started it."""

_GRACE_SECONDS = 4.5
_LOOK_SECONDS = 0.05
_ENDS = ("stop", "done", "failed")


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
    if run.config.is_file() or is_locked(run):
        raise TrainingError(f"{run.path} holds a run already", Remedy(Action.CHOOSE_RUN_FOLDER))
    return _launch(run, request)


def resume(path: Path, changes: Mapping[str, int] | None = None, device: str | None = None) -> int:
    """Resume a run from its last saved state, in a process of its own.

    Parameters
    ----------
    path : Path
        The run folder.
    changes : mapping of str to int, optional
        New values for settings such as ``crop`` and ``batch``; steps and epochs count on.
    device : str, optional
        By default the one it was started on.

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
    if is_locked(run):
        raise TrainingError(f"{run.path}: the run goes on already")
    request = TrainingRequest.from_record(
        run.read_config(), run.path, changes=dict(changes or {}), resume=True
    )
    return _launch(run, replace(request, device=device) if device else request)


def pause(path: Path) -> bool:
    """Save and end the process, so that its memory comes back; see `stop`."""
    return _end(RunFolder(path), StopRequest.PAUSE)


def stop(path: Path) -> bool:
    """Save and end a run's process, and every process it has started, within five seconds.

    Parameters
    ----------
    path : Path
        The run folder.

    Returns
    -------
    bool
        False if the process did not end by itself in time and was killed: then the state saved
        last, at most a minute old, is what a resumed run goes on from. For a run on another
        machine, or in this very process, False says that it has been asked.
    """
    return _end(RunFolder(path), StopRequest.STOP)


def _end(run: RunFolder, wish: StopRequest) -> bool:
    occupant = read_lock_holder(run)
    if occupant is None or not is_locked(run):
        return True
    with suppress(OutputError):  # a full disk must not keep it running
        run.request_stop(wish)
    if not occupant.is_here or occupant.pid == os.getpid():
        return False
    group = _leads_group(occupant.pid)
    _ask_to_end(occupant.pid, group)
    limit = time.monotonic() + _GRACE_SECONDS
    while is_process_running(occupant.pid) and time.monotonic() < limit:
        time.sleep(_LOOK_SECONDS)
    saved = not is_locked(run)
    _kill(occupant.pid, group)
    limit += _GRACE_SECONDS
    while (is_locked(run) or is_process_running(occupant.pid)) and time.monotonic() < limit:
        time.sleep(_LOOK_SECONDS)
    run.stop_request_file.unlink(missing_ok=True)
    _note_end(run, wish)
    return saved


def _note_end(run: RunFolder, wish: StopRequest) -> None:
    """Say in the events what a process could not say that was killed, or still starting."""
    events = list(run.read_events())
    if not events or events[-1]["event"] not in _ENDS:
        step = max((event["step"] for event in events), default=0)
        with suppress(OutputError):
            run.append("stop", step, wish=wish.value)


def _launch(run: RunFolder, request: TrainingRequest) -> int:
    run.create()
    request.write(run.training_request)
    run.stop_request_file.unlink(missing_ok=True)
    # -P: a file of the working folder must not take a module's place.
    command = [sys.executable, "-P", "-m", "smalltumor.cli"]
    command += ["train-request", str(run.training_request)]
    try:
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
    _stand_back(process.pid)
    threading.Thread(target=process.wait, daemon=True).start()  # or it would stay a zombie
    return process.pid


def _windows_flags() -> int:
    if sys.platform == "win32":
        return (
            subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.BELOW_NORMAL_PRIORITY_CLASS
            | subprocess.CREATE_NO_WINDOW
        )
    return 0


def _stand_back(pid: int) -> None:
    if sys.platform == "win32":
        return
    with suppress(OSError):
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, pid, own + NICENESS)
    # Where Linux shares the processor by session, niceness counts inside a session only.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))


def _leads_group(pid: int) -> bool:
    """Whether all that a process has started can be reached through it, as for those of `start`."""
    if sys.platform == "win32":
        return False
    with suppress(ProcessLookupError):
        return os.getpgid(pid) == pid
    return False


def _ask_to_end(pid: int, group: bool) -> None:
    if sys.platform != "win32":
        _signal(pid, group, signal.SIGTERM)


def _kill(pid: int, group: bool) -> None:
    """End a process and, if it leads a group, what it has started and left behind."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], check=False, capture_output=True)
    else:
        _signal(pid, group, signal.SIGKILL)


def _signal(pid: int, group: bool, number: int) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if group else os.kill)(pid, number)
