"""What learns: network, optimiser and the moving average of the weights; one step at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from smalltumor.errors import TrainingError
from smalltumor.models.checkpoint import Checkpoint
from smalltumor.models.network import MultiTaskNetwork, MultiTaskOutput, SegmentationNetwork
from smalltumor.training.amp import MixedPrecision
from smalltumor.training.batch_norm import estimate_statistics, freeze_statistics
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.dataloader import Batch
from smalltumor.training.distributed import Processes
from smalltumor.training.learning_rate import learning_rate
from smalltumor.training.losses import LossWeights, paper_weights, training_loss
from smalltumor.training.state import Progress, load_state, save_state


class _Trainee(nn.Module):
    """The network's training outputs as a ``forward``, which is what DDP wraps."""

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
    steps : int
        Of the whole run.
    epoch_steps : int
        Of one epoch.
    processes : Processes
    start : Checkpoint, optional
        Weights to start from.

    Attributes
    ----------
    network : nn.Module
        The multi-task network.
    average : dict of str to tensor
        Moving average of its parameters.
    progress : Progress
    is_whole : bool
        False if an update of the weights was broken off: such a state is not to be saved.
    """

    def __init__(
        self,
        config: TrainingConfig,
        steps: int,
        epoch_steps: int,
        processes: Processes,
        start: Checkpoint | None = None,
    ) -> None:
        self.config, self.steps, self.epoch_steps = config, steps, epoch_steps
        self.processes, self.device = processes, processes.device
        self.progress, self.is_whole = Progress(), True
        torch.manual_seed(config.seed)
        network = MultiTaskNetwork(config.network)
        if start is not None:
            network.load_state_dict(start.network.state_dict(), strict=False)
        if config.freeze_encoder:
            for part in (network.stem, network.encoder1, network.encoder2, network.encoder3):
                part.requires_grad_(False)
        _place(network, self.device)
        self.network = processes.share_norms(network)
        self.trainee = processes.wrap(_Trainee(self.network), config.reconstruction_every > 1)
        self.optimiser = _optimiser(config, self.network)
        self.average = {n: p.detach().clone() for n, p in self.network.named_parameters()}
        self.precision = MixedPrecision.of(self.device)

    def save(self, path: Path) -> None:
        """Write everything `load` needs."""
        self.progress.scaler = self.precision.scaler.state_dict()
        save_state(path, self.network, self.average, self.optimiser, self.progress)

    def load(self, path: Path) -> None:
        """Go on from a saved state.

        Raises
        ------
        TrainingError
            If the file is damaged or of another network.
        """
        self.progress = load_state(path, self.network, self.average, self.optimiser)
        if self.progress.scaler:
            self.precision.scaler.load_state_dict(self.progress.scaler)

    def set_mode(self) -> None:
        """Training mode, with the norms frozen if they should be.

        The U-modules' norms never are: inference does not run them.
        """
        self.network.train()
        if self.progress.frozen:
            for name, part in self.network.named_children():
                if not name.startswith("rebuild"):
                    freeze_statistics(part)

    def step(self, batch: Batch) -> dict[str, float]:
        """Learn from one batch.

        Parameters
        ----------
        batch : Batch

        Returns
        -------
        dict
            ``loss``, its unweighted parts, and the root mean square of the stem's features
            (``stem_rms``), which a reconstruction loss that reaches them would shrink.

        Raises
        ------
        TrainingError
            If loss or gradient are not finite. As after any other exception on the way to the
            gradient, the network is left as it was.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config, self.progress.step, self.steps)
        statistics = [value.clone() for value in self.network.buffers()]
        try:
            parts = self._find_gradient(batch)
        except BaseException:
            self.optimiser.zero_grad(set_to_none=True)
            for value, before in zip(self.network.buffers(), statistics, strict=True):
                value.copy_(before)
            raise
        self.is_whole = False
        if self.precision.step(self.optimiser):
            self._update_average()
        self.progress.step += 1
        self.is_whole = True
        return parts

    def _find_gradient(self, batch: Batch) -> dict[str, float]:
        config, step = self.config, self.progress.step
        image = batch.image.to(self.device, memory_format=torch.channels_last_3d)
        classes = batch.classes.to(self.device)
        rebuild = config.reconstruction and step % config.reconstruction_every == 0
        with self.precision.passes():
            output = self.trainee(image, rebuild)
        loss, parts = training_loss(
            output,
            classes,
            self._repaid_weights(),
            config.loss,
            detach=config.detach,
            total=self.processes.total,
        )
        self.optimiser.zero_grad(set_to_none=True)
        self.precision.backward(loss)
        norm = self.precision.clip(
            self.network, self.optimiser, config.max_gradient_norm or math.inf
        )
        excused = self.precision.may_overflow
        if not torch.isfinite(loss.detach()) or not (excused or torch.isfinite(norm)):
            raise TrainingError(
                f"the loss is no longer finite at step {step} (cases {', '.join(batch.names)}); "
                "try a lower rate"
            )
        if output.targets:
            stem = output.targets[0].detach().float()
            parts["stem_rms"] = float(stem.square().mean().sqrt())
        return {"loss": float(loss.detach()), **parts}

    def loss_weights(self) -> LossWeights:
        """Weights of the two tasks at this step."""
        if self.config.reconstruction_weight is not None:
            return LossWeights(1.0, self.config.reconstruction_weight)
        return paper_weights(self.progress.step // self.epoch_steps)

    def _repaid_weights(self) -> LossWeights:
        """With that of the reconstruction made up for the steps that leave it out."""
        weights = self.loss_weights()
        repaid = weights.reconstruction * self.config.reconstruction_every
        return replace(weights, reconstruction=repaid)

    @torch.no_grad()
    def _update_average(self) -> None:
        # The first steps count less, or the start would be remembered for long.
        step = self.progress.step
        decay = min(self.config.ema_decay, (1 + step) / (10 + step))
        for name, parameter in self.network.named_parameters():
            self.average[name].lerp_(parameter.detach(), 1 - decay)

    @torch.no_grad()
    def freeze_norms(self, volumes: Iterable[Tensor]) -> None:
        """Go on from the averaged weights with the norm statistics of whole brains.

        Parameters
        ----------
        volumes : iterable of (1, channel, i, j, k) tensor
            Empty keeps the statistics the network has.
        """
        if self.processes.writes:
            averaged = self.averaged_network(volumes)
            self.network.load_state_dict(self.average, strict=False)
            self.network.load_state_dict(averaged.state_dict(), strict=False)
        self.processes.broadcast(self.network)
        for name, parameter in self.network.named_parameters():
            self.average[name].copy_(parameter)
        self.progress.frozen = True
        self.set_mode()

    def averaged_network(self, volumes: Iterable[Tensor]) -> SegmentationNetwork:
        """The network as it would be used: averaged weights, norm statistics of whole brains.

        Parameters
        ----------
        volumes : iterable of (1, channel, i, j, k) tensor
            Not looked at once the norms are frozen.
        """
        network = SegmentationNetwork(self.config.network)
        state = {n: v for n, v in self.network.state_dict().items() if "rebuild" not in n}
        if self.config.ema_decay:
            state.update({n: v for n, v in self.average.items() if n in state})
        network.load_state_dict(state)
        _place(network, self.device)
        if not self.progress.frozen:
            estimate_statistics(network, volumes)
        return network.eval()


def _place(network: nn.Module, device: torch.device) -> None:
    """Move a network, in the memory layout that convolutions are fastest in."""
    network.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]


def _optimiser(config: TrainingConfig, network: nn.Module) -> torch.optim.Optimizer:
    """Norms and scalars are not decayed."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimiser == "adam":
        return torch.optim.Adam(groups, lr=config.learning_rate, amsgrad=True)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99))
