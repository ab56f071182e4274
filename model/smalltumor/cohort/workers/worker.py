"""What a worker does: it gets ready once, then passes cases through its own pipeline."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.cohort.pipeline.pipeline import Pipeline
from smalltumor.errors import SmalltumorError
from smalltumor.version import software_version

if TYPE_CHECKING:
    from smalltumor.cohort.pipeline.jobs import Job
    from smalltumor.cohort.results.rows import CohortRow
    from smalltumor.cohort.settings import CohortSettings

SHARED = "cohort.json"


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to know of a run.

    Parameters
    ----------
    run : str
        Identifies the run, since a worker may serve several.
    settings : CohortSettings
        With absolute paths.
    weights : Path
        Absolute path of the weights file.
    digest : str
        Of the weights, which must be the same on every machine.
    generation : int
        How often the folder of results was overwritten, see `CohortCaseRecord`.
    version : str
        Of this package, which must be the same on every machine.
    """

    run: str
    settings: CohortSettings
    weights: Path
    digest: str
    generation: int
    version: str


@dataclass(frozen=True)
class MachineShare:
    """A worker's share of the machine, if all workers are on one.

    Parameters
    ----------
    number : int
        From 0.
    count : int
    """

    number: int
    count: int

    def of_cores(self, cores: list[int]) -> list[int]:
        """The cores of this worker: disjoint from those of others if there are enough."""
        own = len(cores) // self.count
        if own == 0:
            return [cores[self.number % len(cores)]]
        return cores[self.number * own : (self.number + 1) * own]


class NotReadyError(SmalltumorError):
    """The worker's process has ended and was started again meanwhile."""


_pipelines: dict[str, Pipeline] = {}
"""That of the present run."""


def dask_setup(worker: Any) -> None:
    """Leave Ctrl+C, which a terminal sends to all its processes, to the process in charge."""
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def dask_teardown(worker: Any) -> None:
    """Give up cases of which nothing is written yet; Dask waits for all that the worker holds.

    Dask calls this before it ends the threads of the worker. The process ends soon after, so that
    Python need not look for garbage in its libraries, which takes up to a second.
    """
    for pipeline in _pipelines.values():
        pipeline.stop()
    gc.freeze()


def start_worker(setup: WorkerSetup, sharing: int = 0) -> str | None:
    """Get ready for the cases of a run.

    Parameters
    ----------
    setup : WorkerSetup
    sharing : int
        Number of workers that share this machine, and are named from 0; 0 if each is on its own.

    Returns
    -------
    str or None
        Why the worker cannot segment them.
    """
    from smalltumor.models.checkpoint import load_checkpoint

    if software_version() != setup.version:
        return f"it has version {software_version()} of this program instead of {setup.version}"
    if not (setup.settings.output / SHARED).is_file():
        return f"it does not see {setup.settings.output}"
    try:
        checkpoint = load_checkpoint(setup.weights)
    except SmalltumorError as error:
        return str(error)
    if checkpoint.digest != setup.digest:
        return f"it has other weights in {setup.weights}"
    settings = setup.settings
    if sharing:
        # A later worker takes the place of a lost one.
        share = MachineShare(_own_number() % sharing, sharing)
        _pin_to_cores(share)
        settings = replace(settings, device=_own_device(settings.device, share))
    _import_libraries(settings.backend)
    for other in [run for run in _pipelines if run != setup.run]:
        _pipelines.pop(other).close()
    if setup.run not in _pipelines:
        _pipelines[setup.run] = Pipeline(checkpoint, settings, setup.generation)
    return None


def segment_case(run: str, job: Job) -> CohortRow:
    """Segment a case, with others in the same pipeline.

    Raises
    ------
    NotReadyError
        If this process was not prepared for the run.
    OutputError
        If results cannot be written.
    """
    if run not in _pipelines:
        raise NotReadyError("this worker was started again")
    return _pipelines[run].submit(job).result()


def _own_number() -> int:
    from distributed import get_worker

    return int(get_worker().name)


def _pin_to_cores(share: MachineShare) -> None:
    """Keep to the own cores; libraries start as many threads as there are."""
    if sys.platform != "linux":
        return
    cores = share.of_cores(sorted(os.sched_getaffinity(0)))
    threads = Path("/proc/self/task")  # threads inherit from the one that starts them
    for thread in threads.iterdir():
        with suppress(OSError):
            os.sched_setaffinity(int(thread.name), cores)


def _import_libraries(backend: str) -> None:
    """Import what takes seconds, which are not the first case's."""
    from smalltumor.inference.backends.openvino_import import import_openvino
    from smalltumor.inference.devices import has_openvino

    import_module("smalltumor.second_look")
    if backend != "torch" and has_openvino():
        import_openvino()
    else:
        import_module("torch")


def _own_device(device: str, share: MachineShare) -> str:
    """One of several GPUs, if the worker may choose."""
    from smalltumor.inference.devices import may_have_nvidia_gpu

    if device not in ("auto", "cuda") or not may_have_nvidia_gpu():
        return device
    import torch

    count = torch.cuda.device_count()
    return f"cuda:{share.number % count}" if count > 1 else device
