"""A scan is known to have been prepared if the record of a case names its series."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from smalltumor.errors import CaseError
from smalltumor.scanner.prepared.prepared_files import RECORD_ENDING
from smalltumor.scanner.prepared.stored_case import RECORD_VERSION

from napari_smalltumor.scanner import known_scans
from napari_smalltumor.scanner import prepared_before as prepared_before_module
from napari_smalltumor.scanner.known_scans import remember_scan
from napari_smalltumor.scanner.prepared_before import prepared_before


@pytest.fixture
def scan(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SMALLTUMOR_DATA", str(tmp_path / "user data"))
    monkeypatch.setattr(known_scans, "_SCANS", {})
    (tmp_path / "scan").mkdir()
    return tmp_path / "scan"


def remember(scan: Path, name: str, uid: str) -> Path:
    """A case of a scan, of which only the record is written."""
    case = scan.parent / name
    case.mkdir()
    record = {"version": RECORD_VERSION, "sequences": {"t1ce": {"series_uid": uid}}}
    (case / f"{name}{RECORD_ENDING}").write_text(json.dumps(record))
    remember_scan(case, scan)
    return case


def before(scan: Path, uid: str, *, is_only_study: bool) -> Path | None:
    return prepared_before(scan, SimpleNamespace(uid=uid), is_only_study=is_only_study)


@pytest.mark.parametrize("is_only_study", [True, False])
def test_two_patients_of_one_folder_are_told_apart_by_their_series(scan, is_only_study):
    anna, bert = remember(scan, "Anna", "1.1"), remember(scan, "Bert", "1.2")
    assert before(scan, "1.1", is_only_study=is_only_study) == anna
    assert before(scan, "1.2", is_only_study=is_only_study) == bert
    assert before(scan, "1.3", is_only_study=is_only_study) is None
    assert before(scan, "", is_only_study=is_only_study) is None


def test_series_without_uid_are_known_if_their_folder_holds_no_other_study(scan):
    case = remember(scan, "Anna", "")
    assert before(scan, "", is_only_study=True) == case
    assert before(scan, "", is_only_study=False) is None
    assert before(scan, "1.1", is_only_study=True) is None


def test_a_folder_that_cannot_be_listed_tells_nothing(scan, monkeypatch):
    remember(scan, "Anna", "1.1")

    def refuse(folder):
        raise CaseError(f"{folder} cannot be read")

    monkeypatch.setattr(prepared_before_module, "entries", refuse)
    assert before(scan, "1.1", is_only_study=True) is None


@pytest.mark.parametrize("content", ["{", "[]", "{}", None])
def test_a_damaged_or_missing_record_tells_nothing(scan, content):
    record = next(remember(scan, "Anna", "1.1").iterdir())
    if content is None:
        record.unlink()
    else:
        record.write_text(content)
    assert before(scan, "1.1", is_only_study=True) is None
