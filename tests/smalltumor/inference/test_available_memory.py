"""Available memory."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest
import smalltumor.inference.available_memory as module
from smalltumor.inference.available_memory import GIGABYTE, available_memory


def group(folder: Path, limit: str, used: int, cached: int | None = None) -> Path:
    """Write the files of a cgroup."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    if cached is not None:
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\nslab 5\n")
    return folder


class Memory:
    """Stand-in for the results of psutil."""

    def __init__(self, available: int = 0, vms: int = 0) -> None:
        self.available, self.vms = available, vms

    def memory_info(self) -> Memory:
        return self


def test_available_memory_is_the_minimum_of_all_limits(monkeypatch):
    limits = {"machine": 9, "group": 5, "space": 7}
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(limits["machine"] * GIGABYTE))
    monkeypatch.setattr(module, "_control_group", lambda: limits["group"] * GIGABYTE)
    monkeypatch.setattr(module, "_address_space", lambda: limits["space"] * GIGABYTE)
    assert available_memory() == 5 * GIGABYTE
    limits["space"] = 3
    assert available_memory() == 3 * GIGABYTE
    limits["machine"] = 2
    assert available_memory() == 2 * GIGABYTE
    limits["group"] = -1
    assert available_memory() == 0


def test_without_limits_available_memory_is_that_of_the_machine(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(9 * GIGABYTE))
    monkeypatch.setattr(module, "_control_group", lambda: None)
    monkeypatch.setattr(module, "_address_space", lambda: None)
    assert available_memory() == 9 * GIGABYTE


def test_memory_in_a_container_is_limited_by_its_cgroup_and_the_parent_groups(
    tmp_path, monkeypatch
):
    outer = group(tmp_path / "batch", "6000", 4000, cached=500)
    inner = group(outer / "job", "max", 100)
    monkeypatch.setattr(module, "_group_folders", lambda: [inner, outer, tmp_path])
    assert module._control_group() == 6000 - 4000 + 500
    group(inner, "900", 100)
    assert module._control_group() == 800
    monkeypatch.setattr(module, "_group_folders", lambda: [tmp_path])
    assert module._control_group() is None


@pytest.mark.skipif(sys.platform != "linux", reason="cgroups exist only on Linux")
def test_the_cgroups_of_this_process_are_found(monkeypatch):
    read = Path.read_text

    def read_cgroup(self, **options):
        return "0::/user.slice/job\n" if str(self) == "/proc/self/cgroup" else read(self, **options)

    monkeypatch.setattr(Path, "read_text", read_cgroup)
    assert [str(folder) for folder in module._group_folders()] == [
        "/sys/fs/cgroup/user.slice/job",
        "/sys/fs/cgroup/user.slice",
        "/sys/fs/cgroup",
    ]

    def absent(self, **options):
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", absent)
    assert module._group_folders() == []


@pytest.mark.skipif(sys.platform == "win32", reason="no ulimit")
def test_a_limit_set_by_ulimit_is_respected(monkeypatch):
    import resource

    monkeypatch.setattr(psutil, "Process", lambda: Memory(vms=3 * GIGABYTE))
    monkeypatch.setattr(resource, "getrlimit", lambda which: (5 * GIGABYTE, -1))
    assert module._address_space() == 2 * GIGABYTE
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, -1))
    assert module._address_space() is None


def test_windows_has_no_limit_on_address_space(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert module._address_space() is None
