"""Memory and processor time stay bounded, whatever a file promises; limits set by the system."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from malformed.corpus import DIM, REFUSED, bomb, pack, plain
from synthetic import write_case

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are set as on Linux")

ROOM = 512 * 2**20
SECONDS = 120
CHILD = """
import json, resource, sys
from contextlib import redirect_stderr
from io import StringIO
from smalltumor.cli import main
import smalltumor.data.case, smalltumor.lesions

room, seconds, *paths = json.loads(sys.argv[1])
status = open("/proc/self/status").read()
used = 1024 * int(status.split("VmSize:")[1].split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + room,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
answers = {}
for path in paths:
    with redirect_stderr(StringIO()) as said:
        answers[path] = [main(["lesions", path]), said.getvalue()]
print(json.dumps(answers))
"""


def answers_within(room: int, paths: list[Path]) -> dict[str, tuple[int, str]]:
    """Exit code and words for each file, read one after the other with so much memory left."""
    job = json.dumps([room, SECONDS, *map(str, paths)])
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
    """3.9 GB, as the header says: read where there is room, else refused."""
    content = plain(path)
    struct.pack_into("<3h", content, DIM + 2, 1250, 1250, 1250)
    path.write_bytes(bomb(bytes(content), 2**32))


def truthful_but_cut(path: Path) -> None:
    """A header of 3.9 GB, and nothing behind it."""
    content = plain(path)
    struct.pack_into("<3h", content, DIM + 2, 1250, 1250, 1250)
    pack(path, content)


GREEDY = {
    **{name: maker for name, maker in REFUSED.items() if "bomb" in name or "2_to" in name},
    "bomb_within_the_limit": bomb_within_the_limit,
    "truthful_but_cut": truthful_but_cut,
    "axes_of_32767": REFUSED["axes_of_32767"],
    "endless_device": REFUSED["endless_device"],
    "gzip_in_a_gzip": REFUSED["gzip_in_a_gzip"],
}


def test_half_a_gigabyte_is_enough_to_refuse_every_bomb(tmp_path):
    paths = []
    for name, maker in GREEDY.items():
        path = write_case(tmp_path / name) / "made_t1ce.nii.gz"
        maker(path)
        assert path.is_symlink() or path.stat().st_size < 2**25
        paths.append(path)
    answers = answers_within(ROOM, paths)
    assert len(answers) == len(GREEDY)
    for path, (code, said) in answers.items():
        assert code == 1, path
        assert len(said.splitlines()) == 1
        assert path in said
