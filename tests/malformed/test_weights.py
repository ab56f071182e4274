"""Malformed weights are refused with their name, and no code in them is run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from malformed_weights import EXECUTED, PICKLES, SAFETENSORS
from synthetic import write_case

LIMITED = """
import resource, sys
import torch
import smalltumor.data.segmentation, smalltumor.inference, smalltumor.lesions
import smalltumor.models.dmfnet_import
from smalltumor.cli import main

status = open("/proc/self/status").read()
used = 1024 * int(status.split("VmSize:")[1].split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
for line in sys.stdin:
    words = line.rstrip("\\n").split("\\t")
    print(f"{main(words)}\\t{words[-1]}", flush=True)
"""


@pytest.fixture
def bad(tmp_path, narrow_weights) -> Path:
    return Path(shutil.copy(narrow_weights, tmp_path / "bad_weights.safetensors"))


def assert_refused(result: tuple[int, str, str], name: str) -> None:
    code, out, err = result
    assert code == 1
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("smalltumor: ")
    assert name in line
    assert len(line) < 1000


@pytest.mark.parametrize("name", SAFETENSORS)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_segment_refuses_the_weights_with_their_name(name, bad, tmp_path, smalltumor):
    SAFETENSORS[name](bad)
    case = write_case(tmp_path / "case")
    mask = tmp_path / "mask.nii.gz"
    assert_refused(smalltumor("segment", case, "-o", mask, "--weights", bad), bad.name)
    assert sorted(path.name for path in tmp_path.iterdir()) == [bad.name, "case"]


@pytest.mark.parametrize("name", PICKLES)
def test_import_refuses_the_file_and_runs_no_code(name, bad, tmp_path, smalltumor):
    PICKLES[name](bad)
    out = tmp_path / "out.safetensors"
    assert_refused(smalltumor("import-dmfnet", bad, out), bad.name)
    assert not (tmp_path / EXECUTED).exists()
    assert [path.name for path in tmp_path.iterdir()] == [bad.name]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits are set as on Linux")
def test_all_files_are_refused_within_a_gigabyte(tmp_path, narrow_weights):
    case = write_case(tmp_path / "case")
    lines = []
    for name, maker in SAFETENSORS.items():
        path = Path(shutil.copy(narrow_weights, tmp_path / f"{name}.safetensors"))
        maker(path)
        words = ("segment", case, "-o", tmp_path / "mask.nii.gz", "--backend", "torch")
        lines.append("\t".join(map(str, (*words, "--device", "cpu", "--weights", path))))
    for name, maker in PICKLES.items():
        path = Path(shutil.copy(narrow_weights, tmp_path / f"{name}.pth"))
        maker(path)
        lines.append(f"import-dmfnet\t{path}\t{tmp_path / f'{name}.out'}")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=600,
    )
    results = done.stdout.splitlines()
    assert [r for r in results if not r.startswith("1\t")] == [], done.stderr
    assert len(results) == len(lines), done.stderr
    assert len(done.stderr.splitlines()) == len(lines)
    assert not (tmp_path / EXECUTED).exists()
