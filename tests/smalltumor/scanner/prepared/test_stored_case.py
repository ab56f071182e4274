"""Prepared cases are recognised in their folder."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from raw_scans import prepared_by_hand, write_raw_scan
from smalltumor.data.read_case import read_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.errors import CaseError, OutputError
from smalltumor.scanner.deidentification.scan_warning import Identifying, ScanWarning
from smalltumor.scanner.prepared import prepared_files
from smalltumor.scanner.prepared.native_grid import on_native_grid
from smalltumor.scanner.prepared.prepared_files import write_prepared
from smalltumor.scanner.prepared.stored_case import stored_case, stored_paths

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed: no transforms")


@pytest.fixture
def written(tmp_path):
    """A prepared case, and the folder that it was written to."""
    of_scan = ScanWarning(("a file is empty", Identifying(" (Meier.dcm)"), " and left out"))
    case = prepared_by_hand(write_raw_scan(tmp_path / "scan"))
    case = replace(case, scan_warnings=(of_scan,))
    write_prepared(case, tmp_path / "Pat")
    return case, tmp_path / "Pat"


def test_a_prepared_case_is_brought_back_from_its_folder(written):
    case, folder = written
    found = stored_case(read_case(folder))
    np.testing.assert_array_equal(found.brain, case.brain)
    assert (found.name, found.warnings) == (case.name, case.warnings)
    assert found.shown_warnings == ("a file is empty and left out", *map(str, case.warnings))
    for modality, sequence in case.sequences.items():
        other = found.sequences[modality]
        np.testing.assert_array_equal(other.image, sequence.image)
        assert other.native_grid.matches(sequence.native_grid)
        assert (other.series, other.steps, other.overlap) == (
            sequence.series,
            sequence.steps,
            sequence.overlap,
        )
    np.testing.assert_allclose(
        found.sequences["t2"].registration.matrix, case.sequences["t2"].registration.matrix
    )


def test_the_automatic_registration_is_stored_only_with_a_correction(written):
    case, folder = written
    paths = stored_paths(read_case(folder))
    assert "automatic" not in paths["record"].read_text()
    matrix = np.eye(4)
    matrix[:3, 3] = (1.25, 0.0, -3.0)
    sequences = {**case.sequences, "t2": replace(case.sequences["t2"], automatic=matrix)}
    write_prepared(replace(case, sequences=sequences), folder, overwrite=True)
    found = stored_case(read_case(folder)).sequences
    np.testing.assert_array_equal(found["t2"].automatic, matrix)
    assert found["flair"].automatic is None


def test_a_mask_returns_to_a_native_grid_as_before_the_case_was_written(written):
    case, folder = written
    classes = case.brain.astype(np.uint8)
    mask = Segmentation("Pat", classes, case.grid)
    masks = [on_native_grid(mask, each, "t2") for each in (case, stored_case(read_case(folder)))]
    np.testing.assert_array_equal(masks[0].classes, masks[1].classes)
    assert masks[1].grid.matches(case.sequences["t2"].native_grid)


def test_a_brain_mask_that_was_replaced_is_read_again(written):
    case, folder = written
    before = stored_case(read_case(folder)).brain
    write_prepared(replace(case, brain=~case.brain), folder, overwrite=True)
    np.testing.assert_array_equal(stored_case(read_case(folder)).brain, ~before)


def test_another_case_is_none(sample_folder):
    case = read_case(sample_folder)
    assert stored_paths(case) is None and stored_case(case) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 99}', '{"version": 2}'])
def test_a_damaged_record_is_an_error_that_names_it(written, text):
    _, folder = written
    (folder / "Pat_prepared.json").write_text(text)
    with pytest.raises(CaseError, match=r"Pat_prepared\.json"):
        stored_case(read_case(folder))


def test_a_record_without_a_sequence_of_the_case_is_an_error(written):
    _, folder = written
    path = folder / "Pat_prepared.json"
    content = json.loads(path.read_text())
    del content["sequences"]["t2"]
    path.write_text(json.dumps(content))
    with pytest.raises(CaseError, match="damaged"):
        stored_case(read_case(folder))


@pytest.mark.parametrize("damaged", [{"kind": "other", "text": "a reason"}, {"kind": "brain"}, "a"])
@pytest.mark.parametrize("of_step", [True, False])
def test_a_record_with_an_unknown_kind_of_step_or_warning_is_an_error(written, damaged, of_step):
    _, folder = written
    path = folder / "Pat_prepared.json"
    content = json.loads(path.read_text())
    (content["sequences"]["t2"]["steps"] if of_step else content["warnings"])[:] = [damaged]
    path.write_text(json.dumps(content))
    with pytest.raises(CaseError, match="damaged"):
        stored_case(read_case(folder))


def test_a_full_disk_leaves_no_part_of_a_case(tmp_path, monkeypatch):
    case = prepared_by_hand(write_raw_scan(tmp_path / "scan"))

    def full(path, *arguments, **options):
        raise OutputError(f"{path} could not be written: No space left on device")

    monkeypatch.setattr(prepared_files, "write_text", full)
    with pytest.raises(OutputError, match="No space"):
        write_prepared(case, tmp_path / "Pat")
    assert not (tmp_path / "Pat").exists()
