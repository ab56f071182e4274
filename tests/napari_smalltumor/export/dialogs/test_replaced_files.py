"""The question before files are replaced says when they were written and what they hold."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from napari_cases import case_along
from smalltumor.data.made_by import MadeBy
from smalltumor.data.segmentation import Segmentation, write_segmentation

from napari_smalltumor import questions
from napari_smalltumor.export.dialogs.replaced_files import confirm_replacing_files

WRITTEN = datetime(2026, 11, 30, 18, 12)
NETWORK = MadeBy.network("starter", "ab" * 32, "0.1")


@pytest.fixture
def ask(monkeypatch):
    """Ask about files; the title and the text of the question."""
    asked = []
    monkeypatch.setattr(questions, "confirm", lambda p, title, text, a: asked.append((title, text)))

    def ask(*paths: Path, note: str = "") -> tuple[str, str]:
        confirm_replacing_files(None, paths, "the regions of Pat", lambda: note)
        return asked.pop()

    return ask


def write(path: Path, made_by: MadeBy | None = None) -> Path:
    """Write a mask, or a file that is none, which was written at `WRITTEN`."""
    if path.suffix == ".gz":
        case = case_along()
        classes = np.ones(case.grid.shape, np.uint8)
        write_segmentation(
            Segmentation(case.name, classes, case.grid, case.header, made_by=made_by), path
        )
    else:
        path.write_text("a page")
    os.utime(path, (WRITTEN.timestamp(),) * 2)
    return path


@pytest.mark.parametrize(
    ("made_by", "said"),
    [
        (NETWORK, "; a mask as the network gave it"),
        (NETWORK.edited, "; an edited mask"),
        (MadeBy("MANUAL"), "; a mask drawn by hand"),
        (None, ""),
    ],
)
def test_the_origin_of_a_mask_and_its_time_are_said(ask, tmp_path, made_by, said):
    path = write(tmp_path / "Pat_tumour.nii.gz", made_by)
    assert ask(path) == (
        "Replace file?",
        f"Pat_tumour.nii.gz (written on 2026-11-30 18:12{said}) exists.\n\n"
        "Replace it with the regions of Pat?",
    )


def test_each_of_several_files_is_described_and_the_note_precedes_the_question(ask, tmp_path):
    mask = write(tmp_path / "Pat_et.nii.gz", NETWORK.edited)
    page = write(tmp_path / "Pat.html")
    assert ask(mask, page, note="They were changed.") == (
        "Replace files?",
        "These files exist: Pat_et.nii.gz (written on 2026-11-30 18:12; an edited mask) and "
        "Pat.html (written on 2026-11-30 18:12). They were changed.\n\n"
        "Replace them with the regions of Pat?",
    )


def test_the_question_is_repeated_if_the_file_is_written_while_it_is_open(monkeypatch, tmp_path):
    path, answers = write(tmp_path / "Pat.html"), [True, True]

    def another_reader_saves(*_: object) -> bool:
        if len(answers) == 2:
            path.write_text("the page of another reader")
        return answers.pop()

    monkeypatch.setattr(questions, "confirm", another_reader_saves)
    assert confirm_replacing_files(None, [path], "the report of Pat")
    assert answers == []


def test_a_file_that_is_gone_meanwhile_is_named_only(ask, tmp_path):
    text = ask(tmp_path / "gone.nii.gz")[1]
    assert text.startswith("gone.nii.gz exists.\n")
