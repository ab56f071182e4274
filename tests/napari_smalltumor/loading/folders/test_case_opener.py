"""What is known of the cases of a long list is found out with few looks at the disk."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from napari_cases import write_case_along
from smalltumor.data.naming.find_cases import find_cases
from synthetic import write_case

from napari_smalltumor.layers.metadata import cases_among
from napari_smalltumor.loading.files import already_open
from napari_smalltumor.loading.folders.case_opener import CaseOpener
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.patients.active_patient import active_patient

CASES = [f"Pat_{number}" for number in range(12)]


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in CASES:
        (tmp_path / name).mkdir()
        for modality in ("t1", "t1ce", "t2", "flair"):
            (tmp_path / name / f"{name}_{modality}.nii.gz").touch()
    for name in CASES[:2]:
        write_case_along(tmp_path / name)
    return tmp_path


@pytest.fixture
def looks(monkeypatch) -> Counter[str]:
    """How often a path was resolved, a folder listed and a file looked for."""
    counts: Counter[str] = Counter()

    def count(owner: object, name: str) -> None:
        function = getattr(owner, name)
        counted = lambda *args: counts.update([name]) or function(*args)  # noqa: E731
        monkeypatch.setattr(owner, name, counted)

    count(already_open, "real_path")
    count(os, "scandir")
    count(Path, "is_file")
    return counts


def test_paths_of_a_list_are_resolved_once_and_folders_listed_once_each_time(viewer, folder, looks):
    cases = sorted(find_cases(folder), key=lambda files: CASES.index(files.name))
    for name in CASES[:2]:
        open_case(viewer, folder / name)
    opener = CaseOpener(viewer, open_and_remember)
    of_list, of_open = 4 * len(CASES), 4 * 2
    looks.clear()
    opener.states(cases)
    assert looks == {"real_path": of_list + of_open, "scandir": len(CASES)}
    looks.clear()
    opener.states(cases)
    assert looks == {"real_path": of_open, "scandir": len(CASES)}


def test_a_case_has_its_own_name_whether_it_is_opened_from_a_list_or_by_itself(viewer, tmp_path):
    for visit in ("visit1", "visit2"):
        write_case(tmp_path / visit, name="P7")
    cases = find_cases(tmp_path)
    assert [files.name for files in cases] == ["visit1_P7", "visit2_P7"]
    opener, patients = CaseOpener(viewer, open_and_remember), active_patient(viewer)
    for files in cases:
        opener.open(files, lambda: None)
    assert [case.name for case in cases_among(viewer.layers)] == ["P7", "P7"]
    assert [patients.title_of(p) for p in patients.patients] == ["P7 (visit1)", "P7 (visit2)"]
    before = list(patients.patients)
    open_case(viewer, tmp_path / "visit1")
    assert patients.patients == before


def test_states_are_those_of_the_layers_and_the_folders(viewer, folder):
    cases = sorted(find_cases(folder), key=lambda files: CASES.index(files.name))
    opener = CaseOpener(viewer, open_and_remember)
    for name in CASES[:2]:
        open_case(viewer, folder / name)
    (folder / "Pat_1" / "Pat_1_smalltumor_et.nii.gz").touch()
    (folder / "Pat_2" / "Pat_2_smalltumor.nii.gz").touch()
    states = opener.states(cases)
    assert [state.is_open for state in states] == [True, True, *[False] * 10]
    assert [state.is_active for state in states] == [False, True, *[False] * 10]
    one, label_file = "Pat_1_smalltumor_et.nii.gz", "Pat_2_smalltumor.nii.gz"
    exported = ["", f"exported to {one}", f"exported to {label_file}", *[""] * 9]
    assert [state.exported for state in states] == exported
    patients = active_patient(viewer)
    patients.activate(patients.patients[0])
    assert [state.is_active for state in opener.states(cases)][:2] == [True, False]
