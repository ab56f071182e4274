"""Losses against values computed by hand and against the published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from smalltumor.models.network import MultiTaskOutput
from smalltumor.training.optimisation.losses import (
    LossWeights,
    generalised_dice_loss,
    paper_weights,
    reconstruction_loss,
    region_dice_loss,
    segmentation_loss,
    training_loss,
)


def voxels(*classes: int) -> torch.Tensor:
    """A row of voxels as (1, i, j, k)."""
    return torch.tensor(classes, dtype=torch.uint8).reshape(1, -1, 1, 1)


def sure_of(*classes: int) -> torch.Tensor:
    """Probabilities (1, 4, i, j, k) that are 1 for these classes."""
    return torch.eye(4)[torch.tensor(classes)].T.reshape(1, 4, -1, 1, 1).clone()


@pytest.mark.parametrize("weight", ["square", "identity", "sqrt"])
def test_generalised_dice_is_the_published_one(shared, weight):
    with np.load(shared / "reference" / "generalised_dice.npz") as file:
        labels = torch.from_numpy(np.where(file["labels_124"] == 4, 3, file["labels_124"]))
        probabilities = torch.softmax(torch.from_numpy(file["logits"]), dim=1)
        expected = float(file[weight])
    assert float(generalised_dice_loss(probabilities, labels, weight)) == pytest.approx(expected)


def test_generalised_dice_by_hand():
    # NCR: 1 true voxel, found; ED: 2 true, 1 found; ET: 1 true, found and 1 too many.
    # Weights 1, 1/4, 1; shared 1 + 1/4 + 1; predicted and true 2 + 3/4 + 3.
    loss = generalised_dice_loss(sure_of(1, 2, 3, 3, 0), voxels(1, 2, 2, 3, 0), epsilon=1e-12)
    assert float(loss) == pytest.approx(1 - 2 * 2.25 / 5.75)


def test_a_class_missing_in_the_batch_has_no_weight():
    predicted, truth = sure_of(1, 2, 3, 0), voxels(1, 2, 2, 0)
    # As if ET were not a class: weights 1 and 1/4, shared 1 + 1/4, both 2 + 3/4.
    assert float(generalised_dice_loss(predicted, truth, epsilon=1e-12)) == pytest.approx(
        1 - 2 * 1.25 / 2.75
    )


def test_a_batch_without_et_still_has_a_gradient_for_ncr():
    logits = torch.zeros(1, 4, 8, 8, 8, requires_grad=True)
    truth = torch.zeros(1, 8, 8, 8, dtype=torch.uint8)
    truth[:, :2] = 1
    generalised_dice_loss(torch.softmax(logits, dim=1), truth).backward()
    assert logits.grad[:, 1, :2].abs().mean() > 1e-4


def test_generalised_dice_without_tumour_has_no_gradient():
    logits = torch.zeros(1, 4, 4, 1, 1, requires_grad=True)
    loss = generalised_dice_loss(torch.softmax(logits, dim=1), voxels(0, 0, 0, 0))
    loss.backward()
    assert float(loss.detach()) == 1
    assert not logits.grad.any()


def test_region_dice_loss_is_the_mean_over_the_regions():
    # ET: true 1, predicted 2, shared 1. TC: true 2, predicted 2, shared 2.
    # WT: true 3, predicted 3, shared 3. So losses 1/3, 0, 0.
    loss = region_dice_loss(sure_of(3, 3, 2, 0), voxels(3, 1, 2, 0))
    assert float(loss) == pytest.approx((1 / 3) / 3)


def test_region_dice_leaves_out_absent_regions():
    # No ET and no core: only WT counts; true 2, predicted 1, shared 1.
    assert float(region_dice_loss(sure_of(2, 0, 0), voxels(2, 2, 0))) == pytest.approx(1 / 3)
    assert float(region_dice_loss(sure_of(2, 0), voxels(0, 0))) == 0


def test_confusing_core_with_edema_costs_the_core_only():
    # True NCR taken for ED: TC is lost, WT is whole.
    assert float(region_dice_loss(sure_of(2, 2), voxels(1, 2))) == pytest.approx(1 / 2)


def test_dice_with_cross_entropy_adds_the_mean_log_loss():
    logits = torch.zeros(1, 4, 2, 1, 1)
    truth = voxels(3, 2)
    dice = float(region_dice_loss(torch.full((1, 4, 2, 1, 1), 0.25), truth))
    assert float(segmentation_loss("dice_ce", logits, truth)) == pytest.approx(dice + math.log(4))


def test_reconstruction_is_the_sum_of_both_mean_squared_errors():
    reconstructions = [torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0, 3.0])]
    targets = [torch.tensor([0.0, 0.0]), torch.tensor([0.0, 0.0, 0.0])]
    assert float(reconstruction_loss(reconstructions, targets)) == pytest.approx(5 / 2 + 9 / 3)


@pytest.mark.parametrize("detach", [True, False])
def test_targets_are_fixed_unless_asked_otherwise(detach):
    reconstruction = torch.ones(3, requires_grad=True)
    target = torch.zeros(3, requires_grad=True)
    reconstruction_loss([reconstruction], [target], detach=detach).backward()
    assert reconstruction.grad is not None
    assert (target.grad is None) == detach


def test_segmentation_and_reconstruction_have_the_weights_of_the_papers_two_phases():
    assert paper_weights(0) == paper_weights(19) == LossWeights(0.5, 0.5)
    assert paper_weights(20) == LossWeights(1.0, 0.05)


def test_the_two_losses_are_weighted_and_reported_separately():
    output = MultiTaskOutput(torch.zeros(1, 4, 2, 1, 1), [torch.ones(4)], [torch.zeros(4)])
    loss, parts = training_loss(output, voxels(3, 2), LossWeights(0.5, 0.25), "dice_ce")
    assert parts["reconstruction"] == 1
    assert float(loss) == pytest.approx(0.5 * parts["segmentation"] + 0.25)


def test_the_baseline_has_no_reconstruction_loss():
    output = MultiTaskOutput(torch.zeros(1, 4, 2, 1, 1), [], [])
    loss, parts = training_loss(output, voxels(3, 2), LossWeights(1.0, 0.05), "dice_ce")
    assert list(parts) == ["segmentation"]
    assert float(loss) == pytest.approx(parts["segmentation"])


def test_a_loss_of_the_network_itself_is_added_as_it_is():
    output = MultiTaskOutput(torch.zeros(1, 4, 2, 1, 1), [], [], torch.tensor(0.75))
    loss, parts = training_loss(output, voxels(3, 2), LossWeights(0.5, 0.05), "dice_ce")
    assert float(loss) == pytest.approx(0.5 * parts["segmentation"] + 0.75)
    assert parts["regularisation"] == 0.75


def test_the_relative_error_does_not_depend_on_the_size_of_the_features():
    features = [torch.randn(2, 3, 4, 4, 4), torch.randn(2, 5, 2, 2, 2)]
    guesses = [f + 0.1 * torch.randn_like(f) for f in features]
    loss = reconstruction_loss(guesses, features, relative=True)
    larger = [[9 * f for f in fs] for fs in (guesses, features)]
    assert float(reconstruction_loss(*larger, relative=True)) == pytest.approx(
        float(loss), rel=1e-4
    )
    assert float(reconstruction_loss(*larger)) > 10 * float(loss)


def test_the_relative_error_of_the_mean_is_one():
    features = torch.randn(2, 3, 8, 8, 8) * 5 + 2
    guess = features.mean().expand(features.shape)
    assert float(reconstruction_loss([guess], [features], relative=True)) == pytest.approx(
        1, rel=1e-3
    )


def test_a_fixed_target_has_no_gradient_also_relatively():
    features = torch.randn(1, 2, 4, 4, 4, requires_grad=True)
    guess = torch.zeros_like(features).requires_grad_()
    reconstruction_loss([guess], [features], relative=True).backward()
    assert features.grad is None
    assert guess.grad is not None
