"""The key of a case, under which something is kept, by its files and images."""

from __future__ import annotations

from dataclasses import replace

from napari_cases import case_along

from napari_smalltumor.case_data.records import case_key


def test_the_key_stays_when_a_missing_image_has_been_added(tmp_path):
    case = case_along()
    case.paths = {m: tmp_path / f"Pat_{m}.nii.gz" for m in case.volumes}
    without = {m: path for m, path in case.paths.items() if m != "flair"}
    assert case_key(case) == case_key(replace(case, paths=without))
    other = {**case.paths, "t1ce": tmp_path / "again" / "Pat_t1ce.nii.gz"}
    assert case_key(case) != case_key(replace(case, paths=other))
