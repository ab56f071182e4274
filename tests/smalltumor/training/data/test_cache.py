"""The cache of prepared volumes stays bounded, and two runs can share it."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pytest
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.errors import OutputError
from smalltumor.training.data import cache as cache_module
from smalltumor.training.data.cache import CaseCache
from smalltumor.training.data.dataset import labelled_cases, prepare_cases
from smalltumor.training.execution.train import train
from training_cases import write_lesion_cases
from training_runs import request_for, silent

DAY = 24 * 3600.0


@pytest.fixture
def folder(tmp_path):
    return write_lesion_cases(tmp_path / "cases", 2)


@pytest.fixture
def cache(folder, tmp_path):
    """A cache with an entry for each of both cases."""
    prepare_cases(labelled_cases(folder), Preprocessing(), tmp_path / "cache")
    return tmp_path / "cache"


def set_age(cache, case: str, days: float) -> None:
    for path in cache.glob(f"{case}-*"):
        os.utime(path, (time.time() - days * DAY,) * 2)


def cases_in(cache) -> list[str]:
    return sorted({path.name.partition("-")[0] for path in cache.glob("*.npy")})


def size_of(cache, case: str) -> int:
    return sum(path.stat().st_size for path in cache.glob(f"{case}-*"))


def test_entries_used_longest_ago_go_first(cache):
    set_age(cache, "case_00", 3)
    set_age(cache, "case_01", 2)
    CaseCache(cache).prune(size_of(cache, "case_01"))
    assert cases_in(cache) == ["case_01"]
    CaseCache(cache).prune(0)
    assert cases_in(cache) == []


def test_entries_used_today_are_kept_whatever_they_take(cache, folder):
    set_age(cache, "case_00", 2)
    set_age(cache, "case_01", 2)
    prepare_cases(labelled_cases(folder / "case_01"), Preprocessing(), cache)
    CaseCache(cache).prune(0)
    assert cases_in(cache) == ["case_01"]


def test_spare_entries_stay_as_long_as_there_is_room(cache):
    set_age(cache, "case_00", 3)
    CaseCache(cache).prune(size_of(cache, "case_00"))
    assert cases_in(cache) == ["case_00", "case_01"]


def test_what_a_kill_left_half_written_goes_after_a_day(cache):
    new, old = (cache / f".smalltumor-{n:012d}.part" for n in range(2))
    new.write_bytes(b"half")
    old.write_bytes(b"half")
    os.utime(old, (1.0, 1.0))
    CaseCache(cache).prune()
    assert new.exists()
    assert not old.exists()


def test_a_run_prunes_the_cache_it_uses(data, cache, tmp_path, quick, monkeypatch):
    set_age(cache, "case_00", 2)
    monkeypatch.setattr(cache_module.CaseCache.prune, "__defaults__", (0,))
    train(request_for(data, tmp_path / "run", cache=cache, changes={"epochs": 1}), silent)
    assert cases_in(cache) == ["case_00", "case_01", "case_02", "case_03"]
    set_age(cache, "case_02", 2)
    shutil.copytree(data / "case_00", tmp_path / "one" / "case_00")
    train(
        request_for(
            tmp_path / "one",
            tmp_path / "other",
            cache=cache,
            validation_folder=None,
            changes={"epochs": 1},
        ),
        silent,
    )
    assert cases_in(cache) == ["case_00", "case_01", "case_03"]


@pytest.mark.skipif(os.name == "nt", reason="mapped files cannot be removed")
def test_a_mapped_case_stays_readable_when_another_run_prunes(cache, folder):
    prepared = prepare_cases(labelled_cases(folder), Preprocessing(), cache)
    before = prepared[0].image.clone()
    set_age(cache, "case_00", 2)
    CaseCache(cache).prune(0)
    assert cases_in(cache) == ["case_01"]
    np.testing.assert_array_equal(prepared[0].image, before)


def test_an_entry_that_another_run_removes_meanwhile_is_prepared_again(cache, folder, monkeypatch):
    load, removed = np.load, []

    def remove_before_loading(path, *arguments, **options):
        if not removed:
            removed.extend(cache.glob("case_00-*"))
            for entry in removed:
                entry.unlink()
        return load(path, *arguments, **options)

    monkeypatch.setattr(np, "load", remove_before_loading)
    prepared = prepare_cases(labelled_cases(folder), Preprocessing(), cache)
    assert [case.name for case in prepared] == ["case_00", "case_01"]
    assert len(removed) == 5
    assert cases_in(cache) == ["case_00", "case_01"]


def test_a_cache_that_is_a_file_is_named(tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(OutputError, match="cache cannot be a cache"):
        CaseCache(tmp_path / "cache")
