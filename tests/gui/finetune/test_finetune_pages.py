"""The pages of the Fine-tune dock on their own: what they show and what they emit."""

from __future__ import annotations

import itertools
from pathlib import Path
from threading import Event

import pytest
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QApplication, QFileDialog
from smalltumor.data.made_by import MadeBy
from smalltumor.data.naming.find_cases import find_cases
from smalltumor.labels.regions import TissueClass
from smalltumor.models.checkpoint import load_checkpoint
from smalltumor.training.config import PRESETS
from smalltumor.training.data.collected_case import CaseFolder
from smalltumor.training.data.dataset_check import CheckedCase
from smalltumor.training.network_masks import NetworkMasks
from smalltumor.training.runs.comparison import RunComparison
from smalltumor.training.runs.run_folder import RunFolder
from smalltumor.training.runs.status import RunState, RunStatus
from synthetic import write_weights
from training_cases import write_lesion_cases

from napari_smalltumor import notify
from napari_smalltumor.finetune.case_texts import RunCases, cases_text
from napari_smalltumor.finetune.cases.cases_page import CasesPage
from napari_smalltumor.finetune.next_run import validation_folder
from napari_smalltumor.finetune.next_run.expected_length import MeasuredSpeed
from napari_smalltumor.finetune.next_run.starting_weights import RANDOM
from napari_smalltumor.finetune.next_run.train_page import TrainPage
from napari_smalltumor.finetune.next_run.validation_choice import Validation
from napari_smalltumor.finetune.panel import FinetunePanel
from napari_smalltumor.finetune.run.monitor_page import MonitorPage
from napari_smalltumor.finetune.run.result_page import ResultPage
from napari_smalltumor.finetune.run.run_bar import RunBar
from napari_smalltumor.finetune.run.run_name import RunName
from napari_smalltumor.finetune.run.weights_in_use import weights_to_use

GB = 10**9


@pytest.fixture
def train(qtbot):
    page = TrainPage()
    qtbot.addWidget(page)
    return page


def score(epoch: int, value: float) -> dict:
    by_case = [{"case": "a", "et": value, "tc": value, "wt": value}]
    return {"epoch": epoch, "score": value, "by_case": by_case}


def test_fine_tuning_starts_from_the_shipped_weights_and_other_presets_from_random_ones(train):
    assert train.weights.value == ""
    train.preset.value = "starter"
    assert train.weights.value == RANDOM
    assert train.epochs.value == 60
    train.preset.value = "finetune"
    assert train.weights.value == ""


def test_a_selected_weights_file_stays_selected_when_another_run_is_shown(
    train, tmp_path, monkeypatch
):
    path = str(write_weights(tmp_path / "mine.safetensors"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (path, ""))
    train.weights.value = "file..."
    assert train.weights.value == path
    train.set_run_weights(tmp_path / "2026-01-01_1200" / "best.safetensors")
    assert train.weights.value == path
    train.set_run_weights(None)
    assert train.weights.value == path

    def cancel(*arguments):
        train.set_run_weights(write_weights(tmp_path / "of_a_run.safetensors"))  # meanwhile
        return "", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", cancel)
    train.weights.value = "file..."
    assert train.weights.value == path


def test_weights_that_were_listed_stay_whatever_is_chosen_since(train, tmp_path):
    mine = str(write_weights(tmp_path / "mine.safetensors"))
    runs = [tmp_path / "runs" / name / "best.safetensors" for name in ("first", "second")]
    for path in runs:
        path.parent.mkdir(parents=True)
        write_weights(path)
    train.choose_weights(mine)
    train.set_run_weights(runs[0])
    train.weights.value = str(runs[0])
    train.set_run_weights(runs[1])
    assert train.weights.value == str(runs[0])
    train.weights.value = ""
    train.preset.value = "starter"
    train.preset.value = "finetune"
    native = train.weights.native
    assert [native.itemText(number) for number in range(native.count())] == [
        "shipped (starter)",
        "mine",
        "first (best)",
        "second (best)",
        "file...",
    ]


def test_the_train_page_says_which_cases_train_and_which_validate(train, tmp_path):
    assert train.cases_text == ""
    train.set_cases({name: f"/data/{name}" for name in ("P1", "P2", "P3_visit1", "P3_visit2")})
    assert train.cases_text == (
        "Trains on 3 cases: P2, P3_visit1, P3_visit2. Validates on 1 case: P1 (split by patient)."
    )
    train.validation.value = "/data/P3_visit1"
    assert train.cases_text == (
        "Trains on 2 cases: P1, P2. Validates on 1 case: P3_visit1 (split by patient). "
        "Not used, as a scan of a validation patient: P3_visit2."
    )
    train.validation.value = ""
    assert train.cases_text == (
        "Trains on 4 cases: P1, P2, P3_visit1, P3_visit2. No case validates, so nothing will show "
        "whether the network improves."
    )
    train.choose_validation(str(tmp_path))
    assert train.cases_text.endswith(f"Validates on the cases in {tmp_path}.")
    train.set_cases({"P1": "/data/P1"})
    train.validation.value = "5"
    assert train.cases_text == ""  # the run bar says why no run can start


def test_the_train_page_says_which_masks_a_network_made(train, tmp_path):
    mine = write_weights(tmp_path / "mine.safetensors")
    corrected = MadeBy.network("mine", load_checkpoint(mine).digest, "0.1.0").edited
    folders = {name: f"/data/{name}" for name in ("P1", "P2", "P3")}
    train.set_cases(folders)
    assert train.masks_text == ""
    train.set_cases(folders, {"P1": corrected})
    assert "Validates on 1 case: P2" in train.cases_text
    assert train.masks_text.startswith("1 of 2 training masks is a corrected result of a network")
    train.validation.value = "/data/P1"
    said = "The validation mask is a corrected result of {}: this Dice favours {}."
    assert train.masks_text == said.format("another or an unknown network", "that network")
    train.choose_weights(str(mine))
    assert train.masks_text == said.format("the starting weights", "the starting weights")
    train.validation.value = "5"
    train.set_cases(folders, dict.fromkeys(folders, corrected))
    assert "Validates on 1 case: P1" in train.cases_text
    assert "The validation mask is" in train.masks_text
    assert "2 of 2 training masks are corrected results" in train.masks_text


def test_a_validation_folder_elsewhere_leaves_its_patients_out_and_needs_masks(
    train, tmp_path, qtbot
):
    data = write_lesion_cases(tmp_path / "validation", 2)
    train.set_cases({name: f"/data/{name}" for name in ("case_00", "P2")})
    train.choose_validation(str(data))
    assert train.problem == f"{data} is being searched for validation cases"
    qtbot.waitUntil(lambda: train.problem == "")
    assert train.cases_text.startswith("Trains on 1 case: P2.")
    assert "Not used, as a scan of a validation patient: case_00." in train.cases_text
    (data / "case_01" / "case_01_seg.nii.gz").unlink()
    train.choose_validation(str(data))
    text = f"case_01 in {data} cannot validate without masks"
    qtbot.waitUntil(lambda: train.problem == text)
    train.validation.value = "5"
    assert train.problem == ""


def test_a_folder_that_takes_long_to_search_is_given_up_for_another(
    train, tmp_path, qtbot, monkeypatch
):
    data = write_lesion_cases(tmp_path / "validation", 1)
    entered, ended = Event(), Event()

    def walk_for_ever(folder, *, on_folder):
        if folder == data:
            return find_cases(folder, on_folder=on_folder)
        entered.set()
        try:
            for count in itertools.count():
                on_folder(count)
        finally:
            ended.set()

    monkeypatch.setattr(validation_folder, "find_cases", walk_for_ever)
    train.set_cases({name: f"/data/{name}" for name in ("P1", "P2")})
    train.choose_validation(str(tmp_path))
    assert entered.wait(10)
    train.choose_validation(str(data))
    qtbot.waitUntil(lambda: train.problem == "")
    assert ended.wait(10)
    assert train.cases_text.startswith("Trains on 2 cases: P1, P2.")


def test_many_cases_are_counted_and_all_named_in_the_tooltip():
    cases = RunCases(tuple(f"P{number}" for number in range(20)), ("Q",))
    assert "P5 and 14 more." in cases_text(cases) and "P6" not in cases_text(cases)
    assert "P18, P19." in cases_text(cases, all_names=True)
    assert "and 1 more" not in cases_text(RunCases(tuple("abcdefg")))


def test_the_monitor_says_what_a_run_trains_on_and_what_a_resume_changed(qtbot):
    page = MonitorPage()
    qtbot.addWidget(page)
    assert page.cases == ""
    page.show_status(RunStatus(RunState.RUNNING, training=("a", "b"), validation=("v",)))
    assert page.cases == "Trains on 2 cases: a, b. Validates on 1 case: v (split by patient)."
    page.show_status(
        RunStatus(
            RunState.RUNNING, training=("b", "c"), added=("c",), removed=("a",), left_out=("w",)
        )
    )
    assert page.cases == (
        "Trains on 2 cases: b, c. No case validates, so nothing will show whether the network "
        "improves. Not used, as a scan of a validation patient: w. Since it was resumed, the run "
        "also trains on c. Since it was resumed, it no longer trains on a."
    )


def test_a_file_that_holds_no_weights_is_refused_at_once(train, tmp_path, monkeypatch):
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(b"no weights")
    errors: list[str] = []
    monkeypatch.setattr(notify, "error", errors.append)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    train.weights.value = "file..."
    assert train.weights.value == ""
    assert "wrong.safetensors" in errors[0]


def test_start_is_disabled_and_says_why(qtbot):
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.set_startable("Choose a folder of training cases first")
    bar.show_status(RunStatus())
    assert not bar.start.isEnabled()
    assert bar.start.toolTip() == "Choose a folder of training cases first"
    assert bar.text == "Choose a folder of training cases first."
    bar.set_startable("")
    assert bar.start.isEnabled() and bar.text == "No run"
    bar.show_status(RunStatus(RunState.RUNNING))
    bar.set_startable("")
    assert not bar.start.isEnabled()


def test_a_single_case_can_only_be_trained_on_if_it_is_not_left_out(train):
    train.set_cases({"one": "/data/one"})
    assert train.problem.startswith("The only case is left out for validation")
    train.validation.value = "/data/one"
    assert train.problem.startswith("The only case is left out for validation")
    train.validation.value = ""
    assert train.problem == ""


def test_all_scans_of_a_patient_are_on_one_side(train):
    train.set_speed(MeasuredSpeed(1e6, "cpu"))
    train.set_cases({name: f"/data/{name}" for name in ("P1_visit1", "P1_visit2")})
    said = "All 2 cases are scans of the patient who is left out for validation"
    assert train.problem.startswith(said)
    assert train.expected_length == ""
    train.validation.value = "/data/P1_visit1"
    assert train.problem.startswith(said)
    cases = ("P1_visit1", "P1_visit2", "P1_visit3", "P2", "P3")
    train.set_cases({name: f"/data/{name}" for name in cases[:4]} | {"P3": ""})
    assert train.problem == "" and "for 2 training cases" in train.expected_length
    train.validation.value = "5"
    assert train.problem == "" and "for 2 training cases" in train.expected_length
    train.validation.value = ""
    assert "for 5 training cases" in train.expected_length
    titles = [train.validation.native.itemText(n) for n in range(train.validation.native.count())]
    assert "P2" in titles and "P3" not in titles


def test_a_run_from_random_weights_is_shorter_by_the_validation_of_its_start(train):
    train.set_speed(MeasuredSpeed(1e12, "cpu", validation_seconds=10.0))
    train.set_cases({name: f"/data/{name}" for name in ("P1", "P2", "P3")})
    train.preset.value, train.validation.value = "paper", "/data/P1"
    train.epochs.value = 1
    train.weights.value = ""
    assert "about 20 s for" in train.expected_length
    train.weights.value = RANDOM
    assert "about 10 s for" in train.expected_length


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_brings_its_epochs_and_its_share_of_the_starting_weights(train, preset):
    train.preset.value = preset
    assert train.epochs.value == PRESETS[preset].epochs
    assert train.starting_weights_share.value == 100 * PRESETS[preset].starting_weights_share


def test_validation_cases_are_a_share_one_case_a_folder_or_none(train, tmp_path, monkeypatch):
    assert train.chosen_validation == Validation(every=5)
    train.set_cases({"one": "/data/one"})
    train.validation.value = "/data/one"
    assert train.chosen_validation == Validation(folder=Path("/data/one"))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    train.validation.value = "file..."
    assert train.chosen_validation == Validation(folder=tmp_path)
    train.set_cases({"one": "/data/one", "two": "/data/two"})
    assert train.chosen_validation == Validation(folder=tmp_path)
    train.validation.value = ""
    assert train.chosen_validation == Validation()


def test_crop_and_batch_fit_the_memory_of_the_device(train):
    train.set_devices([("auto", "auto"), ("GPU", "cuda:0"), ("CPU", "cpu")])
    train.set_memory({"auto": 80 * GB, "cuda:0": 80 * GB, "cpu": 16 * GB})
    assert (train.crop.value, train.batch_size.value) == (128, 8)
    train.device.value = "cpu"
    assert (train.crop.value, train.batch_size.value) == (64, 2)
    assert "too much" not in train._memory_text.text()
    train.crop.value = 160
    assert "too much" in train._memory_text.text()


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        (RunState.NONE, {"start"}),
        (RunState.STARTING, {"pause", "stop", "log"}),
        (RunState.RUNNING, {"pause", "stop", "log"}),
        (RunState.PAUSED, {"start", "resume", "log"}),
        (RunState.STOPPED, {"start", "resume", "log"}),
        (RunState.FAILED, {"start", "resume", "log"}),
        (RunState.DONE, {"start", "log"}),
    ],
)
def test_only_buttons_that_apply_to_the_state_are_enabled(qtbot, state, enabled):
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.show_status(RunStatus(state))
    names = ("start", "pause", "resume", "stop", "log")
    assert {name for name in names if getattr(bar, name).isEnabled()} == enabled
    bar.show_status(RunStatus(state), busy="Stopping ...")
    assert not any(getattr(bar, name).isEnabled() for name in names[:4])
    assert bar.text == "Stopping ..."


def test_why_no_new_run_can_start_is_said_below_the_run_that_is_shown(qtbot):
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.set_startable("Choose a folder of training cases first")
    assert bar.text == "Choose a folder of training cases first." and bar.why_no_new_run == ""
    bar.show_status(RunStatus(RunState.RUNNING))
    assert bar.why_no_new_run == ""
    bar.show_status(RunStatus(RunState.DONE))
    assert bar.text == ""
    assert bar.why_no_new_run == "No new run yet. Choose a folder of training cases first."
    bar.set_startable("")
    assert bar.why_no_new_run == "" and bar.start.isEnabled()


def test_curves_show_each_epoch_and_small_lesions(qtbot):
    page = MonitorPage()
    qtbot.addWidget(page)
    page.show_status(
        RunStatus(
            RunState.RUNNING,
            validation=("a", "b"),
            losses={"segmentation": ([1.0, 2.0], [0.5, 0.4])},
            scores={"small_lesions": ([0.0, 2.0], [0.1, 0.3]), "et": ([], [])},
        )
    )
    assert page.curves.points("segmentation") == 2
    assert page.curves.points("small_lesions") == 2
    assert page.curves.points("et") == 0
    assert page.predict.isEnabled()
    page.set_predicting(True)
    page.show_status(RunStatus(RunState.RUNNING, validation=("a", "b")))
    assert not page.predict.isEnabled()


def test_problems_and_warnings_of_cases_are_shown_to_their_end(qtbot):
    page = CasesPage()
    qtbot.addWidget(page)
    page.resize(340, 600)
    page.show()
    words = "the mask may be mirrored or another patient's " * 4
    case = CheckedCase("P1", warnings=["short", words], voxels=dict.fromkeys(TissueClass, 0))
    page.table.show_cases([case, CheckedCase("P2", problem=words)])
    item = page.table.topLevelItem(0)

    def heights() -> list[int]:
        notes = (item.child(0), item.child(1), page.table.topLevelItem(1).child(0))
        return [page.table.visualItemRect(note).height() for note in notes]

    short, warning, problem = heights()
    assert warning == problem > 3 * short
    page.resize(900, 600)
    qtbot.waitUntil(lambda: short <= heights()[1] < warning)


def test_buttons_stay_in_their_place_when_messages_above_and_below_change(qtbot):
    panel = FinetunePanel()
    qtbot.addWidget(panel)
    panel.resize(360, 960)  # no scroll bar comes with the messages
    with qtbot.waitExposed(panel):
        panel.show()
    page, bar = panel.cases, panel.run_bar
    buttons = [page.browse, page.add, page.next, bar.start, bar.stop, bar.log, bar.open]

    def places() -> list[QPoint]:
        QApplication.processEvents()  # lays out what has changed
        QApplication.processEvents()
        return [button.mapTo(panel, QPoint()) for button in buttons]

    before = places()
    page.show_case("P1", "P1", CaseFolder(Path("P1"), why_not="it is another's " * 20), ready=True)
    page.show_message("a long message " * 20)
    page.set_reading(True)
    bar.set_startable("a long reason " * 20)
    assert places() == before
    bar.show_name(RunName(Path("/data/runs/r"), Path("/other")))
    bar.show_status(RunStatus(RunState.FAILED, message="no memory " * 20, changes={"crop": 32}))
    assert places() == before
    panel.show_page(panel.result)
    buttons = [panel.result.use]
    before = places()
    panel.result.show_status(RunStatus(training=("a",)), has_weights=True)
    panel.result.show_in_use("a long title " * 20)
    assert places() == before


def test_weights_that_masks_of_the_starting_weights_speak_against_can_be_used(qtbot, tmp_path):
    page = ResultPage()
    qtbot.addWidget(page)
    corrected = MadeBy.network("starter", "ab" * 32, "0.1.0").edited
    masks = NetworkMasks.among([corrected], ["ab" * 32])
    comparison = RunComparison(score(0, 0.997), score(3, 0.996), masks=masks)
    run = RunFolder(tmp_path / "run")
    run.create()
    training = RunStatus(RunState.RUNNING, comparison=comparison)
    write_weights(run.final)
    assert weights_to_use(run, training) == run.best
    ended = RunStatus(RunState.DONE, comparison=comparison, best_is_start=True)
    assert weights_to_use(run, ended) == run.final
    page.show_title("run (final)")
    page.show_status(ended, has_weights=True, is_final=True)
    assert page.use.isEnabled() and page.use.text() == "Use the final weights anyway"
    assert page.use.toolTip() == (
        "Use run (final) in the Segment dock. No validation shows whether they are better or worse "
        "than the starting weights."
    )
    assert page.verdict == (
        "Not known whether it improved: mean Dice 0.997 → 0.996 on 1 case, after epoch 3. The "
        "validation mask is a corrected result of the starting weights: this Dice favours the "
        "starting weights. A validation on masks that people drew would show whether it improved."
    )
    run.final.unlink()
    assert weights_to_use(run, ended) == run.best
    page.show_status(ended, has_weights=True)
    assert not page.use.isEnabled() and page.use.text() == "Use these weights"
    drawn = RunComparison(score(0, 0.997), score(3, 0.996))
    write_weights(run.final)
    assert weights_to_use(run, RunStatus(RunState.DONE, comparison=drawn)) == run.best


def test_the_verdict_says_whether_the_new_weights_are_better(qtbot):
    page = ResultPage()
    qtbot.addWidget(page)
    assert not page.use.isEnabled()
    better = RunStatus(RunState.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.6)))
    page.show_status(better, has_weights=True)
    assert page.verdict.startswith("Improved") and "this may be chance" in page.verdict
    assert page.table.item(0, 1).text() == "0.50→0.60"
    worse = RunStatus(RunState.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.4)))
    page.show_status(worse, has_weights=True)
    assert page.verdict.startswith("Not improved") and not page.use.isEnabled()
    same = RunStatus(RunState.DONE, comparison=RunComparison(score(0, 0.5), score(3, 0.5)))
    page.show_status(same, has_weights=True)
    assert "The best weights of this run are the starting weights." in page.verdict
    assert not page.use.isEnabled()
    start = RunStatus(RunState.STOPPED, training=("a",), validation=("v",), best_is_start=True)
    page.show_status(start, has_weights=True)
    assert page.verdict.startswith("This run ended before the first validation of new weights")
    assert not page.use.isEnabled() and "that it started from" in page.use.toolTip()
    page.show_status(RunStatus(RunState.FAILED, training=("a",)), has_weights=False)
    assert not page.use.isEnabled() and page.use.toolTip() == "This run has saved no weights yet"
    page.show_status(RunStatus(RunState.RUNNING, training=("a",)), has_weights=True)
    assert page.use.isEnabled() and "better ones may take their place" in page.use.toolTip()
    page.show_status(RunStatus(RunState.DONE, training=("a",)), has_weights=True)
    assert "no validation cases" in page.verdict
    assert page.table.rowCount() == 0
