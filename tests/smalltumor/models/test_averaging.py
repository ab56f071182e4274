"""The mean of weights of networks that started from the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from smalltumor.data.preprocessing import Preprocessing
from smalltumor.errors import CheckpointError
from smalltumor.models.averaging import AVERAGE_OF, average
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from smalltumor.models.checkpoint import save_checkpoint as save
from smalltumor.models.config import NetworkConfig

NARROW = NetworkConfig(width=4, channels=8, groups=2)


def network(seed: int, **card: object) -> Checkpoint:
    """Random weights that say that they started from one network."""
    start = {"started_from": "first", "started_from_digest": "ab" * 32}
    facts = {"name": str(seed), **start, "trained_on": [f"case {seed}"]}
    return replace(random_checkpoint(seed, NARROW), card=facts | card)


def test_each_weight_is_the_mean_of_the_networks():
    one, two, three = (network(seed) for seed in range(3))
    mean = average([one, two, three])
    for name, array in mean.tensors().items():
        expected = (one.arrays[name] + two.arrays[name] + three.arrays[name]) / 3
        np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-7)


def test_the_mean_of_a_network_with_itself_is_the_network():
    one = network(5)
    for name, array in average([one, one]).tensors().items():
        np.testing.assert_array_equal(array, one.arrays[name])


def test_the_card_names_the_networks_and_all_their_cases():
    one = network(1, modality_dropout=0.2, selected_on=["b"], started_from_trained_on=["old"])
    two = network(2, modality_dropout=0.1, selected_on=["a"], started_from_trained_on=["old"])
    card = average([one, two]).card
    assert card[AVERAGE_OF] == ["1", "2"]
    assert card["trained_on"] == ["case 1", "case 2", "old"]
    assert card["selected_on"] == ["a", "b"]
    assert card["modality_dropout"] == 0.1
    assert "trained_on_images" not in card
    images = [{"trained_on_images": each} for each in (["bb"], ["aa", "bb"])]
    known = average([network(1, **images[0]), network(2, **images[1])]).card
    assert known["trained_on_images"] == ["aa", "bb"]
    without = average([one, network(2)]).card
    assert "modality_dropout" not in without  # one of them never saw a case without a sequence
    said = average([one, network(2, trained_on="some patients")]).card
    assert "some patients" in said["trained_on"] and "case 1" in said["trained_on"]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (replace(network(2), config=NetworkConfig(width=8, channels=8, groups=2)), "sizes"),
        (replace(network(2), preprocessing=Preprocessing(lower=5)), "preprocessing"),
        (
            network(2, started_from="second", started_from_digest="cd" * 32),
            r"from second \(SHA-256 cdcdcdcd...\): only networks that started from the same",
        ),
        (network(2, started_from="random weights", started_from_digest=""), "random weights: only"),
        (replace(network(2), card={}), "from unknown weights"),
    ],
)
def test_networks_without_a_useful_mean_are_refused(other, reason):
    with pytest.raises(CheckpointError, match=reason):
        average([network(1), other])


def test_every_network_needs_the_same_start():
    with pytest.raises(CheckpointError, match="only networks that started"):
        average([network(1), network(2), network(3, started_from_digest="cd" * 32)])


def test_the_name_of_the_starting_weights_alone_does_not_tell_that_they_are_the_same():
    with pytest.raises(CheckpointError, match="1 started from first and 2 from first: only"):
        average([network(n, started_from_digest="") for n in (1, 2)])


def test_a_start_may_be_known_by_its_digest_only():
    same = [replace(network(n), card={"started_from_digest": "ab" * 32}) for n in (1, 2)]
    assert average(same).card["started_from"] == "unknown weights"


def test_starting_weights_are_told_apart_by_their_digest_and_not_by_their_name():
    one = network(1, started_from_digest="ab" * 32)
    renamed = network(2, started_from="copy of first", started_from_digest="ab" * 32)
    assert average([one, renamed]).card["started_from_digest"] == "ab" * 32
    namesake = network(2, started_from_digest="cd" * 32)
    with pytest.raises(CheckpointError, match=r"from first \(SHA-256 cdcdcdcd"):
        average([one, namesake])


def test_one_network_is_no_average():
    with pytest.raises(CheckpointError, match="two weights files or more"):
        average([network(1)])


def test_the_command_writes_the_mean_and_the_facts_it_is_given(smalltumor, tmp_path):
    paths = []
    for seed in (1, 2):
        one = network(seed)
        paths.append(tmp_path / f"{seed}.safetensors")
        save(paths[-1], one.network, one.preprocessing, one.card, half=False)
    facts = tmp_path / "card.json"
    facts.write_text('{"name": "both"}')
    out = tmp_path / "mean.safetensors"
    code, _, stderr = smalltumor("average", *paths, "-o", out, "--card", facts)
    assert (code, stderr) == (0, "")
    mean = load_checkpoint(out)
    assert mean.name == "both"
    assert mean.card[AVERAGE_OF] == ["1", "2"]
    expected = average([network(1), network(2)]).tensors()
    for name, array in mean.tensors().items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-3, atol=1e-6)
    code, _, stderr = smalltumor("average", *paths, "-o", out)
    assert code == 1
    assert "exists" in stderr
    code, _, stderr = smalltumor("average", *paths, "-o", paths[0], "--overwrite")
    assert code == 1
    assert load_checkpoint(paths[0]).name == "1"
