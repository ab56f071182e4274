"""Half-written files when a run is interrupted: those of workers elsewhere stay."""

from __future__ import annotations

import pytest
from smalltumor.cohort.cases import cohort_cases
from smalltumor.cohort.cohort import segment_cohort
from smalltumor.cohort.settings import CohortSettings
from smalltumor.cohort.workers import cluster
from smalltumor.cohort.workers.workers import Workers
from smalltumor.models.checkpoint import load_checkpoint
from temporary_files import left_by_killed_process, of_another_computer


@pytest.mark.parametrize("workers", [Workers(count=1), Workers(scheduler="tcp://head:8786")])
def test_of_an_interrupted_run_only_what_other_computers_are_writing_stays(
    data, narrow_weights, tmp_path, monkeypatch, workers
):
    left = []

    def interrupted(*arguments):
        left.append(left_by_killed_process(tmp_path / "out", ".nii.gz"))
        left.append(of_another_computer(left_by_killed_process(tmp_path / "out", ".nii.gz")))
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(cluster, "rows_from_workers", interrupted)
    settings = CohortSettings(tmp_path / "out", backend="torch")
    cases = cohort_cases(data, settings.output)
    with pytest.raises(KeyboardInterrupt):
        list(segment_cohort(cases, load_checkpoint(narrow_weights), settings, workers))
    assert [path.exists() for path in left] == [False, True]
