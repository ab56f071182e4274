"""The training loop: epochs, validation, and what is written when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from smalltumor.checkpoint import Checkpoint, save_checkpoint
from smalltumor.dataset import PreparedCase
from smalltumor.errors import TrainingError
from smalltumor.network import SegmentationNetwork
from smalltumor.training.batches import batches, steps_per_epoch
from smalltumor.training.config import TrainingConfig
from smalltumor.training.learner import Learner
from smalltumor.training.processes import Processes
from smalltumor.training.run_folder import RunFolder
from smalltumor.training.schedule import learning_rate
from smalltumor.training.validation import score_cases, summary, whole_volumes

Report = Callable[[str], None]


@dataclass(frozen=True)
class TrainingCases:
    """What is learnt from and what is not.

    Parameters
    ----------
    training, validation : sequence of PreparedCase
        Without cases to validate on, the newest average counts as best.
    """

    training: Sequence[PreparedCase]
    validation: Sequence[PreparedCase] = ()


class Trainer:
    """One run, in this process.

    Parameters
    ----------
    config : TrainingConfig
    cases : TrainingCases
    run : RunFolder
    processes : Processes
    card : dict
        Facts for the model card of the networks written.
    start : Checkpoint, optional
        Weights to start from.
    report : callable
        Takes one line for a person.
    stop : callable
        Whether to save and leave after this step.
    threads : int
        Threads that prepare crops.
    save_seconds : float
        Least time between two states written.
    """

    def __init__(
        self,
        config: TrainingConfig,
        cases: TrainingCases,
        run: RunFolder,
        processes: Processes,
        card: dict[str, Any],
        *,
        start: Checkpoint | None = None,
        report: Report = print,
        stop: Callable[[], bool] = lambda: False,
        threads: int = 1,
        save_seconds: float = 60.0,
    ) -> None:
        if config.batch % processes.count:
            raise TrainingError(
                f"a batch of {config.batch} cannot be shared by {processes.count} processes"
            )
        self.config, self.cases, self.run, self.processes = config, cases, run, processes
        self.card, self.report, self.stop = card, report, stop
        self.threads, self.save_seconds = threads, save_seconds
        self.epoch_steps = steps_per_epoch(config, len(cases.training))
        self.steps = config.epochs * self.epoch_steps
        self.learner = Learner(config, self.steps, self.epoch_steps, processes, start)
        self._saved_at = time.monotonic()

    def resume(self) -> None:
        """Go on from the run folder's state, if it has one."""
        if self.run.last.is_file():
            self.learner.load(self.run.last)
        if self.processes.writes:
            self.run.forget_after(self.learner.progress.step)

    def train(self) -> bool:
        """Train until the last epoch, a stop, or no more gain.

        Returns
        -------
        bool
            False if it was stopped and can be resumed.

        Raises
        ------
        TrainingError
            If the loss is no longer finite; what was saved before stays.
        OutputError
            If the run folder cannot be written; what was saved before stays.
        """
        learner = self.learner
        learner.set_mode()
        losses: list[dict[str, float]] = []
        for batch in self._stream():
            self._freeze_if_due()
            started = time.monotonic()
            losses.append(learner.step(batch))
            learner.progress.seconds += time.monotonic() - started
            if learner.progress.step % self.epoch_steps == 0:
                self._end_epoch(losses)
                losses = []
            if self.processes.any(self.stop()):
                self._save()
                self._append("stop")
                return False
            if 0 < self.config.patience <= learner.progress.stale:
                self.report("no better score for a while: stopping early")
                break
        self._save()
        self._append("done", score=learner.progress.best_score)
        return True

    def _stream(self) -> Iterator[Any]:
        share = self.config.batch // self.processes.count
        first = self.processes.rank * share
        return batches(
            self.cases.training,
            self.config,
            range(self.learner.progress.step, self.steps),
            slice(first, first + share),
            self.threads,
        )

    def _freeze_if_due(self) -> None:
        progress, config = self.learner.progress, self.config
        if progress.frozen or progress.step < config.freeze_norms_at * self.steps:
            return
        self.report("freezing the norm statistics")
        self.learner.freeze_norms(self._brains() if config.freeze_norms_at > 0 else ())
        self._append("freeze")

    def _brains(self) -> Iterator[Tensor]:
        """Whole volumes for norm statistics, spread over the training cases."""
        cases, count = self.cases.training, self.config.norm_cases
        chosen = cases[:: max(1, len(cases) // count)][:count]
        return whole_volumes(chosen, self.processes.device)

    def _end_epoch(self, losses: list[dict[str, float]]) -> None:
        progress, config = self.learner.progress, self.config
        epoch = progress.step // self.epoch_steps
        means = {n: round(v, 5) for n, v in self.processes.mean(_means(losses)).items()}
        pace = progress.seconds / progress.step
        left = round(pace * (self.steps - progress.step))
        self._append(
            "epoch",
            epoch=epoch,
            epochs=config.epochs,
            rate=learning_rate(config, progress.step - 1, self.steps),
            seconds=round(progress.seconds, 1),
            seconds_left=left,
            **means,
        )
        self.report(
            f"epoch {epoch}/{config.epochs}  loss {means['loss']:.4f}  "
            f"{pace:.2f} s/step  {left // 60} min left"
        )
        validate = epoch % config.validate_every == 0 or progress.step >= self.steps
        if validate:
            self._validate(epoch)
        if validate or time.monotonic() - self._saved_at >= self.save_seconds:
            self._save()

    def _validate(self, epoch: int) -> None:
        """Judge the averaged network in process 0, and keep it if it is the best so far."""
        progress = self.learner.progress
        if self.processes.writes:
            network = self.learner.averaged_network(self._brains())
            score = self._score(network, epoch) if self.cases.validation else None
            if score is None or score > progress.best_score:
                progress.best_score = -1.0 if score is None else score
                progress.stale = 0
                self._export(network, epoch)
            else:
                progress.stale += 1
        if self.processes.count > 1:
            stale = torch.tensor([progress.stale], device=self.processes.device)
            torch.distributed.broadcast(stale, src=0)
            progress.stale = int(stale.item())

    def _score(self, network: SegmentationNetwork, epoch: int) -> float:
        scores = score_cases(network, self.cases.validation, self.processes.device)
        means = summary(scores)
        self._append("validation", epoch=epoch, **means, by_case=scores)
        regions = "  ".join(f"{region} {means[region]:.3f}" for region in ("et", "tc", "wt"))
        self.report(f"validation  {regions}")
        self.card["scores"] = {"validation": means, "by_case": scores}
        return float(means["score"])

    def _export(self, network: SegmentationNetwork, epoch: int) -> None:
        card = self.card | {"epochs": epoch, "steps": self.learner.progress.step}
        save_checkpoint(self.run.best, network, self.config.preprocessing, card, overwrite=True)

    def _save(self) -> None:
        if self.processes.writes:
            self.learner.save(self.run.last)
        self._saved_at = time.monotonic()

    def _append(self, event: str, **values: Any) -> None:
        if self.processes.writes:
            self.run.append(event, self.learner.progress.step, **values)


def _means(losses: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each part over the steps in which it was computed."""
    names = dict.fromkeys(name for parts in losses for name in parts)
    values = {name: [parts[name] for parts in losses if name in parts] for name in names}
    return {name: sum(v) / len(v) for name, v in values.items()}
