"""Accepted lesions are kept with their case: closed, opened again, after an edit and a failure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from smalltumor.data.case import Case
from smalltumor.data.read_case import read_case
from smalltumor.labels.regions import Region
from synthetic import SHAPE, write_case

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.masks.regions import region_layer
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation, lesion_sources


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Case:
    return read_case(write_case(tmp_path_factory.mktemp("cases") / "case"))


def mask() -> np.ndarray:
    """Two lesions, of 8 and 27 voxels."""
    mask = np.zeros(SHAPE, bool)
    mask[4:6, 4:6, 4:6] = mask[9:12, 9:12, 9:12] = True
    return mask


def opened(case: Case, voxels: np.ndarray) -> ViewerSegmentation:
    """The masks of a case in a new viewer."""
    viewer = ViewerModel()
    for region in Region:
        viewer.add_layer(Layer.create(*region_layer(case, region, voxels)))
    (source,) = lesion_sources(viewer.layers)
    return source


def lesions_of(source: ViewerSegmentation, region: Region = Region.ET) -> list:
    return source.snapshot(region).lesions(100)


def accepted(source: ViewerSegmentation, region: Region = Region.ET) -> list[int]:
    return [x.voxels for x in lesions_of(source, region) if source.is_accepted(region, x)]


def files(data_folder: Path) -> list[Path]:
    return list(data_folder.glob("accepted/*"))


def test_an_accepted_lesion_is_accepted_when_its_case_is_opened_again(case, data_folder):
    source = opened(case, mask())
    source.accept(Region.ET, lesions_of(source)[:1], True)
    source.accept(Region.WT, lesions_of(source)[1:], True)
    (file,) = files(data_folder)
    assert file.name.startswith("case-")
    again = opened(case, mask())
    assert accepted(again) == [8] and accepted(again, Region.WT) == [27]
    small = lesions_of(again)[0]
    signature = again.acceptance_of(Region.ET, small)
    assert signature is not None and signature == source.acceptance_of(Region.ET, small)
    again.accept(Region.ET, lesions_of(again), False)
    assert accepted(opened(case, mask())) == []
    assert accepted(opened(case, mask()), Region.WT) == [27]


def test_a_lesion_that_was_edited_meanwhile_is_not_accepted(case):
    source = opened(case, mask())
    source.accept(Region.ET, lesions_of(source), True)
    edited = mask()
    edited[4, 4, 4] = False
    assert accepted(opened(case, edited)) == [27]


def test_marks_of_a_case_without_files_are_not_written(case, data_folder):
    in_memory = Case("case", case.volumes, case.grid)
    source = opened(in_memory, mask())
    source.accept(Region.ET, lesions_of(source), True)
    assert accepted(source) == [8, 27] and files(data_folder) == []
    assert accepted(opened(in_memory, mask())) == []


def test_nothing_is_written_while_autosave_is_off(case, data_folder):
    settings.put("autosave", False)
    source = opened(case, mask())
    source.accept(Region.ET, lesions_of(source), True)
    assert accepted(source) == [8, 27] and files(data_folder) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        json.dumps({"format": "smalltumor accepted lesions", "version": 9, "layers": {}}),
        json.dumps(
            {"format": "smalltumor accepted lesions", "version": 2, "layers": {"et": [["et", 8]]}}
        ),
    ],
)
def test_a_damaged_file_counts_as_no_marks_and_is_not_replaced(
    case, data_folder, content, monkeypatch
):
    said = []
    monkeypatch.setattr(notify, "warn", said.append)
    source = opened(case, mask())
    source.accept(Region.ET, lesions_of(source), True)
    (file,) = files(data_folder)
    file.write_text(content)
    again = opened(case, mask())
    assert accepted(again) == []
    again.accept(Region.ET, lesions_of(again)[:1], True)
    assert accepted(opened(case, mask())) == [8]
    assert file.read_text() == content
    assert "is damaged or of another version, and is not replaced" in said[0]


def test_a_failed_write_is_said_and_the_marks_stay_while_the_layer_is_open(
    case, data_folder, monkeypatch
):
    said = []
    monkeypatch.setattr(notify, "warn", said.append)
    data_folder.write_bytes(b"a file in the place of the folder")
    source = opened(case, mask())
    source.accept(Region.ET, lesions_of(source)[:1], True)
    assert accepted(source) == [8]
    assert len(said) == 1 and said[0].startswith("Accepted lesions of case could not be saved: ")
