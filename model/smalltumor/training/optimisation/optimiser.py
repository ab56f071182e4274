"""Optimiser, learning rate and the moving average of the weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from smalltumor.training.config import TrainingConfig

_POLYNOMIAL_POWER = 0.9
_DECAY_SHARE = 0.3
_MIN_FACTOR = 0.02
"""Share of the run, at its end, in which the learning rate falls, and its lowest factor."""


def create_optimiser(config: TrainingConfig, network: nn.Module) -> torch.optim.Optimizer:
    """The configured optimiser; parameters of batch norms, and biases, have no weight decay."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    fused = trained[0].is_cuda or None  # one kernel for all parameters; None is torch's default
    if config.optimiser == "adam":
        return torch.optim.Adam(groups, lr=config.learning_rate, amsgrad=True, fused=fused)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99), fused=fused)


def learning_rate(config: TrainingConfig, step: int, done: float) -> float:
    """The learning rate of a step.

    ``r (1 - t)^0.9`` for the polynomial schedule, else ``r max(0.02, min(1, (1 - t) / 0.3))``,
    with t the share of the run that is done; both rise linearly over the warm-up steps.

    Parameters
    ----------
    config : TrainingConfig
    step : int
        From 0.
    done : float
        Share of the run before this step, from 0 to 1.
    """
    if config.schedule == "polynomial":
        factor: float = (1 - done) ** _POLYNOMIAL_POWER
    else:
        factor = max(_MIN_FACTOR, min(1.0, (1 - done) / _DECAY_SHARE))
    return config.learning_rate * factor * min(1.0, (step + 1) / max(1, config.warmup))


def ema_decay(config: TrainingConfig, step: int) -> float:
    """Decay of the moving average at a step.

    ``min(decay, (1 + step) / (10 + step))``, as TensorFlow's ExponentialMovingAverage: with the
    full decay the random weights of the start would count for long.
    """
    return min(config.ema_decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(
    average: dict[str, Tensor],
    network: nn.Module,
    decay: float,
    initial: Mapping[str, Tensor] | None = None,
    starting_weights_share: float = 0.0,
) -> None:
    """Move the average of each parameter towards its value, in place.

    With s the share of the initial weights w0 and m the moving average of the weights w, the
    average is ``s w0 + (1 - s) m``: the mean of a network and what was fine-tuned from it is more
    robust than either (Wortsman et al., CVPR 2022). Training itself does not change.

    By hand, because torch's AveragedModel would hold a second network with modules and buffers
    that nobody runs, and name its tensors otherwise than saved runs do.
    """
    parameters = dict(network.named_parameters())
    averages = [average[name] for name in parameters]
    values: list[Tensor] = list(parameters.values())
    if initial and starting_weights_share:
        values = [
            value.lerp(initial[name], starting_weights_share) for name, value in parameters.items()
        ]
    move = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    move(averages, values, None)
