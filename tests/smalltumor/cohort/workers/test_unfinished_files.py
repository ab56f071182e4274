"""Half-written files when a run is interrupted: those of workers elsewhere stay."""

from __future__ import annotations

import pytest
from smalltumor.cohort.cases import cohort_cases
from smalltumor.cohort.cohort import segment_cohort
from smalltumor.cohort.settings import CohortSettings
from smalltumor.cohort.workers import cluster
from smalltumor.cohort.workers.workers import Workers
from smalltumor.models.checkpoint import load_checkpoint


@pytest.mark.parametrize(
    ("workers", "stays"), [(Workers(count=1), False), (Workers(scheduler="tcp://head:8786"), True)]
)
def test_what_workers_of_a_scheduler_are_writing_stays_when_a_run_is_interrupted(
    data, narrow_weights, tmp_path, monkeypatch, workers, stays
):
    half_written = tmp_path / "out" / ".smalltumor-0123.part.nii.gz"

    def interrupted(*arguments):
        half_written.write_bytes(b"half a mask")
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(cluster, "rows_from_workers", interrupted)
    settings = CohortSettings(tmp_path / "out", backend="torch")
    cases = cohort_cases(data, settings.output)
    with pytest.raises(KeyboardInterrupt):
        list(segment_cohort(cases, load_checkpoint(narrow_weights), settings, workers))
    assert half_written.exists() == stays
