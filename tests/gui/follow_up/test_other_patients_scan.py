"""A scan that is another patient's by its name is asked about before it is compared."""

from __future__ import annotations

import pytest
from follow_up_scans import write_scan
from report_cases import tumour

from napari_smalltumor import questions
from napari_smalltumor.follow_up import dock as dock_module


@pytest.fixture
def choose(dock, monkeypatch):
    """Choose a folder, and answer what is asked; gives the questions and what is compared."""

    def choose_and_answer(folder, *, answer: bool = True):
        asked, compared = list[str](), []
        monkeypatch.setattr(
            dock_module.QFileDialog, "getExistingDirectory", lambda *arguments: str(folder)
        )
        monkeypatch.setattr(
            questions, "confirm", lambda p, t, text, a: asked.append(text) or answer
        )
        monkeypatch.setattr(dock, "compare_with", compared.append)
        dock.choose_button.click()
        return asked, compared

    return choose_and_answer


@pytest.mark.parametrize("answer", [True, False])
def test_a_scan_of_another_name_is_compared_only_if_the_user_agrees(choose, earlier_scan, answer):
    asked, compared = choose(earlier_scan, answer=answer)
    assert len(asked) == 1 and f"By its name, BraTS2021_1 in {earlier_scan} is another" in asked[0]
    assert compared == ([earlier_scan] if answer else [])


def test_nothing_is_asked_of_a_scan_of_the_same_name(choose, tmp_path):
    (tmp_path / "before").mkdir()
    earlier = write_scan(tmp_path / "before" / "BraTS2021_2", tumour())
    assert choose(earlier) == ([], [earlier])


def test_a_folder_without_a_case_is_left_to_the_comparison(choose, tmp_path):
    (tmp_path / "empty").mkdir()
    assert choose(tmp_path / "empty") == ([], [tmp_path / "empty"])
