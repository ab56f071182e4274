"""The training loop: steps, epochs, validation, and saving."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import Any

from torch import Tensor

from smalltumor.errors import TrainingError, TrainingMemoryError
from smalltumor.inference.memory_errors import is_out_of_memory
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.training.architecture import Architecture, MultiTaskArchitecture
from smalltumor.training.config import TrainingConfig, steps_per_epoch
from smalltumor.training.data.dataloader import Batch, batches
from smalltumor.training.data.training_case import TrainingCases
from smalltumor.training.data.whole_volumes import whole_volumes
from smalltumor.training.loop.device_errors import device_error, memory_error
from smalltumor.training.loop.memory import is_device_failure, peak_memory
from smalltumor.training.loop.stopping import StepAborted, StopListener, abortable
from smalltumor.training.loop.throughput import Throughput
from smalltumor.training.loop.validator import Validator
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.distributed import Processes
from smalltumor.training.optimisation.learner import Learner
from smalltumor.training.runs.run_context import RunContext


class Trainer:
    """One run, in this process.

    Parameters
    ----------
    config : TrainingConfig
    cases : TrainingCases
    context : RunContext
    card : dict
        Facts for the model card of the networks that are written.
    initial : Checkpoint, optional
        Weights to start from; they are validated first, for comparison.
    architecture : Architecture, optional
        By default the multi-task network of the configured size.
    stop : StopListener, optional
        Asked after every step, and within steps where one process trains alone on a CPU, where
        steps are long, without ``torch.compile``, which hooks would break up. By default that of
        the run folder.
    epoch_steps : int, optional
        Steps in an epoch, by default as many as draw the configured crops of every case. A resumed
        run keeps its number, though batch or cases may have changed.
    """

    def __init__(
        self,
        config: TrainingConfig,
        cases: TrainingCases,
        context: RunContext,
        card: dict[str, Any],
        *,
        initial: Checkpoint | None = None,
        architecture: Architecture | None = None,
        stop: StopListener | None = None,
        epoch_steps: int | None = None,
    ) -> None:
        processes = context.processes
        if config.batch_size % processes.count:
            raise TrainingError(
                f"a batch of {config.batch_size} cannot be shared by {processes.count} processes"
            )
        self.config, self.cases, self.context, self.processes = config, cases, context, processes
        self.initial = initial
        self.stop = stop or StopListener(context.run)
        self.can_abort = (
            processes.count == 1 and processes.device.type == "cpu" and not config.compile
        )
        self.epoch_steps = epoch_steps or steps_per_epoch(config, len(cases.training))
        self.budget = Budget(config, self.epoch_steps)
        architecture = architecture or MultiTaskArchitecture(config.network)
        self.learner = Learner(config, architecture, self.budget, processes, initial)
        self.throughput = Throughput(config, self.budget, has_validation=bool(cases.validation))
        self._saved_at = self._started = self._idle_since = time.monotonic()
        self.validator = Validator(config, cases.validation, context, architecture, card)

    def resume(self) -> None:
        """Resume from the run folder's state, if it has one.

        Raises
        ------
        TrainingError
            As `Validator.check_comparable`.
        """
        reached = -1
        if self.context.run.has(self.context.run.last):
            self.learner.load(self.context.run.last)
            reached = self.learner.progress.step
        if self.processes.is_main:
            kept = self.context.run.keep_best_after(reached)
            if kept is not None:
                self.context.log(
                    f"the run repeats from step {max(reached, 0)}, because no later state was "
                    f"saved; the best network so far is kept as {kept.name}"
                )
            self.context.run.discard_after(reached)
            self.validator.check_comparable()
            seconds = self.validator.recorded_seconds
            if seconds is not None:
                self.throughput.add_validation(seconds)

    def train(self) -> bool:
        """Train until the last epoch, a stop, or early stopping.

        Returns
        -------
        bool
            False if it was stopped and can be resumed.

        Raises
        ------
        TrainingError
            If the loss is no longer finite, or the device failed; the last saved state is kept.
        TrainingMemoryError
            If there is not enough memory; the state of the last finished step is saved.
        OutputError
            If the run folder cannot be written; the last saved state is kept.
        """
        try:
            with abortable(self.stop.abort_step) if self.can_abort else nullcontext():
                finished = self._train()
        except StepAborted:
            finished = False
        except (MemoryError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise self._memory_error() from error
            if is_device_failure(error):
                raise device_error(self.processes.device, error) from error
            raise
        self._save()
        if finished:
            self._append("done", score=self.learner.progress.best_score)
        return finished

    def _train(self) -> bool:
        learner, progress = self.learner, self.learner.progress
        self._idle_since = time.monotonic()
        self._started = self._idle_since - progress.elapsed
        learner.set_mode()
        self._score_initial()
        if progress.validation_due:  # a stop aborted the last validation
            self._validate(-(-progress.step // self.epoch_steps))
        losses: list[dict[str, float]] = []
        for batch in self._stream():
            self._freeze_if_due()
            losses.append(self._step(batch))
            if progress.step % self.epoch_steps == 0 or self.budget.is_spent(progress):
                self._end_epoch(losses)
                losses = []
            if self.processes.any(self.stop()):
                return False
            if self.budget.is_spent(progress):
                return True
            if 0 < self.config.patience <= progress.validations_since_best:
                self.context.log("stopping early: the score did not improve")
                return True
            if time.monotonic() - self._saved_at >= self.context.save_seconds:
                self._save()
        return True

    def _score_initial(self) -> None:
        started = time.monotonic()
        if self.validator.score_initial(self.initial, self.learner):
            self.throughput.add_validation(time.monotonic() - started)

    def _stream(self) -> Iterator[Batch]:
        share = self.config.batch_size // self.processes.count
        first = self.processes.rank * share
        return batches(
            self.cases.training,
            self.config,
            self._steps_to_come(),
            slice(first, first + share),
            _crop_threads(self.processes, self.cases),
            self.processes.device,
        )

    def _steps_to_come(self) -> Iterable[int]:
        progress = self.learner.progress
        if self.budget.is_spent(progress):
            return ()
        if self.budget.is_time:
            return itertools.count(progress.step)
        return range(progress.step, self.budget.steps(progress))

    def _step(self, batch: Batch) -> dict[str, float]:
        started, progress = time.monotonic(), self.learner.progress
        parts = self.learner.step(batch)
        ended = time.monotonic()
        progress.seconds += ended - started
        self.throughput.add_step(ended - started, ended - self._idle_since)
        self._idle_since = ended
        self._measure_elapsed()
        if self.throughput.is_due():
            memory = peak_memory(self.processes.device)
            self._append("progress", **self.throughput.facts(progress), peak_memory=memory)
        return parts

    def _measure_elapsed(self) -> None:
        """Time of the whole run; that of process 0, so that all end at the same step."""
        milliseconds = round(1000 * (time.monotonic() - self._started))
        self.learner.progress.elapsed = self.processes.broadcast_count(milliseconds) / 1000

    def _freeze_if_due(self) -> None:
        progress, config = self.learner.progress, self.config
        if progress.frozen or self.budget.share_done(progress) < config.freeze_norms_at:
            return
        self.context.log("adjusting the network to whole brains (batch-norm statistics)")
        volumes = self._volumes_for_statistics() if config.freeze_norms_at > 0 else ()
        self.learner.freeze_batch_norm(volumes)
        self._append("freeze")

    def _volumes_for_statistics(self) -> Iterator[Tensor]:
        """Whole volumes of evenly spaced training cases, for the batch-norm statistics."""
        cases, count = self.cases.training, self.config.batch_norm_cases
        chosen = cases[:: max(1, len(cases) // count)][:count]
        return whole_volumes(chosen, self.processes.device)

    def _end_epoch(self, losses: list[dict[str, float]]) -> None:
        progress, config = self.learner.progress, self.config
        epoch, epochs = -(-progress.step // self.epoch_steps), self.budget.epochs(progress)
        means = {n: round(v, 5) for n, v in self.processes.mean(_means(losses)).items()}
        validates = epoch % config.validation_interval == 0 or self.budget.is_spent(progress)
        progress.validation_due = validates
        facts = self.throughput.facts(progress)
        weights = self.learner.loss_weights()
        self._append(
            "epoch",
            epoch=epoch,
            epochs=epochs,
            learning_rate=self.learner.optimiser.param_groups[0]["lr"],
            **facts,
            segmentation_weight=weights.segmentation,
            reconstruction_weight=weights.reconstruction if config.reconstruction else 0.0,
            peak_memory=peak_memory(self.processes.device),
            **means,
        )
        left = facts["seconds_left"]
        self.context.log(
            f"epoch {epoch}/{epochs}  loss {means['loss']:.4f}  "
            f"{progress.seconds / progress.step:.2f} s/step"
            + ("" if left is None else f"  {left // 60} min left")
        )
        if validates:
            self._validate(epoch)
            self._save()

    def _validate(self, epoch: int) -> None:
        started = time.monotonic()
        self.validator.validate(self.learner, self._volumes_for_statistics(), epoch)
        self._idle_since = time.monotonic()
        self.throughput.add_validation(self._idle_since - started)

    def _save(self) -> None:
        if self.processes.is_main:
            self.learner.save(self.context.run.last)
        self._saved_at = self._idle_since = time.monotonic()

    def _append(self, event: str, **values: Any) -> None:
        self.context.append(event, self.learner.progress.step, **values)

    def _memory_error(self) -> TrainingMemoryError:
        """Save the state of the last finished step, and say what fits."""
        if self.learner.is_consistent:
            with suppress(MemoryError):
                self._save()
        return memory_error(
            self.config,
            self.processes,
            self.learner.progress.step,
            is_validating=self.validator.is_scoring,
        )


def _means(losses: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each part over the steps in which it was computed."""
    names = dict.fromkeys(name for parts in losses for name in parts)
    values = {name: [parts[name] for parts in losses if name in parts] for name in names}
    return {name: sum(v) / len(v) for name, v in values.items()}


def _crop_threads(processes: Processes, cases: TrainingCases) -> int:
    """Threads that prepare crops: several where they are drawn on the CPU for a GPU."""
    if processes.device.type == "cpu" or cases.training[0].image.is_cuda:
        return 1
    return max(1, min(8, (os.cpu_count() or 1) // processes.count - 1))
