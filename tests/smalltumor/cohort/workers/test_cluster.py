"""How the workers of this machine are started."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
from smalltumor.cohort.workers import cluster

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


def test_what_is_set_for_dask_are_options_that_it_has():
    for name in cluster._QUIET:
        assert dask.config.get(name) is not None


LEFT_BEHIND = """
import os
from multiprocessing import resource_tracker
from smalltumor.cohort.workers import cluster
cluster._start_resource_tracker()
assert "PYTHONWARNINGS" not in os.environ
resource_tracker.register("/mp-of-a-killed-worker", "semaphore")
os._exit(0)
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no resource tracker")
def test_nothing_is_printed_of_semaphores_of_killed_workers():
    environment = {k: value for k, value in os.environ.items() if k != "PYTHONWARNINGS"}
    command = [sys.executable, "-c", LEFT_BEHIND]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert run.stderr == ""


def test_workers_get_their_threads_and_memory_settings_and_the_users_own_come_first(monkeypatch):
    seen = {}

    class Cluster:
        def __init__(self, **options):
            self.workers: dict[int, object] = {}
            seen.update(dask.config.get("distributed.nanny.pre-spawn-environ"))
            seen["profile"] = dask.config.get("distributed.worker.profile.enabled")

        def close(self, timeout):
            pass

    monkeypatch.setattr(distributed, "LocalCluster", Cluster)
    monkeypatch.setattr(cluster, "_cores", lambda: list(range(8)))
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.35"))
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    with cluster._local_cluster(distributed, 2):
        pass
    assert seen["OMP_NUM_THREADS"] == "4"
    assert seen["MALLOC_ARENA_MAX"] == "4"
    assert int(seen["MALLOC_MMAP_THRESHOLD_"]) > 4 * 144 * 192 * 160 * 4  # a network's input
    assert seen["profile"] is False
    assert os.environ["MALLOC_ARENA_MAX"] == "4"


@pytest.mark.parametrize(
    ("library", "taken"),
    [
        (("glibc", "2.35"), True),
        (("glibc", "2.100"), True),
        (("glibc", "3.0"), True),
        (("glibc", "2.34"), False),
        (("glibc", "2.9"), False),
        (("glibc", ""), False),
        (("libc", "2.40"), False),
        (("", ""), False),
    ],
)
def test_a_c_library_that_refuses_the_memory_settings_gets_none_of_them(
    monkeypatch, library, taken
):
    """Those that it takes would without the others clear each array anew."""
    monkeypatch.setattr(platform, "libc_ver", lambda: library)
    assert cluster._memory() == (cluster._MEMORY if taken else {})
