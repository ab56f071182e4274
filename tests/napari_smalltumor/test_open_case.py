"""Open case... needs no reader chooser, and says in one line what is wrong."""

import pytest
from napari_cases import write_case_along
from smalltumor.errors import CaseError

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.open_case import open_and_remember, open_case
from napari_smalltumor.sample_data import open_sample


def test_a_folder_opens_and_is_remembered(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    assert len(open_and_remember(viewer, folder)) == 5
    assert settings.last_folder() == str(tmp_path)
    assert viewer.dims.axis_labels == ("I", "P", "L")
    assert viewer.dims.ndisplay == 2


def test_files_open_as_one_case_in_any_order(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    layers = open_case(viewer, sorted(folder.iterdir(), reverse=True))
    cases = {id(case_of(layer)) for layer in layers}
    assert (len(layers), len(cases)) == (5, 1)


def test_a_folder_without_a_case_is_one_line(viewer, tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(notify, "error", said.append)
    assert open_and_remember(viewer, tmp_path) == []
    assert len(said) == 1
    assert "holds no case" in said[0]
    with pytest.raises(CaseError):
        open_case(viewer, tmp_path / "nowhere")


def test_the_sample_has_four_modalities_and_an_experts_labels():
    names = [attributes["name"] for _, attributes, _ in open_sample()]
    assert [name.split()[1] for name in names] == ["FLAIR", "T2", "T1", "T1CE", "labels"]
