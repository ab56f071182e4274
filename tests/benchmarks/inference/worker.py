"""A path in a separate process, which runs it on request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from networks import PATHS, Setting


class Worker:
    """A separate process in which a path is set up and warmed up.

    Parameters
    ----------
    name : str
        One of `PATHS`.
    setting : Setting

    Attributes
    ----------
    parameters : int
    failure : str or None
        Why the setup failed.
    """

    def __init__(self, name: str, setting: Setting) -> None:
        environment = dict(os.environ)
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            environment[variable] = str(setting.threads)
        cores = sorted(os.sched_getaffinity(0))[: setting.threads]
        self._process = subprocess.Popen(
            [sys.executable, __file__, name, json.dumps(asdict(setting), default=str)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        first = self._read_reply()
        self.failure: str | None = first.get("failure")
        self.parameters = int(first.get("parameters", 0))

    def seconds(self) -> float:
        """Time one run."""
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        return float(self._read_reply()["seconds"])

    def finish(self) -> float:
        """End the process and return its peak resident memory in GB."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        peak = float(self._read_reply()["peak"])
        self._process.wait()
        return peak

    def _read_reply(self) -> dict[str, str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        return {"failure": f"ended with code {self._process.wait()}"}


def serve(name: str, setting: Setting) -> None:
    """Set up and warm up a path, then time one run for each line of standard input."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        ready = PATHS[name](setting)
        ready.run()
    except Exception as error:
        print(json.dumps({"failure": f"{type(error).__name__}: {error}"[:200]}), flush=True)
        return
    print(json.dumps({"parameters": ready.parameters}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"seconds": _time(ready.run, setting.device)}), flush=True)
    print(json.dumps({"peak": _peak()}), flush=True)


def _time(run: object, device: str) -> float:
    assert callable(run)
    if device.startswith("cuda"):
        import torch

        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        run()
        last.record()
        torch.cuda.synchronize()
        return first.elapsed_time(last) / 1000
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    values = json.loads(sys.argv[2])
    weights = Path(values["weights"]) if values["weights"] != "None" and values["weights"] else None
    serve(
        sys.argv[1],
        Setting(Path(values["case"]), values["device"], int(values["threads"]), weights),
    )
