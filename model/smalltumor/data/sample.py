"""The real case that is shipped for trying things out."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

SAMPLE_CASE = "BraTS2021_00019"


def sample_case_folder() -> Path:
    """Folder of the shipped case, after any kind of install.

    BraTS 2021 (Baid et al. 2023, doi 10.7937/jc8x-9874), CC BY 4.0; its attribution stands in
    README.md beside the folder.
    """
    return Path(str(resources.files("smalltumor.sample_data"))) / SAMPLE_CASE
