"""A network in training: its weights, optimiser and moving average, one step at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from smalltumor.errors import TrainingError
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.models.network import MultiTaskOutput
from smalltumor.training.architecture import Architecture
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.dataloader import Batch
from smalltumor.training.optimisation.amp import MixedPrecision
from smalltumor.training.optimisation.batch_norm import estimate_statistics, freeze_statistics
from smalltumor.training.optimisation.budget import Budget
from smalltumor.training.optimisation.distributed import Processes
from smalltumor.training.optimisation.losses import LossWeights, paper_weights, training_loss
from smalltumor.training.optimisation.optimiser import (
    create_optimiser,
    ema_decay,
    learning_rate,
    update_average,
)
from smalltumor.training.optimisation.state import TrainingProgress, load_state, save_state

_ENCODER = ("stem", "encoder1", "encoder2", "encoder3")


class _TrainingForward(nn.Module):
    """The network's training outputs as a ``forward``, because DDP wraps only that."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, reconstruction: bool) -> MultiTaskOutput:
        outputs: MultiTaskOutput = self.network.outputs(  # type: ignore[operator]
            image, reconstruction=reconstruction
        )
        return outputs


class Learner:
    """A network in training.

    Parameters
    ----------
    config : TrainingConfig
    architecture : Architecture
    budget : Budget
    processes : Processes
    initial : Checkpoint, optional
        Weights to start from.

    Attributes
    ----------
    network : nn.Module
        The architecture's training network.
    average : dict of str to tensor
        Exponential moving average of its parameters, with the share of `initial`.
    initial : dict of str to tensor
        Parameters that the run started from; empty if they have no share in the average.
    progress : TrainingProgress
    is_consistent : bool
        False if an update of the weights was interrupted: such a state must not be saved.
    """

    def __init__(
        self,
        config: TrainingConfig,
        architecture: Architecture,
        budget: Budget,
        processes: Processes,
        initial: Checkpoint | None = None,
    ) -> None:
        self.config, self.architecture, self.budget = config, architecture, budget
        self.processes, self.device = processes, processes.device
        self.progress, self.is_consistent = TrainingProgress(), True
        torch.manual_seed(config.seed)
        network = architecture.training_network()
        if initial is not None:
            network.load_state_dict(initial.network.state_dict(), strict=False)
        if config.freeze_encoder:
            for part in _ENCODER:
                network.get_submodule(part).requires_grad_(False)
        _place(network, self.device)
        self.loss = training_loss
        if config.compile:
            network.compile_training()  # type: ignore[operator]
            # Its sums over several processes are collective calls, which a compiler may reorder.
            self.loss = training_loss if processes.count > 1 else torch.compile(training_loss)
        self.network = processes.share_batch_norm(network)
        self.training_forward = processes.wrap(
            _TrainingForward(self.network), config.reconstruction_every > 1
        )
        self.optimiser = create_optimiser(config, self.network)
        self.average = _parameters_of(self.network)
        self.initial = _parameters_of(self.network) if config.starting_weights_share else {}
        self.precision = MixedPrecision.of(self.device)

    def save(self, path: Path) -> None:
        """Write everything `load` needs."""
        self.progress.scaler = self.precision.scaler.state_dict()
        save_state(path, self.network, self.average, self.initial, self.optimiser, self.progress)

    def load(self, path: Path) -> None:
        """Restore a saved state.

        Raises
        ------
        TrainingError
            If the file is damaged or of another network.
        """
        self.progress = load_state(path, self.network, self.average, self.initial, self.optimiser)
        if self.progress.scaler:
            self.precision.scaler.load_state_dict(self.progress.scaler)

    def set_mode(self) -> None:
        """Training mode, with batch-norm statistics frozen if they should be.

        Those of the U-modules never are, because inference does not run them.
        """
        self.network.train()
        if self.progress.frozen:
            for name, part in self.network.named_children():
                if not name.startswith("u_module"):
                    freeze_statistics(part)

    def step(self, batch: Batch) -> dict[str, float]:
        """Train on one batch.

        Parameters
        ----------
        batch : Batch

        Returns
        -------
        dict
            ``loss``, its unweighted parts, and ``stem_rms``, the root mean square of the stem's
            features: a reconstruction loss whose gradient reached them would shrink them.

        Raises
        ------
        TrainingError
            If loss or gradient are not finite. After this and any other exception before the
            update, the network is as it was before the step.
        """
        for group in self.optimiser.param_groups:
            done = self.budget.share_done(self.progress)
            group["lr"] = learning_rate(self.config, self.progress.step, done)
        statistics = [value.clone() for value in self.network.buffers()]
        try:
            # Crops have one size, so that trying all algorithms for a convolution pays.
            with torch.backends.cudnn.flags(enabled=True, benchmark=True):
                parts = self._compute_gradient(batch)
        except BaseException:
            self.optimiser.zero_grad(set_to_none=True)
            for value, before in zip(self.network.buffers(), statistics, strict=True):
                value.copy_(before)
            raise
        self.is_consistent = False
        if self.precision.step(self.optimiser):
            decay = ema_decay(self.config, self.progress.step)
            share = self.config.starting_weights_share
            update_average(self.average, self.network, decay, self.initial, share)
        self.progress.step += 1
        self.is_consistent = True
        return parts

    def _compute_gradient(self, batch: Batch) -> dict[str, float]:
        config, step = self.config, self.progress.step
        image = batch.image.to(self.device, memory_format=torch.channels_last_3d)
        classes = batch.classes.to(self.device)
        reconstruct = config.reconstruction and step % config.reconstruction_every == 0
        with self.precision.passes():
            output = self.training_forward(image, reconstruct)
        loss, parts = self.loss(
            output,
            classes,
            self._step_weights(),
            config.loss,
            detach=config.detach,
            relative=config.relative_reconstruction,
            total=self.processes.total,
        )
        self.optimiser.zero_grad(set_to_none=True)
        self.precision.backward(loss)
        norm = self.precision.clip(
            self.network, self.optimiser, config.max_gradient_norm or math.inf
        )
        parts |= {"loss": loss.detach(), "norm": norm}
        if output.targets:
            stem = output.targets[0].detach().float()
            parts["stem_rms"] = stem.square().mean().sqrt()
        return self._finite_values(parts, batch)

    def _finite_values(self, parts: dict[str, Tensor], batch: Batch) -> dict[str, float]:
        """The parts of a loss as numbers; an error if it is no longer finite."""
        # All at once, because each waits until a GPU has finished.
        values = dict(zip(parts, torch.stack(list(parts.values())).tolist(), strict=True))
        norm_value = values.pop("norm")
        may_overflow = self.precision.may_overflow
        if not math.isfinite(values["loss"]) or not (may_overflow or math.isfinite(norm_value)):
            raise TrainingError(
                f"the loss is no longer finite at step {self.progress.step} (cases "
                f"{', '.join(batch.names)}); try a lower learning rate"
            )
        return values

    def loss_weights(self) -> LossWeights:
        """Weights of the two tasks at this step."""
        if self.config.reconstruction_weight is not None:
            return LossWeights(1.0, self.config.reconstruction_weight)
        return paper_weights(self.progress.step // self.budget.epoch_steps)

    def _step_weights(self) -> LossWeights:
        """Weights of this step: the reconstruction's also covers the steps that skip it."""
        weights = self.loss_weights()
        reconstruction = weights.reconstruction * self.config.reconstruction_every
        return replace(weights, reconstruction=reconstruction)

    @torch.no_grad()
    def freeze_batch_norm(self, volumes: Iterable[Tensor]) -> None:
        """Continue from the moving average of the weights, with statistics of whole brains.

        The share of the initial weights is in the averaged network alone.

        Parameters
        ----------
        volumes : iterable of (1, channel, i, j, k) tensor
            If empty, the network keeps its statistics.
        """
        if self.processes.is_main:
            averaged = self.averaged_network(volumes).state_dict()
            statistics = {n: v for n, v in averaged.items() if n not in self.average}
            self.network.load_state_dict({**self._moving_average(), **statistics}, strict=False)
        self.processes.broadcast(self.network)
        share = self.config.starting_weights_share
        for name, parameter in self.network.named_parameters():
            value = parameter.lerp(self.initial[name], share) if share else parameter
            self.average[name].copy_(value)
        self.progress.frozen = True
        self.set_mode()

    def _moving_average(self) -> dict[str, Tensor]:
        """The averaged weights without the share of the initial ones."""
        share = self.config.starting_weights_share
        if not share:
            return self.average
        initial = self.initial
        return {n: (v - share * initial[n]) / (1 - share) for n, v in self.average.items()}

    def averaged_network(self, volumes: Iterable[Tensor]) -> nn.Module:
        """The network for inference: averaged weights, batch-norm statistics of whole brains.

        Parameters
        ----------
        volumes : iterable of (1, channel, i, j, k) tensor
            Not used once the statistics are frozen.
        """
        network = self.architecture.inference_network()
        names = network.state_dict().keys()
        state = {n: v for n, v in self.network.state_dict().items() if n in names}
        if self.config.has_average:
            state.update({n: v for n, v in self.average.items() if n in state})
        network.load_state_dict(state)
        _place(network, self.device)
        if not self.progress.frozen:
            estimate_statistics(network, volumes)
        return network.eval()


def _parameters_of(network: nn.Module) -> dict[str, Tensor]:
    """A copy of each parameter."""
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def _place(network: nn.Module, device: torch.device) -> None:
    """Move a network, in the memory layout with the fastest convolutions."""
    network.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
