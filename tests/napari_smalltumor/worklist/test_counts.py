"""The worklist counts small lesions as the table of the cohort does, and names the specks."""

from __future__ import annotations

import pytest
from smalltumor.cohort.results.results import CaseResult, ListedLesion
from smalltumor.cohort.results.rows import CohortRow
from smalltumor.cohort.reviews.worklist import WorklistEntry

from napari_smalltumor import settings
from napari_smalltumor.worklist.table_model import COLUMNS
from napari_smalltumor.worklist.texts import about_case


@pytest.fixture(autouse=True)
def default_settings(monkeypatch):
    monkeypatch.setattr(settings, "_pages", lambda: None)
    monkeypatch.setattr(settings, "_session", {})


def entry(*small: tuple[float, float | None]) -> WorklistEntry:
    """A case with a candidate and small lesions of these volumes and mean probabilities."""
    listed = [ListedLesion("candidate", (0, 0, 0), 5, 0.2, 0.1)]
    listed += [ListedLesion("small lesion", (0, 0, 0), mm3, 0.8, mean) for mm3, mean in small]
    return WorklistEntry(CaseResult(CohortRow("a", "segmented"), tuple(listed)), None, None)


def small(case: WorklistEntry) -> str:
    return next(text for title, _, text in COLUMNS if title == "small")(case)


@pytest.mark.parametrize(
    ("lesions", "shown", "told"),
    [
        ([(5, 0.4), (5, 0.7), (50, 0.4), (5, None)], "4", "4 small lesions (1 speck)"),
        ([(5, 0.4), (6, 0.5)], "2", "2 small lesions (2 specks)"),
        ([(5, 0.7)], "1", "1 small lesion"),
        ([], "", "1 candidate (score 0.20)"),
    ],
)
def test_specks_are_counted_and_named(lesions, shown, told):
    case = entry(*lesions)
    assert small(case) == shown
    assert about_case(case).splitlines()[0].split("; ")[-1].removeprefix("a: ") == told


def test_the_limit_of_the_lesions_dock_holds():
    case = entry((5, 0.4))
    assert "1 speck" in about_case(case)
    settings.put("speck_below_mm3", 0)
    assert "speck" not in about_case(case)
