"""Loss functions.

Sums run over the voxels of the whole batch, so that a class that is missing in one crop is still
scored over the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from smalltumor.labels.regions import REGION_CLASSES
from smalltumor.models.network import MultiTaskOutput

DiceWeight = Literal["square", "identity", "sqrt"]
SegmentationLoss = Literal["generalised_dice", "dice_ce"]

Total = Callable[[Tensor], Tensor]
"""Sum of a tensor over all processes that share a batch, differentiable."""

_SMALL = 1e-6

WARM_EPOCHS = 20
"""Epochs of equal weight for segmentation and reconstruction (Ngo et al. 2020, eq. 6)."""


def _alone(values: Tensor) -> Tensor:
    return values


@dataclass(frozen=True)
class LossWeights:
    """Weights of the two tasks (l1, l2 of Ngo et al. 2020, eq. 6)."""

    segmentation: float
    reconstruction: float


def paper_weights(epoch: int) -> LossWeights:
    """0.5 and 0.5 for the first 20 epochs, then 1 and 0.05; `epoch` counts from 0."""
    return LossWeights(0.5, 0.5) if epoch < WARM_EPOCHS else LossWeights(1.0, 0.05)


def generalised_dice_loss(
    probabilities: Tensor,
    classes: Tensor,
    weight: DiceWeight = "square",
    epsilon: float = 1e-5,
    total: Total = _alone,
) -> Tensor:
    """Generalised Dice over the three tumour classes (Ngo et al. 2020, eq. 4; Sudre 2017).

    ``1 - 2 sum_c w_c sum_v p y / (sum_c w_c sum_v (p + y) + epsilon)`` with ``w_c`` one over the
    squared number of voxels of class c. A class that is missing in the batch has weight 0:
    the formula's 1 / epsilon would outweigh all others.

    Parameters
    ----------
    probabilities : (b, class, i, j, k) tensor
        After the softmax; channel 0 is background and not counted.
    classes : (b, i, j, k) integer tensor
        Tissue classes.
    weight : {"square", "identity", "sqrt"}
        Power of the number of voxels in the weight's denominator.
    epsilon : float
        As published; keeps the quotient finite.
    total : callable
        Sums a tensor over all processes that share the batch.

    Returns
    -------
    scalar tensor
        1 without gradient if the batch has no tumour.
    """
    tumour = probabilities[:, 1:].transpose(0, 1).flatten(1)
    truth = _one_hot(classes, probabilities.shape[1])[:, 1:].transpose(0, 1).flatten(1)
    truth = truth.to(tumour.dtype)
    sums = [truth.sum(dim=1), (tumour * truth).sum(dim=1), (tumour + truth).sum(dim=1)]
    voxels, shared, both = total(torch.stack(sums))
    powers = {"square": voxels * voxels, "identity": voxels, "sqrt": voxels.sqrt()}
    weights = torch.where(voxels > 0, 1 / (powers[weight] + epsilon), 0)
    loss: Tensor = 1 - 2 * (weights * shared).sum() / ((weights * both).sum() + epsilon)
    return loss


def region_dice_loss(probabilities: Tensor, classes: Tensor, total: Total = _alone) -> Tensor:
    """One minus the soft Dice of ET, TC and WT, averaged over the regions that are present.

    These nested regions are what evaluation scores; confusing NCR with ED affects TC only.

    Parameters
    ----------
    probabilities : (b, class, i, j, k) tensor
        After the softmax.
    classes : (b, i, j, k) integer tensor
        Tissue classes.
    total : callable
        Sums a tensor over all processes that share the batch.

    Returns
    -------
    scalar tensor
        0 without gradient if the batch has no tumour.
    """
    tissues = range(probabilities.shape[1])
    truths = [classes == tissue for tissue in tissues]
    voxels = torch.stack([truth.sum() for truth in truths]).to(probabilities.dtype)
    # Sums by true and by predicted class, from which those of all regions follow.
    shares = torch.stack([(probabilities * truth[:, None]).sum((0, 2, 3, 4)) for truth in truths])
    rows = [[float(tissue in parts) for tissue in tissues] for parts in REGION_CLASSES.values()]
    inside = torch.tensor(rows, dtype=voxels.dtype, device=voxels.device)
    sums = [inside @ voxels, ((inside @ shares) * inside).sum(1), inside @ shares.sum(0)]
    size, shared, predicted = total(torch.stack(sums))
    present = size > 0
    losses = 1 - 2 * shared / (predicted + size).clamp(min=1)
    loss: Tensor = torch.where(present, losses, 0).sum() / present.sum().clamp(min=1)
    return loss


def segmentation_loss(
    kind: SegmentationLoss, logits: Tensor, classes: Tensor, total: Total = _alone
) -> Tensor:
    """The segmentation task's loss.

    Parameters
    ----------
    kind : {"generalised_dice", "dice_ce"}
        The loss of the paper, or region Dice plus cross-entropy.
    logits : (b, class, i, j, k) tensor
    classes : (b, i, j, k) integer tensor
    """
    logits = logits.float()
    if kind == "generalised_dice":
        return generalised_dice_loss(torch.softmax(logits, dim=1), classes, total=total)
    log_probabilities = torch.log_softmax(logits, dim=1)
    entropy = functional.nll_loss(log_probabilities, classes.long())
    return region_dice_loss(log_probabilities.exp(), classes, total) + entropy


def reconstruction_loss(
    reconstructions: Sequence[Tensor],
    targets: Sequence[Tensor],
    *,
    detach: bool = True,
    relative: bool = False,
    total: Total = _alone,
) -> Tensor:
    """Mean squared error of each U-module, added (Ngo et al. 2020, eq. 5).

    Parameters
    ----------
    reconstructions, targets : sequence of tensor
        As in `MultiTaskOutput`.
    detach : bool
        Eq. 3 minimises over the U-module only, so the features are a fixed target. False lets
        the gradient reach them, which shrinks them.
    relative : bool
        Divide each error by the variance of its features, which grow during training: 1 is the
        error of a U-module that knows only their mean.
    total : callable
        Sums a tensor over all processes that share the batch.
    """
    errors = []
    for reconstruction, target in zip(reconstructions, targets, strict=True):
        features = target.float()
        fixed = features.detach()
        error = functional.mse_loss(reconstruction.float(), fixed if detach else features)
        errors.append(error / (_variance(fixed, total) + _SMALL) if relative else error)
    return torch.stack(errors).sum()


def _variance(values: Tensor, total: Total) -> Tensor:
    count = total(torch.full_like(values.mean(), values.numel()))
    mean = total(values.sum()) / count
    return total((values - mean).square().sum()) / count


def training_loss(
    output: MultiTaskOutput,
    classes: Tensor,
    weights: LossWeights,
    kind: SegmentationLoss,
    *,
    detach: bool = True,
    relative: bool = False,
    total: Total = _alone,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum of both tasks' losses, and its unweighted parts, without gradient.

    Parameters
    ----------
    output : MultiTaskOutput
    classes : (b, i, j, k) integer tensor
    weights : LossWeights
    kind : {"generalised_dice", "dice_ce"}
    detach, relative : bool
        See `reconstruction_loss`.
    total : callable
        Sums a tensor over all processes that share the batch.
    """
    segmentation = segmentation_loss(kind, output.logits, classes, total)
    loss = weights.segmentation * segmentation
    parts = {"segmentation": segmentation.detach()}
    if output.reconstructions:
        reconstruction = reconstruction_loss(
            output.reconstructions, output.targets, detach=detach, relative=relative, total=total
        )
        loss = loss + weights.reconstruction * reconstruction
        parts["reconstruction"] = reconstruction.detach()
    if output.regularisation is not None:
        loss = loss + output.regularisation
        parts["regularisation"] = output.regularisation.detach()
    return loss, parts


def _one_hot(classes: Tensor, count: int) -> Tensor:
    return functional.one_hot(classes.long(), count).movedim(-1, 1)
