"""Segmenting imports no compiler of torch: its Triton crashes beside the LLVM of Mesa."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import write_case

SEGMENT = """
import sys
from smalltumor import load_checkpoint, read_case, segment
segment(read_case(sys.argv[1]), load_checkpoint(sys.argv[2]), backend=sys.argv[3], device="cpu")
print(*({"torch._dynamo", "torch._inductor", "triton"} & set(sys.modules)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_segmenting_imports_no_compiler(backend: str, narrow_weights: Path, tmp_path: Path) -> None:
    case = write_case(tmp_path / "case")
    command = [sys.executable, "-c", SEGMENT, str(case), str(narrow_weights), backend]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert imported.split() == []
