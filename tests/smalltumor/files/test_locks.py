"""Locks, and drives without them."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from smalltumor.errors import SmalltumorWarning
from smalltumor.files.locks import locked


def test_a_lock_is_held_within_the_block(tmp_path):
    with locked(tmp_path / "lock"), pytest.raises(Timeout), locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSYS, "not implemented"),
        OSError(errno.ENOTSUP, "not supported"),
        OSError(errno.ENOLCK, "no locks available"),
    ],
    ids=repr,
)
def test_that_a_drive_has_no_locks_is_said_once_and_it_is_written_to(tmp_path, monkeypatch, error):
    def acquire(self):
        raise error

    monkeypatch.setattr(FileLock, "acquire", acquire)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = 0
        for _ in range(2):
            with locked(tmp_path / "lock"):
                done += 1
    assert done == 2
    (warning,) = caught
    assert f"{tmp_path} could not be locked" in str(warning.message)
    assert Path(warning.filename) == Path(__file__)


@pytest.fixture
def no_flock(monkeypatch):
    """A drive whose system has no locks."""
    fcntl = pytest.importorskip("fcntl")

    def flock(descriptor, operation):
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.usefixtures("no_flock")
def test_a_drive_without_locks_can_be_written_to_again_and_again(tmp_path):
    with pytest.warns(SmalltumorWarning, match="could not be locked") as said:
        for _ in range(2):
            with locked(tmp_path / "lock"):
                pass
    assert len(said) == 1


@pytest.mark.usefixtures("no_flock")
@pytest.mark.filterwarnings("ignore::smalltumor.errors.SmalltumorWarning")
def test_what_a_killed_process_leaves_on_a_drive_without_locks_keeps_nobody_out(tmp_path):
    (tmp_path / "lock").write_text("1\nanother computer\n")
    with locked(tmp_path / "lock"):
        pass


def test_the_filters_of_warnings_stay_as_they_are(tmp_path):
    with warnings.catch_warnings():
        warnings.resetwarnings()
        with locked(tmp_path / "lock"):
            pass
        assert not warnings.filters


def test_other_errors_are_passed_on(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), locked(tmp_path / "file" / "lock"):
        pass


def test_what_is_raised_in_the_block_is_passed_on(tmp_path):
    with pytest.raises(OSError, match="full"), locked(tmp_path / "lock"):
        raise OSError(errno.ENOLCK, "full")
    with locked(tmp_path / "lock"):
        pass
