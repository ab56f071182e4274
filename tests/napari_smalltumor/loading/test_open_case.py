"""Open case... opens folders and files, and reports errors in one line."""

import json

import pytest
from napari_cases import write_case_along
from smalltumor.data.volumes.nifti import stem
from smalltumor.errors import CaseError

from napari_smalltumor import notify, settings
from napari_smalltumor.layers.metadata import case_of, source_role_of
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.loading.sample_data import open_sample
from napari_smalltumor.patients.active_patient import active_patient


def test_a_folder_is_opened_and_remembered(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    opened: list = []
    open_and_remember(viewer, folder, opened.extend)
    assert opened == list(viewer.layers) and len(opened) == 5
    assert settings.last_folder() == str(tmp_path)
    assert viewer.dims.axis_labels == ("I", "P", "L")
    assert viewer.dims.ndisplay == 2


def test_files_in_any_order_are_opened_as_one_case(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    layers = open_case(viewer, sorted(folder.iterdir(), reverse=True))
    cases = {id(case_of(layer)) for layer in layers}
    assert (len(layers), len(cases)) == (5, 1)


def test_a_folder_without_a_case_is_reported_in_one_message(viewer, tmp_path, monkeypatch):
    messages: list[str] = []
    monkeypatch.setattr(notify, "error", messages.append)
    open_and_remember(viewer, tmp_path)
    assert len(viewer.layers) == 0
    assert len(messages) == 1
    assert "holds no case" in messages[0]
    with pytest.raises(CaseError):
        open_case(viewer, tmp_path / "nowhere")


def test_the_sample_opens_without_its_expert_mask_but_knows_the_file():
    layers = open_sample()
    names = [attributes["name"] for _, attributes, _ in layers]
    assert [name.split()[1] for name in names] == ["FLAIR", "T2", "T1", "T1CE"]
    case = source_role_of(layers[0][1]["metadata"]).case
    assert case.labels_path.name == "BraTS2021_00019_seg.nii.gz"
    assert case.labels_path in case.sources  # never overwritten


def test_a_case_that_is_opened_twice_gets_only_the_layers_that_it_lacks(
    viewer, tmp_path, monkeypatch
):
    said: list[str] = []
    monkeypatch.setattr(notify, "info", said.append)
    folder = write_case_along(tmp_path / "Pat")
    first = open_case(viewer, folder)
    assert open_case(viewer, folder) == []
    assert list(viewer.layers) == first
    assert said == [
        "Pat is shown with the mask in Pat_seg.nii.gz, not with a new segmentation.",
        "Pat is open already.",
    ]
    viewer.layers.remove("Pat T1CE")
    (back,) = open_case(viewer, folder)
    assert back.name == "Pat T1CE"


def test_a_case_that_is_opened_again_becomes_the_active_patient(viewer, tmp_path):
    folders = [write_case_along(tmp_path / name) for name in ("First", "Second")]
    for folder in folders:
        open_case(viewer, folder)
    open_case(viewer, folders[0])
    assert active_patient(viewer).title == "First"


@pytest.mark.parametrize("has_sidecars", [False, True])
def test_a_case_without_t1ce_is_opened_once_also_with_the_files_of_a_converter(
    viewer, tmp_path, monkeypatch, has_sidecars
):
    warned: list[str] = []
    monkeypatch.setattr(notify, "warn", warned.append)
    folder = write_case_along(tmp_path / "Pat")
    next(folder.glob("*_t1ce.nii.gz")).unlink()
    for file in list(folder.iterdir()) if has_sidecars else ():
        sidecar = {"SeriesInstanceUID": f"1.2.{len(file.name)}", "StudyInstanceUID": "1.2"}
        file.with_name(f"{stem(file)}.json").write_text(json.dumps(sidecar))
    open_and_remember(viewer, folder)
    first = list(viewer.layers)
    assert len(first) == 4 and sum("no T1CE" in text for text in warned) == 1
    open_and_remember(viewer, folder)
    assert list(viewer.layers) == first and sum("no T1CE" in text for text in warned) == 1


def test_a_link_to_the_folder_of_an_open_case_leads_to_its_patient(viewer, tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(notify, "info", said.append)
    folder = write_case_along(tmp_path / "Pat")
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(folder, target_is_directory=True)
    first = open_case(viewer, link)
    for path in (folder, link, sorted(link.iterdir()), tmp_path / "elsewhere" / ".." / "Pat"):
        said.clear()
        open_and_remember(viewer, path)
        assert list(viewer.layers) == first
        assert said == ["Pat is open already."]
    image = case_of(first[0]).paths["t1ce"]
    open_and_remember(viewer, link / image.name)
    assert list(viewer.layers) == first


def test_a_folder_in_which_files_are_links_is_a_case_of_its_own(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat")
    own = tmp_path / "linked"
    own.mkdir()
    for file in folder.iterdir():
        (own / file.name).symlink_to(file)
    open_case(viewer, folder)
    open_case(viewer, own)
    assert [p.folder for p in active_patient(viewer).patients] == [folder, own]


def test_a_case_named_after_its_folder_is_named_by_the_path_that_was_given(viewer, tmp_path):
    store = tmp_path / "store-8f3a"
    write_case_along(store, name="case")
    for file in store.iterdir():
        file.rename(store / file.name.removeprefix("case_"))
    link = tmp_path / "Patient-007"
    link.symlink_to(store, target_is_directory=True)
    first = open_case(viewer, link)
    assert case_of(first[0]).name == "Patient-007"
    open_and_remember(viewer, store)
    assert list(viewer.layers) == first
    assert [p.name for p in active_patient(viewer).patients] == ["Patient-007"]
