"""Errors of the library in the words of the window."""

import re

import pytest
from smalltumor.errors import Action, CaseError, CheckpointError, OutputError, Remedy

from napari_smalltumor import notify


@pytest.mark.parametrize("action", Action)
def test_every_remedy_is_put_into_words_without_a_command_line_option(action):
    text = notify.error_text(OutputError("case.nii.gz: wrong", Remedy(action)))
    assert text.startswith("case.nii.gz: wrong; ")
    assert len(text) > len("case.nii.gz: wrong; ")
    assert re.search(r"(^|\s)--\w|smalltumor ", text) is None


def test_an_error_without_a_remedy_is_its_message():
    assert notify.error_text(CheckpointError("a.safetensors: damaged")) == "a.safetensors: damaged"


def test_missing_modalities_are_named_by_their_titles():
    remedy = Remedy(Action.NAME_MODALITIES, modalities=("t1ce", "flair"))
    text = notify.error_text(CaseError("case: no image of T1CE and FLAIR", remedy))
    assert text.endswith("open the images, too, and choose T1CE and FLAIR in the Segment dock")


def test_weights_that_can_miss_a_modality_are_named():
    remedy = Remedy(Action.CHOOSE_WEIGHTS, modalities=("flair",))
    text = notify.error_text(CaseError("case has no FLAIR", remedy))
    assert text.endswith("choose weights trained with modality dropout under Weights")


def test_a_reported_error_is_one_line_and_a_bug_keeps_its_traceback(monkeypatch):
    shown = []
    monkeypatch.setattr(notify, "error", shown.append)
    monkeypatch.setattr(notify, "unexpected", shown.append)
    bug = ZeroDivisionError("division by zero")
    notify.report_error(CheckpointError("damaged", Remedy(Action.CHOOSE_WEIGHTS)))
    notify.report_error(bug)
    assert shown == ["damaged; choose another file under Weights", bug]
