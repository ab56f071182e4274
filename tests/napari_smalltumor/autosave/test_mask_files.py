"""Files of edited masks: round trip and damaged files."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from napari_cases import case_along
from smalltumor.errors import GridMismatchError, TensorFileError
from smalltumor.files.tensor_file import read_metadata, read_tensors, write_tensors
from smalltumor.labels.regions import Region, TissueClass

from napari_smalltumor.autosave.mask_files import (
    FORMAT,
    FORMAT_VERSION,
    SavedMask,
    read_masks,
    read_readers,
    write_masks,
)

EDEMA_AND_ET = (TissueClass.BACKGROUND, TissueClass.ED, TissueClass.ET)


@pytest.fixture
def masks():
    values = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4) % 5
    return [
        SavedMask("Pat ET", values, (1, 2, 3), Region.ET, baseline_checksum=7, opened_checksum=8),
        SavedMask(
            "labels of ünïcode 'quotes'", values, (0, 0, 0), scheme="msd", known=EDEMA_AND_ET
        ),
        SavedMask("empty", np.zeros((0, 0, 0), np.uint8), (0, 0, 0)),
    ]


def test_written_masks_are_read_back_unchanged(tmp_path, masks):
    path = tmp_path / "new" / "x.safetensors"
    write_masks(path, case_along(), masks, ["Jörg", "Ann"])
    assert read_readers(path) == ["Jörg", "Ann"]
    for written, read in zip(masks, read_masks(path), strict=True):
        assert np.array_equal(written.on_grid((9, 10, 11)), read.on_grid((9, 10, 11)))
        assert (written.name, written.start) == (read.name, read.start)
        assert (written.region, written.scheme) == (read.region, read.scheme)
        assert written.known == read.known
        assert (written.baseline_checksum, written.opened_checksum) == (
            read.baseline_checksum,
            read.opened_checksum,
        )


def test_a_mask_that_exceeds_the_grid_is_an_error(masks):
    with pytest.raises(GridMismatchError, match="does not fit"):
        masks[0].on_grid((2, 2, 2))


@pytest.mark.parametrize("value", [[], 1e400, [1e400], ["text"], {"weights": 3}])
@pytest.mark.parametrize(
    "key",
    ["start", "region", "baseline_checksum", "opened_checksum", "made_by", "predicted", "known"],
)
def test_any_value_of_a_layer_is_read_or_an_error_that_is_caught(tmp_path, masks, key, value):
    path = tmp_path / "x.safetensors"
    write_masks(path, case_along(), masks)
    text = read_metadata(path, FORMAT, FORMAT_VERSION)
    layers = [{**layer, key: value} for layer in json.loads(text["layers"])]
    text = {name: value for name, value in text.items() if not name.startswith("format")}
    text["layers"] = json.dumps(layers)
    write_tensors(path, read_tensors(path), FORMAT, FORMAT_VERSION, text, overwrite=True)
    with suppress(TensorFileError):
        read_masks(path)


@given(data=st.data())
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_yields_masks_or_an_error_that_is_caught(tmp_path, masks, data):
    path = tmp_path / "x.safetensors"
    write_masks(path, case_along(), masks)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        for mask in read_masks(path):
            mask.on_grid((9, 10, 11))
    except (TensorFileError, GridMismatchError):
        pass
