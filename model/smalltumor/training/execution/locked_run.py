"""Hold a run folder while this process trains in it, and record how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from smalltumor.errors import OutputError, RunInUseError, SmalltumorError
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.optimisation.distributed import Processes
from smalltumor.training.runs.run_folder import RunFolder, StopRequest
from smalltumor.training.runs.run_lock import hold_run_lock


@contextmanager
def locked_run(run: RunFolder, processes: Processes, earlier: RunRecord | None) -> Iterator[None]:
    """Hold a run folder's lock, and record an exception that ends the run in its events.

    Parameters
    ----------
    run : RunFolder
    processes : Processes
        Process 0 holds the lock.
    earlier : RunRecord or None
        What the folder held before the lock was asked for.

    Raises
    ------
    RunInUseError
        If another process trains there, or has done so since `earlier` was read.
    """
    if not processes.is_main:
        yield
        return
    run.create()
    with hold_run_lock(run):
        if (RunRecord.read(run) if run.has(run.config) else None) != earlier:
            raise RunInUseError(
                f"{run.path}: another process has trained there in the meantime; try again"
            )
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            with suppress(OutputError):  # the disk may be what is full
                _record_end(run, error)
            raise


def _record_end(run: RunFolder, error: BaseException) -> None:
    step = run.last_step
    if isinstance(error, KeyboardInterrupt):
        run.append("stop", step, request=(run.read_stop_request() or StopRequest.STOP).value)
        return
    text = str(error) if isinstance(error, SmalltumorError) else f"{type(error).__name__}: {error}"
    remedy = error.remedy if isinstance(error, SmalltumorError) else None
    changes = {} if remedy is None else dict(remedy.settings)
    action = None if remedy is None else remedy.action.value
    message = " ".join(text.split())[:500]
    run.append("failed", step, message=message, changes=changes, remedy=action)
