"""Packages of the extras, imported when they are needed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

from smalltumor.errors import Action, Remedy, SmalltumorError

Extra = Literal["cohort", "raw", "report", "onnx"]
_INSTALL: dict[Extra, Action] = {
    "cohort": Action.INSTALL_COHORT,
    "raw": Action.INSTALL_RAW,
    "report": Action.INSTALL_REPORT,
    "onnx": Action.INSTALL_ONNX,
}


class MissingPackageError(SmalltumorError):
    """A package of an extra is not installed."""


def require(module: str, purpose: str, extra: Extra = "raw") -> Any:
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        Such as ``SimpleITK``.
    purpose : str
        What it is needed for, as the subject of the error's sentence.
    extra : str
        The extra with the package.

    Raises
    ------
    MissingPackageError
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise _missing_package_error(module, purpose, extra) from error


def check_installed(modules: Iterable[str], purpose: str, extra: Extra = "raw") -> None:
    """Check that modules of optional packages are installed, without importing them.

    Raises
    ------
    MissingPackageError
        As `require`.
    """
    for module in missing_packages(modules):
        raise _missing_package_error(module, purpose, extra)


def missing_packages(modules: Iterable[str]) -> list[str]:
    """The modules of optional packages that are not installed, without importing any."""
    return [module for module in modules if find_spec(module) is None]


def _missing_package_error(module: str, purpose: str, extra: Extra) -> MissingPackageError:
    package = module.partition(".")[0]
    return MissingPackageError(
        f"{purpose} needs the package {package}, which is not installed", Remedy(_INSTALL[extra])
    )
