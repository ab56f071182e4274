"""Architecture and outputs of the network."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from smalltumor.errors import CheckpointError
from smalltumor.models.config import NetworkConfig
from smalltumor.models.network import STAGES, MultiTaskNetwork, SegmentationNetwork
from torch.nn import functional
from training_cases import NARROW


@pytest.fixture(scope="module")
def crop() -> torch.Tensor:
    return torch.randn(1, 4, 32, 48, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


def with_random_norms(network: SegmentationNetwork) -> SegmentationNetwork:
    """The network with random norm statistics and scales."""
    generator = torch.Generator().manual_seed(2)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "norm.bias")):
            value.copy_(torch.randn(value.shape, generator=generator) / 10)
        elif name.endswith(("running_var", "norm.weight", "scales")):
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return network.eval()


def test_full_size_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in SegmentationNetwork().parameters()) == 3_875_890


def test_probabilities_have_the_input_s_shape_and_sum_to_one(crop):
    with torch.no_grad():
        probabilities = with_random_norms(SegmentationNetwork(NARROW))(crop)
    assert probabilities.shape == crop.shape
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(1, 32, 48, 16))


def test_stages_halve_and_double_the_grid_as_specified(crop):
    with torch.no_grad():
        shapes = {name: tuple(f.shape) for name, f in SegmentationNetwork(NARROW).steps(crop)}
    assert tuple(shapes) == STAGES
    n, c = NARROW.width, NARROW.channels
    assert shapes["stem"] == shapes["decoder 1"] == (1, n, 16, 24, 8)
    assert shapes["encoder 1"] == shapes["decoder 2"] == (1, c, 8, 12, 4)
    assert shapes["encoder 2"] == shapes["decoder 3"] == (1, 2 * c, 4, 6, 2)
    assert shapes["encoder 3"] == (1, 2 * c, 2, 3, 1)


def test_the_head_commutes_with_the_last_upsampling(crop):
    network = with_random_norms(SegmentationNetwork(NARROW)).double()
    with torch.no_grad():
        stages = dict(network.steps(crop.double()))
        resized = functional.interpolate(stages["decoder 1"], scale_factor=2, mode="trilinear")
        torch.testing.assert_close(stages["head"], network.head(resized))


def test_the_segmentation_path_alone_gives_the_logits_of_the_multi_task_network(crop):
    both = with_random_norms(MultiTaskNetwork(NARROW))
    alone = SegmentationNetwork(NARROW)
    names = alone.state_dict().keys()
    alone.load_state_dict({n: value for n, value in both.state_dict().items() if n in names})
    with torch.no_grad():
        torch.testing.assert_close(alone.eval().logits(crop), both.outputs(crop).logits)


def test_reconstructed_features_have_the_shape_of_their_targets(crop):
    output = MultiTaskNetwork(NARROW).outputs(crop)
    assert [r.shape for r in output.reconstructions] == [t.shape for t in output.targets]
    assert [t.shape[1] for t in output.targets] == [NARROW.width, NARROW.channels]


def test_without_reconstruction_the_u_modules_are_not_run(crop):
    network = MultiTaskNetwork(NARROW)
    network.u_module1.register_forward_hook(lambda *_: pytest.fail("U-module 1 ran"))
    assert network.outputs(crop, reconstruction=False).reconstructions == []


def test_learned_scales_weight_the_dilated_branches(crop):
    unit = SegmentationNetwork(NARROW).eval().encoder1[1]
    features = torch.randn(1, NARROW.channels, 8, 8, 8)
    with torch.no_grad():
        unit.scales.copy_(torch.tensor([0.5, 0.0, 2.0]))
        inner = unit.expand(unit.squeeze(features))
        mixed = 0.5 * unit.branches[0](inner) + 2 * unit.branches[2](inner)
        torch.testing.assert_close(unit(features), unit.merge(mixed) + features)


def test_instance_norm_is_an_option_of_the_configuration(crop):
    network = SegmentationNetwork(replace(NARROW, norm="instance"))
    assert not any("running" in name for name in network.state_dict())
    assert network(crop).shape == crop.shape


@pytest.mark.parametrize(
    "size",
    [
        {"width": 0},
        {"channels": 2**40},
        {"groups": 5},
        {"classes": 4.0},
        {"in_channels": True},
        {"norm": "layer"},
    ],
)
def test_impossible_sizes_are_refused(size):
    with pytest.raises(CheckpointError):
        NetworkConfig(**size)
