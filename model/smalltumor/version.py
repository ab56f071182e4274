"""The version of this package."""

from __future__ import annotations

from importlib import metadata

PACKAGE = "napari-smalltumor"


def software_version() -> str:
    """Version of this package; empty if it runs without being installed."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return ""
