"""The digest of a case tells whatever would give other volumes or scores."""

from __future__ import annotations

import pytest
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.training.data.case_digest import case_digest
from training_cases import write_lesion_cases


@pytest.fixture
def folder(tmp_path):
    return write_lesion_cases(tmp_path / "cases", 1)


def digest(folder, *settings) -> str:
    (files,) = find_cases(folder)
    return case_digest(files, *settings)


def test_settings_and_names_that_mean_another_label_scheme_change_it(folder):
    before = digest(folder, 1)
    assert digest(folder, 1) == before != digest(folder, 2)
    for path in [*(folder / "case_00").iterdir()]:
        path.rename(path.with_name(path.name.replace("flair", "t2f")))
    assert digest(folder, 1) != before


def test_exchanged_images_change_it(folder):
    before, (t1, t2) = digest(folder), sorted(folder.glob("case_00/*_t[12].nii.gz"))
    first, second = t1.read_bytes(), t2.read_bytes()
    t1.write_bytes(second)
    t2.write_bytes(first)
    assert digest(folder) != before


def test_a_byte_of_the_mask_changes_it_though_size_and_time_do_not(folder):
    before, mask = digest(folder), next(folder.glob("case_00/*_seg.nii.gz"))
    content = bytearray(mask.read_bytes())
    content[-1] ^= 1
    mask.write_bytes(content)
    assert digest(folder) != before
