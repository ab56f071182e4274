"""Cases, and the command that segments them as a cohort."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohort_files import NAMES, rows_of
from smalltumor.cohort.results.results_folder import TABLE
from synthetic import write_case


@pytest.fixture
def data(tmp_path) -> Path:
    """Three cases of different images, a folder each."""
    for seed, name in enumerate(NAMES):
        write_case(tmp_path / "data" / name, name=name, seed=seed)
    return tmp_path / "data"


@pytest.fixture
def cohort(smalltumor, narrow_weights, data, tmp_path):
    """Run `smalltumor cohort`; gives code, rows of the table, stdout, stderr."""

    def run(*words, output=tmp_path / "out", weights=narrow_weights):
        code, out, err = smalltumor(
            "cohort", data, "-o", output, "--backend", "torch", "--weights", weights, *words
        )
        table = output / TABLE
        return code, rows_of(table) if table.exists() else [], out, err

    return run
