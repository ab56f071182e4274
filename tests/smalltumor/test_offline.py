"""Segmentation opens no network connection and writes to no input file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from smalltumor.inference.devices import has_openvino
from synthetic import write_case

WATCHED = """
import os, sys

source, out = sys.argv[1:3]
met = []


def hook(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.gethostby")):
        met.append((event, str(arguments)))
    elif event in ("socket.sendto", "urllib.Request", "http.client.connect"):
        met.append((event, str(arguments)))
    # What another process does is not seen here; OpenVINO reports its use from one.
    elif event in ("os.fork", "os.forkpty"):
        met.append((event, str(arguments)))
    # uname: platform.processor; ldconfig: the CUDA build of PyTorch looks for a library.
    elif event in ("os.posix_spawn", "subprocess.Popen"):
        if arguments[0] not in ("uname", "/sbin/ldconfig"):
            met.append((event, str(arguments)))
    # urllib3, which nibabel imports if pydicom is installed, tries whether there is IPv6.
    elif event == "socket.bind" and arguments[1] != ("::1", 0):
        met.append((event, str(arguments)))
    elif event == "open":
        path, mode, flags = arguments
        writes = (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if isinstance(path, (str, bytes)) and os.fsdecode(path).startswith(source) and writes:
            met.append((event, str(arguments)))
    elif event.startswith(("os.rename", "os.remove", "os.chmod", "os.utime", "os.truncate")):
        if any(isinstance(a, str) and a.startswith(source) for a in arguments):
            met.append((event, str(arguments)))


sys.addaudithook(hook)
from smalltumor.cli import main

for backend in sys.argv[3].split(","):
    folder = os.path.join(out, backend)
    os.mkdir(folder)
    files = ["-o", folder + "/mask.nii.gz", "--regions", "--lesions", folder + "/table.csv"]
    code = main(["segment", source, *files, "--backend", backend, *sys.argv[4:]])
    assert code == 0, code
    assert met == [], met
    print("watched", backend, len(os.listdir(folder)))
"""


@pytest.mark.slow
def test_segment_opens_no_connection_and_writes_to_no_input(
    narrow_weights: Path, tmp_path: Path
) -> None:
    case, out = write_case(tmp_path / "case"), tmp_path / "out"
    out.mkdir()
    backends = ["torch", "openvino"] if has_openvino() else ["torch"]
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in case.iterdir()}
    words = ["-c", WATCHED, case, out, ",".join(backends), "--weights", narrow_weights]
    home = tmp_path / "home"
    home.mkdir()
    places = {"HOME": str(home), "USERPROFILE": str(home)}
    done = subprocess.run(
        [sys.executable, *map(str, words), "--device", "cpu"],
        capture_output=True,
        text=True,
        env={**os.environ, **places, "SMALLTUMOR_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    watched = [line for line in done.stdout.splitlines() if line.startswith("watched")]
    assert watched == [f"watched {backend} 5" for backend in backends]
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in case.iterdir()}
    assert not (home / "intel").exists()
