"""What the user is told of workers that do not come."""

from __future__ import annotations

import pytest
from smalltumor.cohort.pipeline.jobs import Job
from smalltumor.data.naming.case_files import CaseFiles
from smalltumor.errors import SmalltumorError

pytest.importorskip("distributed")
from smalltumor.cohort.workers import worker_pool


class Client:
    """A cluster without workers whose scheduler is lost after some looks."""

    status = "closed"

    def __init__(self, looks):
        self._looks = iter(looks)

    def nthreads(self):
        workers = next(self._looks, None)
        if workers is None:
            raise OSError
        return dict.fromkeys(workers, 1)

    def submit(self, *_, **__):
        return Future()


class Future:
    key, status = "prepare", "pending"

    def add_done_callback(self, _):
        pass


@pytest.mark.parametrize(
    ("looks", "sharing", "told"),
    [
        ([[]] * 4, 0, 1),
        ([["tcp://a:1"]] * 4, 0, 0),
        ([[], [], ["tcp://a:1"], [], []], 0, 2),
        ([[]] * 4, 2, 0),
    ],
    ids=["never one", "one there", "one that leaves", "on this machine"],
)
def test_waiting_for_a_worker_is_told_once_each_time(monkeypatch, looks, sharing, told):
    monkeypatch.setattr(worker_pool, "_POLL_INTERVAL", 0.001)
    monkeypatch.setattr(worker_pool, "_WAITING_SECONDS", -1.0)
    sentences = []
    pool = worker_pool.WorkerPool(Client(looks), None, sharing, sentences.append)
    with pytest.raises(SmalltumorError, match="the scheduler is lost"):
        list(pool.rows([Job(CaseFiles("case", {}, None, []))]))
    assert [s for s in sentences if "waits for one" in s] == sentences
    assert len(sentences) == told
