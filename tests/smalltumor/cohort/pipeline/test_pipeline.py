"""The stages that the cases of a cohort pass through, with nothing in them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from smalltumor.cohort.pipeline import pipeline
from smalltumor.cohort.pipeline.pipeline import DEPTH, Pipeline
from smalltumor.errors import OutputError


def test_every_case_in_the_pipeline_says_that_the_disk_is_full(monkeypatch):
    def full(*arguments: object) -> None:
        raise OutputError("no space left on device")

    monkeypatch.setattr(pipeline, "read_images", lambda *arguments: object())
    monkeypatch.setattr(pipeline, "run_network", lambda *arguments: object())
    monkeypatch.setattr(pipeline, "write_results", full)
    nothing = cast("Any", SimpleNamespace(name="a", task="segment"))
    with Pipeline(nothing, nothing, 0) as stages:
        for future in [stages.submit(nothing) for _ in range(DEPTH)]:
            with pytest.raises(OutputError, match="no space left"):
                future.result()
