"""The script that makes the environment of the README's two commands, on a fresh Debian."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the script is for Linux")

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "environment.sh"
VENV_PACKAGE = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"


def output_of(code: str, python: Path | str = sys.executable) -> str:
    """What functions of the script print, with a Python that they find."""
    sourced = f"set -euo pipefail; source {shlex.quote(str(SCRIPT))}; {code}"
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": str(python)}
    done = subprocess.run(
        ["bash", "-c", sourced], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_python_without_ensurepip_gets_the_package_of_the_venv_module(tmp_path: Path) -> None:
    without = tmp_path / "python3"
    real = shlex.quote(sys.executable)
    without.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec {real} "$@"\n')
    without.chmod(0o755)
    assert output_of("venv_package", without).split() == [VENV_PACKAGE]
    assert output_of("venv_package") == ""


@pytest.mark.slow
def test_an_environment_that_was_left_without_pip_is_completed(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    output_of(f"venv={shlex.quote(str(venv))}; make_venv")
    assert (venv / "bin" / "pip").is_file()
