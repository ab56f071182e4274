"""The event log of a run survives kills at any byte and is followed without reading it again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalltumor.errors import OutputError
from smalltumor.training.runs import events
from smalltumor.training.runs.events import EventReader, append_event, drop_events_after

LINES = [
    json.dumps({"event": kind, "step": step, "time": 1.5, "message": 'ends in \u00e9 } {"event"'})
    for step, kind in enumerate(("start", "progress", "epoch", "stop"))
]
LOG = "".join(line + "\n" for line in LINES).encode()


def steps(found) -> list[int]:
    return [event["step"] for event in found]


@given(cut=st.integers(0, len(LOG)), junk=st.sampled_from([b"", b"\0\0\0", b"\xff{", b"[1]"]))
def test_an_event_after_a_torn_line_is_not_lost(tmp_path_factory, cut, junk):
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    path.write_bytes(LOG[:cut] + junk)
    append_event(path, "stop", 9)
    whole = steps(events.read_events(path))
    # The newline alone may be missing: then the line itself is whole.
    kept = LOG[:cut].count(b"\n"), (LOG[:cut] + b"\n").count(b"}\n")
    assert whole in [[*range(n), 9] for n in kept]
    reader = EventReader(path)
    assert steps(reader.poll()[0]) == whole
    append_event(path, "done", 10)
    assert steps(reader.poll()[0]) == [10]


def test_a_reader_waits_for_the_rest_of_a_line(tmp_path):
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.poll() == ([], False)
    for end in range(len(LOG) + 1):
        path.write_bytes(LOG[:end])
        found, replaced = reader.poll()
        assert not replaced
        assert len(found) == (end > 0 and LOG[end - 1 : end] == b"\n")


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_log_that_was_replaced_is_read_from_its_beginning(tmp_path, rounds):
    """Twice: then the new file may have the number of the first one."""
    path = tmp_path / "events.jsonl"
    for step in range(8):
        append_event(path, "epoch", step)
    reader = EventReader(path)
    reader.poll()
    for _ in range(rounds):
        drop_events_after(path, 3)
    for step in range(4, 9):
        append_event(path, "epoch", step, loss=0.25)
    found, replaced = reader.poll()
    assert replaced
    assert steps(found) == list(range(9))


def test_a_log_that_is_replaced_while_it_is_read_is_noticed_at_the_next_poll(tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    for step in range(8):
        append_event(path, "epoch", step)
    reader = EventReader(path)
    parse, replaced_once = events._parse, []

    def replace_meanwhile(line):
        if not replaced_once:
            replaced_once.append(True)
            drop_events_after(path, 3)
        return parse(line)

    monkeypatch.setattr(events, "_parse", replace_meanwhile)
    assert steps(reader.poll()[0]) == list(range(8))
    append_event(path, "epoch", 4)
    found, replaced = reader.poll()
    assert (steps(found), replaced) == ([0, 1, 2, 3, 4], True)


def test_only_the_last_of_many_progress_events_is_read(tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    for step in range(50):
        append_event(path, "progress", step)
    append_event(path, "epoch", 50)
    append_event(path, "progress", 51)
    parsed = []
    parse = events._parse
    monkeypatch.setattr(events, "_parse", lambda line: parsed.append(line) or parse(line))
    assert steps(EventReader(path).poll()[0]) == [49, 50, 51]
    assert len([line for line in parsed if line]) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("segmentation", float("nan")), ("seconds_left", "soon"), ("et", True)],
)
def test_a_number_that_cannot_be_shown_hides_no_event(tmp_path, name, value):
    path = tmp_path / "events.jsonl"
    append_event(path, "epoch", 4, epoch=1, **{name: value, "other": 2})
    (event,) = events.read_events(path)
    assert {**event, "time": 0} == {"event": "epoch", "step": 4, "time": 0, "epoch": 1, "other": 2}
    drop_events_after(path, 4)
    assert steps(events.read_events(path)) == [4]


@pytest.mark.parametrize("value", [float("nan"), None, "0.5"])
def test_an_event_without_a_value_that_it_needs_is_none(tmp_path, value):
    path = tmp_path / "events.jsonl"
    append_event(path, "validation", 4, epoch=1, score=value, by_case=[])
    append_event(path, "epoch", 4, epoch=1)
    assert [event["event"] for event in events.read_events(path)] == ["epoch"]


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"events\.jsonl could not be written"):
        append_event(tmp_path / "absent" / "events.jsonl", "start", 0)
