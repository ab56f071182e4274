"""Atomic writes: a file is the old one or the complete new one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from smalltumor.errors import Action, OutputError, Remedy
from smalltumor.files.atomic import atomic_path, check_output, check_output_folder, write_bytes


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_new_file_is_complete_with_default_permissions(tmp_path):
    write_bytes(tmp_path / "mask.nii", b"new")
    assert names(tmp_path) == ["mask.nii"]
    assert (tmp_path / "mask.nii").read_bytes() == b"new"
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "mask.nii").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    target = tmp_path / "mask.nii"
    target.write_bytes(b"old")
    with pytest.raises((OutputError, KeyboardInterrupt)), atomic_path(target, overwrite=True) as t:
        t.write_bytes(b"half")
        raise failure
    assert names(tmp_path) == ["mask.nii"]
    assert target.read_bytes() == b"old"


def test_a_full_disk_is_reported(tmp_path):
    with (
        pytest.raises(OutputError, match=r"mask\.nii could not be written: No space"),
        atomic_path(tmp_path / "mask.nii"),
    ):
        raise OSError(28, "No space left on device")


def test_an_existing_file_is_kept_unless_asked(tmp_path):
    target = tmp_path / "mask.nii"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"mask\.nii exists") as refused:
        write_bytes(target, b"new")
    assert refused.value.remedy == Remedy(Action.REPLACE_OUTPUT)
    assert target.read_bytes() == b"old"
    write_bytes(target, b"new", overwrite=True)
    assert target.read_bytes() == b"new"


def test_a_file_created_meanwhile_is_kept(tmp_path):
    target = tmp_path / "mask.nii"
    with (
        pytest.raises(OutputError, match="was created meanwhile"),
        atomic_path(target) as temporary,
    ):
        temporary.write_bytes(b"ours")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["mask.nii"]


def test_a_link_stays_a_link(tmp_path):
    real = tmp_path / "real.nii"
    real.write_bytes(b"old")
    link = tmp_path / "link.nii"
    link.symlink_to(real)
    write_bytes(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_source_is_never_replaced_even_through_a_link(tmp_path):
    source = tmp_path / "t1.nii"
    source.write_bytes(b"image")
    (tmp_path / "other.nii").symlink_to(source)
    with pytest.raises(OutputError, match="one of the case's files"):
        check_output(tmp_path / "other.nii", overwrite=True, sources=[source])


def test_a_missing_folder_and_a_folder_as_target_are_refused(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        check_output(tmp_path / "nowhere" / "mask.nii")
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path)


def test_a_name_that_is_too_long_is_refused(tmp_path):
    for check in (check_output, check_output_folder):
        with pytest.raises(OutputError, match="too long"):
            check(tmp_path / ("n" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="not writable"):
        check_output(tmp_path / "mask.nii")


def test_a_name_of_250_characters_can_be_written(tmp_path):
    target = tmp_path / ("n" * 246 + ".nii")
    write_bytes(target, b"x")
    assert target.exists()
