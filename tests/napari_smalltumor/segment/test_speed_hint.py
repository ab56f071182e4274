"""The hint about what would be faster is shown once, where it helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_smalltumor import notify
from napari_smalltumor.segment import speed_hint
from napari_smalltumor.segment.speed_hint import MARKER, show_speed_hint

CPU = [("auto", "auto"), ("CPU, 2 cores (cpu)", "cpu")]
GPU = [("auto", "auto"), ("NVIDIA H100 (cuda:0)", "cuda:0"), ("CPU, 2 cores (cpu)", "cpu")]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is shown on a computer without OpenVINO."""
    messages: list[str] = []
    monkeypatch.setattr(notify, "info", messages.append)
    monkeypatch.setattr(speed_hint, "has_openvino", lambda: False)
    return messages


def test_it_says_once_what_works_what_is_faster_and_how_to_get_it(
    told: list[str], data_folder: Path
) -> None:
    show_speed_hint(CPU)
    show_speed_hint(CPU)
    (message,) = told
    assert "the network runs on the CPU" in message
    assert "pip install openvino" in message
    assert (data_folder / MARKER).is_file()


def test_it_is_not_shown_with_a_gpu(told: list[str]) -> None:
    show_speed_hint(GPU)
    assert not told


def test_it_is_not_shown_with_openvino(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed_hint, "has_openvino", lambda: True)
    show_speed_hint(CPU)
    assert not told


def test_a_data_folder_that_cannot_be_written_is_no_error(
    told: list[str], data_folder: Path
) -> None:
    data_folder.write_text("a file where the folder would be")
    show_speed_hint(CPU)
    assert len(told) == 1
