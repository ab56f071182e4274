"""The notebooks run from their first cell to the last, and hold no outputs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from documentation import LINK, ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def cells(notebook: Path, kind: str) -> list[str]:
    content = json.loads(notebook.read_text("utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_holds_no_outputs(notebook: Path) -> None:
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_links_lead_to_files(notebook: Path) -> None:
    for text in cells(notebook, "markdown"):
        for link in LINK.findall(text):
            assert link.startswith("http") or (notebook.parent / link.partition("#")[0]).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_code_runs_to_the_end(notebook: Path, tmp_path: Path) -> None:
    script = tmp_path / f"{notebook.stem}.py"
    parts = ["import matplotlib, subprocess, sys", "matplotlib.use('agg')"]
    parts += [re.sub("^!(.+)$", as_python, code, flags=re.M) for code in cells(notebook, "code")]
    script.write_text("\n".join(parts), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]


def as_python(line: re.Match[str]) -> str:
    """A command of the shell as Python that runs it; {names} are those of the notebook."""
    program, *words = shlex.split(line[1])
    assert program == "smalltumor"
    arguments = ", ".join(f"f{word!r}" for word in words)
    return f"subprocess.run([sys.executable, '-m', 'smalltumor.cli', {arguments}], check=True)"
