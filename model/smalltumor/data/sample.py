"""The sample case that comes with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

SAMPLE_CASE = "BraTS2021_00019"


def sample_case_folder() -> Path:
    """Find the folder of the sample case in any kind of installation.

    BraTS 2021 (Baid et al. 2023, doi 10.7937/jc8x-9874), CC BY 4.0; see README.md next
    to the folder for the attribution.
    """
    return Path(str(resources.files("smalltumor.sample_data"))) / SAMPLE_CASE
