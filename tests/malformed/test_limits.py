"""Memory and processor time are bounded whatever sizes a file declares; the system sets limits."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from malformed_images import DIM, REFUSED, bomb, pack, plain
from synthetic import write_case

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are set as on Linux")

MEMORY = 512 * 2**20
SECONDS = 600
CHILD = """
import json, resource, sys
from contextlib import redirect_stderr
from io import StringIO
from smalltumor.cli import main
import smalltumor.data.read_case, smalltumor.lesions

memory, seconds, *paths = json.loads(sys.argv[1])
status = open("/proc/self/status").read()
used = 1024 * int(status.split("VmSize:")[1].split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + memory,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
results = {}
for path in paths:
    with redirect_stderr(StringIO()) as stderr:
        results[path] = [main(["lesions", path]), stderr.getvalue()]
print(json.dumps(results))
"""


def results_within(memory: int, paths: list[Path]) -> dict[str, tuple[int, str]]:
    """Exit code and stderr for each file, read in turn with `memory` bytes available."""
    job = json.dumps([memory, SECONDS, *map(str, paths)])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, job],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bomb_within_the_limit(path: Path) -> None:
    """3.9 GB, as declared in the header: read if memory allows, else refused."""
    content = plain(path)
    struct.pack_into("<3h", content, DIM + 2, 1250, 1250, 1250)
    path.write_bytes(bomb(bytes(content), 2**32))


def truncated_after_a_large_header(path: Path) -> None:
    """A header that declares 3.9 GB, and nothing after it."""
    content = plain(path)
    struct.pack_into("<3h", content, DIM + 2, 1250, 1250, 1250)
    pack(path, content)


LARGE = {
    **{name: maker for name, maker in REFUSED.items() if "bomb" in name or "2_to" in name},
    "bomb_within_the_limit": bomb_within_the_limit,
    "truncated_after_a_large_header": truncated_after_a_large_header,
    "axes_of_32767": REFUSED["axes_of_32767"],
    "endless_device": REFUSED["endless_device"],
    "gzip_within_gzip": REFUSED["gzip_within_gzip"],
}


def test_every_large_file_is_refused_within_half_a_gigabyte(tmp_path):
    paths = []
    for name, maker in LARGE.items():
        path = write_case(tmp_path / name) / "case_t1ce.nii.gz"
        maker(path)
        assert path.is_symlink() or path.stat().st_size < 2**25
        paths.append(path)
    results = results_within(MEMORY, paths)
    assert len(results) == len(LARGE)
    for path, (code, stderr) in results.items():
        assert code == 1, path
        assert len(stderr.splitlines()) == 1
        assert path in stderr
