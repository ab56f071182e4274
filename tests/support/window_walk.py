"""Random steps of a user in a window with several patients.

The steps do not wait: networks, searches and files that are read end while other steps are done,
and dialogs and menus are answered by chance after some time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from qtpy.QtCore import QTimer
from window_answers import WindowAnswers
from window_calls import CalledSteps
from window_checks import MAX_WAIT_MS, WindowChecks
from window_comparing import ComparisonSteps
from window_input import InputSteps
from window_layer_actions import LayerActionSteps
from window_strokes import StrokeSteps


@dataclass(frozen=True)
class Step:
    """What a user may do.

    Parameters
    ----------
    weight : int
        How often, compared with other steps.
    do : callable
        Does it, and returns what it did.
    edits : bool
        Whether it may change the data of the active patient.
    """

    weight: int
    do: Callable[[], str]
    edits: bool = False


class WindowWalk:
    """A user who does anything in a window.

    Parameters
    ----------
    checks : WindowChecks
        Of the window.
    masks, scans : list of Path
        What patients are compared with, see `ComparisonSteps`.
    chance : Random
    """

    def __init__(
        self, checks: WindowChecks, masks: list[Path], scans: list[Path], chance: Random
    ) -> None:
        self.checks, self.chance, self.qtbot = checks, chance, checks.qtbot
        # Of its own chance: how often it looks depends on the machine, and the steps do not.
        self._answers = WindowAnswers(checks, Random(chance.getrandbits(32)))
        self._calls = calls = CalledSteps(checks, chance)
        self._by_hand = by_hand = InputSteps(checks, chance)
        brush = StrokeSteps(checks, chance)
        comparing = ComparisonSteps(checks, masks, scans, chance)
        self._switches = [calls.switch, calls.close, calls.review_a_case, calls.remove_all]
        self._switches += [calls.open, calls.open_again, by_hand.click_eye, by_hand.click_button]
        self._choices = [
            Step(3, calls.open),
            Step(5, calls.switch),
            Step(4, calls.segment),
            Step(1, calls.cancel),
            Step(4, calls.paint, edits=True),
            Step(8, brush.paint, edits=True),
            Step(2, calls.undo, edits=True),
            Step(3, calls.save),
            Step(3, calls.write),
            Step(2, calls.close),
            Step(1, calls.remove_all),
            Step(1, calls.remove_one),
            Step(1, calls.restore),
            Step(1, calls.open_again),
            Step(5, calls.review, edits=True),
            Step(1, calls.show_a_hidden_layer),
            Step(1, calls.duplicate),
            Step(1, calls.show_all),
            Step(3, calls.review_a_case),
            Step(3, LayerActionSteps(checks, chance).act),
            Step(4, comparing.compare),
            Step(4, comparing.follow_up),
            Step(1, calls.wait),
            Step(12, by_hand.press_viewing_keys),
            Step(8, by_hand.press_keys, edits=True),
            Step(8, self._press_too_soon, edits=True),
            Step(5, by_hand.open_menu, edits=True),
            Step(3, by_hand.click_eye),
            Step(3, by_hand.click_layer),
            Step(2, by_hand.drag_layers),
            Step(4, by_hand.click_button, edits=True),
        ]

    def go(self, count: int) -> None:
        """Do and print steps, and look after each; wait for all work now and then."""
        for folder in self.checks.folders[:2]:
            print(self._calls.open_folder(folder))
            self.checks.settle()
        weights = [step.weight for step in self._choices]
        for number in range(count):
            (step,) = self.chance.choices(self._choices, weights)
            answered = self._answers.count
            self._do(step)
            self.qtbot.wait(self.chance.choice([0, 0, 20, MAX_WAIT_MS]))
            self._by_hand.activate()
            may_edit = step.edits or self._answers.count > answered
            self.checks.check(may_edit=may_edit)
            if number % 5 == 4:
                answered = self._answers.count
                self.checks.settle()
                # A patient that was opened in the last step may ask whether to restore edits.
                self.checks.check_settled(may_edit=self._answers.count > answered)

    def _do(self, step: Step) -> None:
        """Do a step in the event loop, as what a user does; it waits for dialogs."""
        done: list[str] = []
        QTimer.singleShot(0, lambda: done.append(step.do()))
        self.qtbot.waitUntil(lambda: bool(done or self.checks.raised))
        print(*done, flush=True)

    def _press_too_soon(self) -> str:
        """Press keys before the patient is shown that was made active."""
        switch = self.chance.choice(self._switches)
        return f"{switch()}, and {self._by_hand.press_editing_keys()}"

    def end(self) -> None:
        """Answer no more dialogs."""
        self._answers.end()
