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


@pytest.mark.parametrize(
    ("version", "extras", "packages"),
    [
        ((3, 14), "pyqt6,openvino,test", ["g++", "python3.14-dev"]),
        ((3, 14), "raw", ["g++", "python3.14-dev"]),
        ((3, 14), "pyqt6,openvino", []),
        ((3, 13), "pyqt6,openvino,test", []),
    ],
)
def test_a_python_that_dicom_seg_has_no_wheels_for_gets_a_compiler(
    tmp_path: Path, version: tuple[int, int], extras: str, packages: list[str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, sysconfig\n"
        f"sys.version_info = {(*version, 0, 'final', 0)}\n"
        "sysconfig.get_path = lambda name: '/without/headers'\n"
    )
    python = tmp_path / "python3"
    started = f"PYTHONPATH={shlex.quote(str(tmp_path))} exec {shlex.quote(sys.executable)}"
    python.write_text(f'#!/bin/sh\n{started} "$@"\n')
    python.chmod(0o755)
    assert output_of(f"compiler_packages {extras}", python).split() == packages


@pytest.mark.slow
def test_an_environment_that_was_left_without_pip_is_completed(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    output_of(f"venv={shlex.quote(str(venv))}; make_venv")
    assert (venv / "bin" / "pip").is_file()
