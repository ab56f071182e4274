"""The question about edits says if they are older than an export of the same case."""

from __future__ import annotations

import os

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import write_case_along
from shown_layers import show_segmentation
from smalltumor.data.segmentation import Segmentation
from smalltumor.labels.regions import Region

from napari_smalltumor import questions, settings
from napari_smalltumor.autosave.exports import export_times
from napari_smalltumor.autosave.mask_files import read_masks
from napari_smalltumor.autosave.restore_question import LATER
from napari_smalltumor.autosave.watcher import ensure_autosave
from napari_smalltumor.layers.metadata import case_of, checksum, region_layers
from napari_smalltumor.loading.open_case import open_case


class Session:
    """A viewer with a segmented case; `asked` is what the user was asked about its edits."""

    def __init__(self, folder, monkeypatch) -> None:
        self.viewer, self.asked = ViewerModel(), []
        monkeypatch.setattr(questions, "ask", self._answer)
        open_case(self.viewer, folder)
        self.case = case_of(self.viewer.layers[0])
        self.watcher = ensure_autosave(self.viewer)
        self.watcher.restore_question.ask(self.case)
        classes = np.zeros(self.case.grid.shape, np.uint8)
        show_segmentation(
            self.viewer, self.case, Segmentation("Pat", classes, self.case.grid, self.case.header)
        )

    def _answer(self, parent, title, text, *answers, harmless):
        self.asked.append(text)
        return LATER

    def paint(self, at) -> None:
        et = region_layers(self.viewer.layers, self.case)[Region.ET]
        et.data_setitem(tuple(np.array([n]) for n in at), 1)

    def export(self, checksums=None) -> None:
        regions = region_layers(self.viewer.layers, self.case).values()
        self.watcher.autosave.mark_exported(regions if checksums is None else checksums)

    def close(self) -> None:
        self.viewer.layers.clear()
        self.watcher.autosave.wait()
        self.watcher.autosave.folder.unlock()


@pytest.fixture
def folder(tmp_path):
    return write_case_along(tmp_path / "Pat", "LPS")


@pytest.fixture
def with_old_edits(folder, monkeypatch, data_folder) -> None:
    """Edits of the case were saved a minute ago and not restored."""
    session = Session(folder, monkeypatch)
    session.paint((3, 4, 2))
    session.close()
    age_edits(data_folder, 60)


def age_edits(data_folder, seconds: float) -> None:
    (file,) = data_folder.glob("autosave/*/*.safetensors")
    os.utime(file, (file.stat().st_mtime - seconds,) * 2)


def test_edits_older_than_an_export_say_so(folder, monkeypatch, with_old_edits):
    session = Session(folder, monkeypatch)
    assert "older than" not in session.asked[0]
    session.paint((5, 5, 5))
    session.export()
    session.close()
    (text,) = Session(folder, monkeypatch).asked
    later = text.split("older than the last export of ")[1].split(", on 2")[0]
    assert set(later.split(", ")) == {"Pat ET", "Pat TC", "Pat WT"}
    assert text.startswith("Edits of Pat, autosaved on 2")


def test_the_question_about_edits_after_the_last_export_names_no_export(
    folder, monkeypatch, data_folder
):
    session = Session(folder, monkeypatch)
    session.export()
    session.paint((3, 4, 2))
    session.close()
    age_edits(data_folder, -60)  # the time of a file may be some milliseconds early
    (text,) = Session(folder, monkeypatch).asked
    assert "older than" not in text


def test_strokes_during_an_export_are_newer_than_it(folder, monkeypatch):
    session = Session(folder, monkeypatch)
    regions = region_layers(session.viewer.layers, session.case).values()
    read = session.watcher.autosave.checksums(regions)
    session.paint((3, 4, 2))
    session.watcher.save_now()
    session.export(read)
    session.close()
    (text,) = Session(folder, monkeypatch).asked
    assert "not saved: ET" in text and "export of Pat ET" not in text


def test_an_export_of_another_mask_is_not_named(folder, monkeypatch, with_old_edits):
    session = Session(folder, monkeypatch)
    session.watcher.autosave.mark_exported([session.viewer.layers["Pat labels"]])
    session.close()
    (text,) = Session(folder, monkeypatch).asked
    assert "older than" not in text


def test_nothing_is_kept_of_exports_while_autosave_is_off(folder, monkeypatch, data_folder):
    settings.put("autosave", False)
    session = Session(folder, monkeypatch)
    session.export()
    session.watcher.autosave.wait()
    assert not data_folder.exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"format": 1}', '{"layers": {"et": "soon"}}']
)
def test_a_damaged_record_is_no_export(folder, monkeypatch, data_folder, text):
    session = Session(folder, monkeypatch)
    session.export()
    session.watcher.autosave.wait()
    (file,) = data_folder.glob("exports/*.json")
    assert set(export_times(session.case)) == {"et", "tc", "wt"}
    file.write_text(text)
    assert export_times(session.case) == {}
    session.export()
    session.watcher.autosave.wait()
    assert set(export_times(session.case)) == {"et", "tc", "wt"}


def test_the_file_says_what_a_mask_started_from_since_it_was_exported(
    folder, monkeypatch, data_folder
):
    """Else the question would name a mask as edited that was exported as it is."""
    session = Session(folder, monkeypatch)
    regions = region_layers(session.viewer.layers, session.case)
    autosave = session.watcher.autosave
    for region, at in ((Region.WT, (1, 1, 1)), (Region.ET, (2, 2, 2))):
        regions[region].data_setitem(tuple(np.array([n]) for n in at), 1)
    autosave.save()
    autosave.mark_exported([regions[Region.WT]])
    autosave.save()
    autosave.wait()
    (file,) = data_folder.glob("autosave/*/*.safetensors")
    baselines = {mask.region: mask.baseline_checksum for mask in read_masks(file)}
    assert baselines[Region.WT] == checksum(regions[Region.WT].data)
    assert baselines[Region.ET] != checksum(regions[Region.ET].data)
