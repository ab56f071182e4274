"""How much memory there is, as each system tells it."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import pytest
import smalltumor.inference.available_memory as module
from smalltumor.inference.available_memory import GIGABYTE, available_memory


def group(folder: Path, limit: str, used: int, cached: int | None = None) -> Path:
    """A control group's files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    if cached is not None:
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\nslab 5\n")
    return folder


def test_the_least_of_all_limits_counts(monkeypatch):
    for name, limit in (("_machine", 9), ("_control_group", 5), ("_address_space", 7)):
        monkeypatch.setattr(module, name, lambda limit=limit: limit * GIGABYTE)
    assert available_memory() == 5 * GIGABYTE
    monkeypatch.setattr(module, "_control_group", lambda: None)
    assert available_memory() == 7 * GIGABYTE
    monkeypatch.setattr(module, "_machine", lambda: -1)
    assert available_memory() == 0


def test_a_system_that_tells_nothing_is_taken_to_have_four_gigabytes(monkeypatch):
    for name in ("_machine", "_control_group", "_address_space"):
        monkeypatch.setattr(module, name, lambda: None)
    assert available_memory() == 4 * GIGABYTE


def test_a_container_has_what_its_group_or_one_around_it_leaves(tmp_path, monkeypatch):
    outer = group(tmp_path / "batch", "6000", 4000, cached=500)
    inner = group(outer / "job", "max", 100)
    monkeypatch.setattr(module, "_group_folders", lambda: [inner, outer, tmp_path])
    assert module._control_group() == 6000 - 4000 + 500
    group(inner, "900", 100)
    assert module._control_group() == 800
    monkeypatch.setattr(module, "_group_folders", lambda: [tmp_path])
    assert module._control_group() is None


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux names them")
def test_the_groups_of_this_process_are_looked_up(monkeypatch):
    read = Path.read_text

    def told(self, *arguments):
        return "0::/user.slice/job\n" if str(self) == "/proc/self/cgroup" else read(self)

    monkeypatch.setattr(Path, "read_text", told)
    assert [str(folder) for folder in module._group_folders()] == [
        "/sys/fs/cgroup/user.slice/job",
        "/sys/fs/cgroup/user.slice",
        "/sys/fs/cgroup",
    ]

    def absent(self, *arguments):
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", absent)
    assert module._group_folders() == []
    assert module._fields(Path("/proc/meminfo")) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="no ulimit")
def test_a_limit_set_by_ulimit_counts(monkeypatch):
    import resource

    monkeypatch.setattr(module, "_fields", lambda path: {"VmSize": 3 * GIGABYTE})
    monkeypatch.setattr(resource, "getrlimit", lambda which: (5 * GIGABYTE, -1))
    assert module._address_space() == 2 * GIGABYTE
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, -1))
    assert module._address_space() is None


@pytest.mark.skipif(sys.platform == "win32", reason="as macOS does it")
def test_where_free_memory_is_not_told_most_of_all_memory_counts(monkeypatch):
    monkeypatch.setattr(module, "_fields", lambda path: {})
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    assert module._machine() == 4096 * 600

    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", unknown)
    assert module._machine() is None


class Kernel32:
    """The one function of Windows that is asked."""

    answers = True

    def GlobalMemoryStatusEx(self, pointer):  # noqa: N802 - its name
        status = pointer._obj
        assert status.length == ctypes.sizeof(status)
        status.available = 7 * GIGABYTE
        return self.answers


def test_windows_tells_what_is_available(monkeypatch):
    library = Kernel32()
    windows = type("Windows", (), {"kernel32": library})
    monkeypatch.setattr(ctypes, "windll", windows, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(module, "_fields", lambda path: {})
    assert module._machine() == 7 * GIGABYTE
    assert module._address_space() is None
    library.answers = False
    assert module._machine() is None
