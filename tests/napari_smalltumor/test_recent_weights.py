"""Weights files that were chosen are remembered in the user's data folder."""

import json

import pytest

from napari_smalltumor.recent_weights import recent_weights, remember_weights


def test_the_newest_files_come_first_and_each_once(tmp_path):
    first, second = (tmp_path / name for name in ("first", "second"))
    for path in (first, second):
        path.touch()
    assert recent_weights() == []
    for path in (first, second, first):
        remember_weights(str(path))
    remember_weights("")
    assert recent_weights() == [first, second]
    first.unlink()
    assert recent_weights() == [second]


def test_only_some_files_are_remembered(tmp_path):
    paths = [tmp_path / str(number) for number in range(20)]
    for path in paths:
        path.touch()
        remember_weights(str(path))
    assert recent_weights() == paths[:-13:-1]


@pytest.mark.parametrize("content", ["", "{}", "nul", "[" * 100_000, json.dumps([3, None])])
def test_a_damaged_record_is_as_none_and_is_replaced(data_folder, tmp_path, content):
    data_folder.mkdir(parents=True, exist_ok=True)
    (data_folder / "recent_weights.json").write_text(content)
    assert recent_weights() == []
    mine = tmp_path / "mine"
    mine.touch()
    remember_weights(str(mine))
    assert recent_weights() == [mine]


def test_a_folder_that_cannot_be_written_is_no_error(data_folder):
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    data_folder.write_text("a file")
    remember_weights("mine")
    assert recent_weights() == []
