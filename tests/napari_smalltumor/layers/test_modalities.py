"""Layers are assigned to modalities and form a case, whichever reader created them."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_cases import MODALITIES, case_along, oriented, random_volume, write_case_along
from shown_layers import newest_case_layers
from smalltumor.errors import CaseError, GridMismatchError
from smalltumor.geometry.grid import to_axes

from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.layers.metadata import case_of, same_case
from napari_smalltumor.layers.modalities import (
    ASSUMED_ORIENTATION,
    ASSUMED_SAME_AXES,
    case_of_layers,
    fill_missing,
    modality_of,
    sibling_layers,
)
from napari_smalltumor.loading.reader import get_reader
from napari_smalltumor.notify import error_text


def open_case(viewer: ViewerModel, case) -> dict:
    before = set(viewer.layers)
    for data in image_layers(case):
        viewer._add_layer_from_data(*data)
    return {modality_of(layer): layer for layer in viewer.layers if layer not in before}


def names(chosen) -> dict[str, str | None]:
    return {m: layer and layer.name for m, layer in chosen.items()}


def test_the_layers_of_a_case_are_chosen(viewer):
    opened = open_case(viewer, case_along())
    assert newest_case_layers(viewer.layers) == opened


def test_all_layers_of_the_case_opened_last_are_chosen(viewer):
    open_case(viewer, case_along(name="First"))
    second = open_case(viewer, case_along(name="Second"))
    assert newest_case_layers(viewer.layers) == second


def test_a_missing_modality_is_filled_from_the_case_of_the_chosen_layers(viewer):
    first = open_case(viewer, case_along(name="First"))
    open_case(viewer, case_along(name="Second"))
    chosen = fill_missing({**first, "t2": None}, viewer.layers)
    assert chosen == first


def test_a_deleted_layer_is_no_longer_chosen(viewer):
    opened = open_case(viewer, case_along())
    viewer.layers.remove(opened["t2"])
    assert fill_missing(opened, viewer.layers) == {**opened, "t2": None}


def test_sibling_layers_are_those_of_the_same_case(viewer):
    first = open_case(viewer, case_along(name="First"))
    open_case(viewer, case_along(name="Second"))
    assert sibling_layers(first["t1"], "t1", viewer.layers) == first


@pytest.mark.parametrize("name", ["x_t1ce", "x T1CE", "X-t1c", "t1gd", "x_t1ce.1"])
def test_the_modality_is_inferred_from_the_names_of_other_readers_layers(viewer, name):
    layer = viewer.add_image(np.zeros((3, 3, 3)), name=name)
    assert modality_of(layer) == (None if name.endswith(".1") else "t1ce")


def test_the_layers_of_a_case_return_the_same_case(viewer):
    case = case_along("SPR")
    assert case_of_layers(open_case(viewer, case)) is case


def test_an_image_that_is_not_chosen_is_missing_from_the_same_case(viewer):
    opened = open_case(viewer, case_along())
    case = case_of_layers({**opened, "t2": None})
    assert case.missing == ("t2",)
    assert same_case(case, case_of(opened["t1ce"]))


def test_images_of_another_reader_may_lack_flair(viewer):
    for number, modality in enumerate(("t1ce", "t1", "t2")):
        viewer.add_image(random_volume(number).transpose(2, 1, 0), name=modality)
    case = case_of_layers(newest_case_layers(viewer.layers))
    assert case.missing == ("flair",)
    assert list(case.volumes) == ["t1ce", "t1", "t2"]


def test_files_opened_one_by_one_form_the_case_of_their_folder(viewer, tmp_path):
    folder = write_case_along(tmp_path / "Pat_001", "IRP", labels=False)
    for path in sorted(folder.iterdir(), key=lambda p: p.name[::-1]):
        viewer._add_layer_from_data(*get_reader(str(path))(str(path))[0])
    case = case_of_layers(newest_case_layers(viewer.layers))
    assert case.name == "Pat_001"
    assert case.grid.axcodes == "IRP"
    assert {m: p.name for m, p in case.paths.items()} == {
        m: f"Pat_001_{m}.nii.gz" for m in MODALITIES
    }
    for number, modality in enumerate(MODALITIES):
        expected = np.asarray(oriented(random_volume(number), "IRP").dataobj)
        assert np.array_equal(case.volumes[modality], expected)
    assert case.warnings == []


def test_layers_of_another_reader_form_a_case_with_a_warning(viewer):
    for number, modality in enumerate(MODALITIES):
        viewer.add_image(random_volume(number).transpose(2, 1, 0), name=modality, scale=(2, 1.5, 1))
    case = case_of_layers(newest_case_layers(viewer.layers))
    assert case.warnings == [ASSUMED_ORIENTATION]
    for number, modality in enumerate(MODALITIES):
        upright = to_axes(case.volumes[modality], case.grid, "LPS")
        assert np.array_equal(upright, random_volume(number))
    assert case.grid.spacing == pytest.approx((2, 1.5, 1))


def test_layers_of_two_readers_form_a_case_on_one_grid(viewer):
    opened = open_case(viewer, case_along("RAS"))
    other = viewer.add_image(
        opened["t2"].data, scale=opened["t2"].scale, translate=opened["t2"].translate, name="t2"
    )
    case = case_of_layers({**opened, "t2": other})
    assert np.array_equal(case.volumes["t2"], np.asarray(oriented(random_volume(3), "RAS").dataobj))
    assert case.warnings == [ASSUMED_SAME_AXES]


def test_the_error_names_missing_and_duplicate_layers(viewer):
    opened = open_case(viewer, case_along())
    with pytest.raises(CaseError, match="Choose a layer for T1CE"):
        case_of_layers({**opened, "t1ce": None})
    with pytest.raises(CaseError, match="Pat T1 is chosen for T1 and T2"):
        case_of_layers({**opened, "t2": opened["t1"]})


def test_layers_on_different_grids_are_an_error(viewer):
    opened = open_case(viewer, case_along())
    moved = viewer.add_image(opened["t2"].data, scale=opened["t2"].scale, name="t2")
    with pytest.raises(GridMismatchError, match="t2 is on another grid than Pat T1CE") as caught:
        case_of_layers({**opened, "t2": moved})
    assert "Prepare a scan" in error_text(caught.value)


def test_layers_of_two_cases_of_one_name_are_not_mixed(viewer, tmp_path):
    for parent in ("a", "b"):
        folder = write_case_along(tmp_path / parent / "Pat", labels=False)
        for data in get_reader(str(folder))(str(folder)):
            viewer._add_layer_from_data(*data)
    chosen = newest_case_layers(viewer.layers)
    assert {p.parent.parent.name for p in case_of_layers(chosen).paths.values()} == {"b"}
