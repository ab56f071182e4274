"""Long texts are broken to lines between words, and cut only if these do not suffice."""

from __future__ import annotations

import pytest
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import QApplication

from napari_smalltumor.widgets.elided_text import lines_apart

NAMES = ["BraTS2021_01476_2026-05-11", "BraTS2021_01476_2026-08-11"]


@pytest.fixture
def metrics(qapp) -> QFontMetrics:
    return QFontMetrics(QApplication.font())


def test_a_text_that_fits_has_one_line(metrics):
    width = metrics.horizontalAdvance(NAMES[0])
    assert lines_apart(NAMES[0], NAMES, width, metrics, 4) == [NAMES[0]]
    assert lines_apart("", NAMES, width, metrics, 4) == [""]


def test_a_long_name_is_whole_in_lines_that_fit_and_end_between_words(metrics):
    width = metrics.horizontalAdvance("BraTS2021_01")
    lines = lines_apart(NAMES[0], NAMES, width, metrics, 4)
    assert lines == ["BraTS2021_", "01476_2026-", "05-11"]
    assert all(metrics.horizontalAdvance(line) <= width for line in lines)
    assert lines_apart("P7 (visit2)", [], metrics.horizontalAdvance("P7 (v"), metrics, 4) != [
        "P7",
        "(visit2)",
    ], "the second word is longer than a line"
    assert lines_apart("P7 (visit2)", [], metrics.horizontalAdvance("(visit2)"), metrics, 4) == [
        "P7",
        "(visit2)",
    ]


@pytest.mark.parametrize("lines", [1, 2])
def test_a_name_that_needs_more_lines_is_cut_and_not_to_look_like_another(metrics, lines):
    width = metrics.horizontalAdvance("BraTS2021_01")
    shown = [lines_apart(name, NAMES, width, metrics, lines) for name in NAMES]
    assert [len(each) for each in shown] == [1, 1]
    assert shown[0] != shown[1]
    assert all("…" in each[0] for each in shown)


def test_a_word_longer_than_a_line_is_cut(metrics):
    (line,) = lines_apart("a" * 60, [], metrics.horizontalAdvance("a" * 20), metrics, 4)
    assert line.startswith("a") and "…" in line
