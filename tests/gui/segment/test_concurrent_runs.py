"""Runs at the same time, and results that arrive late: each run shows only its own result."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import smalltumor.inference
from event_loop import let_turns_pass
from napari_cases import write_case_along
from smalltumor.data.segmentation import Segmentation
from smalltumor.training.runs import current_weights
from smalltumor.training.runs.run_folder import RunFolder

from napari_smalltumor import devices
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.finetune.run.prediction import prediction_name
from napari_smalltumor.layers.masks.region_masks import is_edited
from napari_smalltumor.layers.metadata import case_of
from napari_smalltumor.loading.open_case import open_case
from napari_smalltumor.patients.cases_in_use import use_case


class NetworkPerResult:
    """A network that waits for each result separately; result number n has n voxels.

    A result is named after its case, and that of *Show prediction* after its layer.
    """

    def __init__(self) -> None:
        self.started: dict[str, threading.Event] = {}
        self.proceed: dict[str, threading.Event] = {}

    def expect(self, name: str) -> None:
        self.started[name], self.proceed[name] = threading.Event(), threading.Event()

    def __call__(self, case, checkpoint=None, *, progress=None, **options):
        name = case.name
        if progress is None:
            name = prediction_name(name)
        else:
            progress(0.25, f"computing {name}")
        self.started[name].set()
        assert self.proceed[name].wait(60)
        classes = np.zeros(case.grid.shape, np.uint8)
        classes[4, 5, 3 : 4 + list(self.started).index(name)] = 3
        return Segmentation(case.name, classes, case.grid, case.header)


@pytest.fixture
def slow_network(monkeypatch):
    network = NetworkPerResult()
    monkeypatch.setattr(smalltumor.inference, "segment", network)
    yield network
    for event in network.proceed.values():
        event.set()


@pytest.mark.slow
def test_two_windows_that_segment_at_once_show_only_their_own_run(
    make_napari_viewer, dock_of, tmp_path, slow_network, qtbot, errors, raised, monkeypatch
):
    monkeypatch.setattr(devices, "find_devices", lambda *args: None)
    docks = {}
    for name in ("first", "second"):
        viewer = make_napari_viewer()
        docks[name] = dock_of(viewer)
        open_case(viewer, write_case_along(tmp_path / name, "LPS", labels=False))
        slow_network.expect(name)
    for name, dock in docks.items():
        dock.segment()
        qtbot.waitUntil(slow_network.started[name].is_set)
    for name, dock in docks.items():
        qtbot.waitUntil(lambda dock=dock, name=name: dock.panel.step == f"computing {name}")
    for name in ("second", "first"):
        with qtbot.waitSignal(docks[name].finished) as ended:
            slow_network.proceed[name].set()
        assert ended.args == [True]
    for voxels, (name, dock) in enumerate(docks.items(), start=1):
        layers = dock._viewer.layers
        assert [layer.name for layer in layers[4:]] == [f"{name} WT", f"{name} TC", f"{name} ET"]
        assert np.count_nonzero(layers[f"{name} ET"].data) == voxels
    assert (errors, raised) == ([], [])


@pytest.mark.slow
def test_the_result_of_an_abandoned_run_is_not_shown_as_that_of_the_next_run(
    opened, tmp_path, slow_network, qtbot, errors, raised
):
    viewer, dock = opened
    slow_network.expect("case")
    dock.segment()
    qtbot.waitUntil(slow_network.started["case"].is_set)
    abandoned = dock.run.worker
    with qtbot.waitSignal(dock.finished):
        dock.cancel()  # the network does not ask whether it is cancelled
    open_case(viewer, write_case_along(tmp_path / "next", "RSA", labels=False))
    slow_network.expect("next")
    dock.segment()
    qtbot.waitUntil(slow_network.started["next"].is_set)
    abandoned._abort_requested = False  # it had ended before it noticed the request
    slow_network.proceed["case"].set()
    qtbot.waitUntil(lambda: not abandoned.is_running)
    let_turns_pass(qtbot)
    assert dock.is_running and "case ET" not in viewer.layers
    with qtbot.waitSignal(dock.finished) as ended:
        slow_network.proceed["next"].set()
    assert ended.args == [True]
    assert np.count_nonzero(viewer.layers["next ET"].data) == 2
    assert (errors, raised) == ([], [])


def test_a_result_that_arrives_after_cancelling_is_not_shown(
    opened, slow_network, qtbot, errors, raised
):
    viewer, dock = opened
    slow_network.expect("case")
    dock.segment()
    qtbot.waitUntil(slow_network.started["case"].is_set)
    running = dock.run.worker
    slow_network.proceed["case"].set()
    ended = time.monotonic() + 60
    while running.is_running and time.monotonic() < ended:
        time.sleep(0.01)  # without events: the result waits in the queue
    dock.panel.cancel_clicked.emit()
    qtbot.waitUntil(lambda: not dock.is_running)
    assert [layer.name for layer in viewer.layers[4:]] == []
    assert (errors, raised) == ([], [])


@pytest.fixture
def run_folder(tmp_path, monkeypatch) -> RunFolder:
    """A run with a validation case, Pat, and a network that was saved at step 7."""
    write_case_along(tmp_path / "cases" / "Pat", "LPS", labels=False)
    run = RunFolder(tmp_path / "run")
    run.create()
    run.write_config({"data": str(tmp_path / "cases")})
    run.append("start", 0, steps=40, device="cpu", training=["a"], validation=["Pat"])
    saved = SimpleNamespace(card={"step": 7})
    monkeypatch.setattr(current_weights, "current_checkpoint", lambda path: saved)
    return run


PREDICTION = prediction_name("Pat")


@pytest.mark.parametrize(
    "order",
    [pytest.param(("Pat", PREDICTION), marks=pytest.mark.one_binding), (PREDICTION, "Pat")],
)
def test_show_prediction_and_segment_at_once_show_only_their_own_result(
    make_napari_viewer, dock_of, run_folder, slow_network, qtbot, errors, raised, monkeypatch, order
):
    for find in ("find_devices", "find_memory"):
        monkeypatch.setattr(devices, find, lambda *args: None)
    viewer = make_napari_viewer()
    segment, finetune = dock_of(viewer), FinetuneDock(viewer)
    viewer.window.add_dock_widget(finetune, area="right", name="Fine-tune")
    finetune.open_run(run_folder.path)
    open_case(viewer, run_folder.path.parent / "cases" / "Pat")
    for name in ("Pat", PREDICTION):
        slow_network.expect(name)
    segment.segment()
    finetune.predict("Pat")
    for started in slow_network.started.values():
        qtbot.waitUntil(started.is_set)
    qtbot.waitUntil(lambda: segment.panel.step == "computing Pat")
    layers = {"Pat": ["Pat WT", "Pat TC", "Pat ET"], PREDICTION: [PREDICTION]}
    ended = {"Pat": segment.finished, PREDICTION: finetune.predicted}
    first, second = order
    with qtbot.waitSignal(ended[first]) as result:
        slow_network.proceed[first].set()
    assert result.args == [True]
    assert [layer.name for layer in viewer.layers[4:]] == layers[first]
    assert segment.is_running == (second == "Pat")
    if segment.is_running:
        assert segment.panel.step == "computing Pat"
        assert segment.panel.results.text == ""
    else:
        assert finetune.panel.monitor.message == "Segmenting Pat ..."
    with qtbot.waitSignal(ended[second]) as result:
        slow_network.proceed[second].set()
    assert result.args == [True]
    assert [layer.name for layer in viewer.layers[4:]] == [*layers[first], *layers[second]]
    assert np.count_nonzero(viewer.layers["Pat ET"].data) == 1
    assert np.count_nonzero(viewer.layers[PREDICTION].data) == 2
    assert finetune.panel.monitor.message == "Pat: prediction after step 7"
    assert not is_edited(viewer.layers, case_of(viewer.layers["Pat ET"]))
    assert (errors, raised) == ([], [])


def test_a_case_is_not_segmented_while_its_images_are_corrected(opened, errors):
    viewer, dock = opened
    end = use_case(viewer, case_of(viewer.layers[0]), "corrected")
    dock.panel.segment_clicked.emit()
    assert errors == ["case is being corrected. Segment it when that has ended."]
    assert not dock.is_running
    end()
