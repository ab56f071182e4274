"""Validation during a run: score the network on whole volumes, and keep the best and the last."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from smalltumor.errors import TrainingError
from smalltumor.models.card import BY_CASE, selected_on
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.training.architecture import Architecture
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.training_case import TrainingCase
from smalltumor.training.loop.validation_scores import mean_scores, score_cases
from smalltumor.training.optimisation.learner import Learner
from smalltumor.training.runs.events import Event
from smalltumor.training.runs.run_context import RunContext


class Validator:
    """Scores networks on the validation cases and writes the best and the last to the run folder.

    Parameters
    ----------
    config : TrainingConfig
    cases : sequence of TrainingCase
        Without any, the newest network counts as the best.
    context : RunContext
        Process 0 validates; the others wait for the result.
    architecture : Architecture
        Of the networks.
    card : dict
        Facts for the model card of the networks that are written.

    Attributes
    ----------
    is_scoring : bool
        Whether whole volumes are being segmented, which takes more memory than a step.
    """

    def __init__(
        self,
        config: TrainingConfig,
        cases: Iterable[TrainingCase],
        context: RunContext,
        architecture: Architecture,
        card: dict[str, Any],
    ) -> None:
        self._config, self._cases, self._context = config, tuple(cases), context
        self._run, self._processes = context.run, context.processes
        self._architecture, self._card = architecture, card
        self.is_scoring = False

    def check_comparable(self) -> None:
        """Check that the cases are those of the last validation, with the same images and masks.

        Raises
        ------
        TrainingError
            If one has changed: a better score would not mean a better network.
        """
        for event in self._last_event():
            before = [scores["case"] for scores in event["by_case"]]
            if before != self._names:
                continue
            digests = zip(
                self._names, event.get("digests", self._digests), self._digests, strict=True
            )
            changed = [name for name, earlier, digest in digests if earlier != digest]
            if changed:
                raise TrainingError(
                    f"{', '.join(changed)}: the mask or the images of this validation case have "
                    "changed since the run was validated on it, so later scores would not be "
                    "comparable with earlier ones; start a new run from the best weights"
                )

    @property
    def recorded_seconds(self) -> float | None:
        """Time of the last validation that an earlier process recorded; None if there is none."""
        return next((event.get("seconds") for event in self._last_event()), None)

    def score_initial(self, initial: Checkpoint | None, learner: Learner) -> bool:
        """Score the weights that the run starts from; they are the best until others exceed them.

        Returns
        -------
        bool
            False if the run starts from random weights, or has been validated before, so that
            nothing was done.
        """
        validated = any(event["event"] == "validation" for event in self._run.read_events())
        if initial is None or learner.progress.step or validated or not self._cases:
            return False
        if self._processes.is_main:
            self._context.log("scoring the starting weights on the validation cases")
            network = initial.network.to(self._processes.device)
            scores = self._score(network, learner.progress.step, epoch=0)
            learner.progress.best_score = scores["validation"]["score"]
            names = sorted({*selected_on(initial.card), *self._names})
            facts = {"scores": scores, "selected_on": names}
            self._write(self._run.best, network, initial.card | facts)
        return True

    def validate(self, learner: Learner, volumes: Iterable[Tensor], epoch: int) -> None:
        """Score the averaged network, and write it if it is the best so far or the last.

        Parameters
        ----------
        learner : Learner
            Its `TrainingProgress` gets the new best score and the number of validations since.
        volumes : iterable of (1, channel, i, j, k) tensor
            Whole volumes for the batch-norm statistics.
        epoch : int
        """
        progress = learner.progress
        progress.validation_due = True
        if self._processes.is_main:
            network = learner.averaged_network(volumes)
            card = self._card | self._name(epoch) | {"epochs": epoch, "steps": progress.step}
            score = None
            if self._cases:
                card["scores"] = self._score(network, progress.step, epoch)
                score = card["scores"]["validation"]["score"]
            if score is None or score > progress.best_score:
                progress.best_score = -1.0 if score is None else score
                progress.validations_since_best = 0
                self._write(self._run.best, network, card | {"selected_on": self._names})
            else:
                progress.validations_since_best += 1
            is_last = learner.budget.is_spent(progress)
            if is_last or 0 < self._config.patience <= progress.validations_since_best:
                # Patience chooses the end, and with it the final network, by the scores.
                names = self._names if self._config.patience else []
                self._write(self._run.final, network, card | {"selected_on": names})
        progress.validations_since_best = self._processes.broadcast_count(
            progress.validations_since_best
        )
        progress.validation_due = False

    def _last_event(self) -> Iterable[Event]:
        """The event of the last validation, if there is one."""
        events = (event for event in self._run.read_events() if event["event"] == "validation")
        return deque(events, maxlen=1)

    @property
    def _names(self) -> list[str]:
        """Names of the validation cases."""
        return [case.name for case in self._cases]

    def _name(self, epoch: int) -> dict[str, str]:
        """The entry of the card that tells the networks of a run apart; empty if it has a name.

        A run that is resumed replaces its best network: masks of both name the one that made them.
        """
        run = self._run.path.resolve().name
        return {"name": f"{run} (epoch {epoch})"} if self._card.get("name") == run else {}

    @cached_property
    def _digests(self) -> list[str]:
        """Digests of images and masks of the validation cases."""
        return [_digest(case) for case in self._cases]

    def _score(self, network: nn.Module, step: int, epoch: int) -> dict[str, Any]:
        self.is_scoring = True
        started = time.monotonic()
        predict = self._architecture.predictor(network, self._processes.device)
        scores = score_cases(predict, self._cases)
        seconds = round(time.monotonic() - started, 1)
        self.is_scoring = False
        means = mean_scores(scores)
        found = {"by_case": scores, "digests": self._digests}
        self._run.append("validation", step, epoch=epoch, seconds=seconds, **means, **found)
        regions = "  ".join(f"{region} {means[region]:.3f}" for region in ("et", "tc", "wt"))
        self._context.log(f"validation  {regions}")
        return {"validation": means, BY_CASE: scores}

    def _write(self, path: Path, network: nn.Module, card: dict[str, Any]) -> None:
        self._architecture.save(path, network, self._config.preprocessing, card)


def _digest(case: TrainingCase) -> str:
    """A digest of what is scored of a prepared case."""
    digest = hashlib.sha256()
    for part in (case.image, case.classes):
        digest.update(str(tuple(part.shape)).encode())
        digest.update(part.cpu().contiguous().numpy().data)
    return digest.hexdigest()[:16]
