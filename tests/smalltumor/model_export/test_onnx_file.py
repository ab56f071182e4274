"""The network as an ONNX file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from smalltumor.errors import Action
from smalltumor.extras import MissingPackageError
from smalltumor.model_export import write_onnx
from smalltumor.model_export.exported_network import ExportedNetwork
from smalltumor.models.checkpoint import Checkpoint, load_checkpoint

TOLERANCE = 1e-5
"""Largest difference of a probability: both compute in float32, in another order."""


@pytest.fixture(scope="module")
def narrow(
    narrow_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Checkpoint, Path]:
    """A narrow network with the card of the shipped one, which would take a minute to convert."""
    checkpoint = replace(load_checkpoint(narrow_weights), card=load_checkpoint().card)
    return checkpoint, write_onnx(checkpoint, tmp_path_factory.mktemp("onnx") / "narrow.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("edges", [(48, 32, 80), (64, 64, 64)])
def test_its_probabilities_are_those_of_the_network_at_any_size(
    narrow: tuple[Checkpoint, Path], edges: tuple[int, int, int]
) -> None:
    import onnxruntime
    import torch

    checkpoint, path = narrow
    image = np.random.default_rng(0).normal(size=(1, 4, *edges)).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probabilities"], {"image": image})
    expected = ExportedNetwork(checkpoint).eval()(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.slow
def test_its_metadata_say_how_images_are_prepared_and_what_the_classes_are(
    narrow: tuple[Checkpoint, Path],
) -> None:
    import onnx

    checkpoint, path = narrow
    model = onnx.load(path)
    onnx.checker.check_model(model)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(facts["preprocessing"]) == checkpoint.preprocessing.to_dict()
    assert json.loads(facts["classes"])["3"] == "enhancing tumour"
    assert json.loads(facts["card"])["licence"].startswith("CC BY 4.0")
    assert "not for diagnosis" in facts["intended_use"]


def test_an_existing_file_is_not_replaced(smalltumor, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_text("mine")
    code, _, message = smalltumor("export-model", tmp_path / "x.onnx", "--format", "onnx")
    assert code == 1
    assert "exists" in message and "--overwrite" in message
    assert (tmp_path / "x.onnx").read_text() == "mine"


def test_without_the_extra_it_is_said_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingPackageError) as refused:
        write_onnx(load_checkpoint(), tmp_path / "x.onnx")
    assert refused.value.remedy is not None
    assert refused.value.remedy.action is Action.INSTALL_ONNX
