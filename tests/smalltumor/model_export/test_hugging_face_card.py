"""The model card for Hugging Face."""

from __future__ import annotations

import runpy
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
SCRIPT = runpy.run_path(str(ROOT / "model" / "hugging_face_card.py"))


def test_its_header_has_licence_and_scores_of_the_model_card(tmp_path: Path) -> None:
    SCRIPT["main"](tmp_path)
    _, header, body = (tmp_path / "README.md").read_text("utf-8").split("---\n", 2)
    facts = yaml.safe_load(header)
    assert facts["license"] == "cc-by-4.0"
    (result,) = facts["model-index"][0]["results"]
    original = (ROOT / "model" / "README.md").read_text("utf-8")
    for metric, region in zip(result["metrics"], ("ET", "TC", "WT"), strict=True):
        assert f"| Dice {region} | {metric['value']:.3f} |" in original
    assert "Not a medical device, not for diagnosis." in body
    assert (tmp_path / "starter.safetensors").stat().st_size > 10**6


def test_links_to_files_that_are_not_there_are_words() -> None:
    text = (ROOT / "model" / "README.md").read_text("utf-8")
    card = SCRIPT["card"](text + "\n[a page](../docs/cases.md) [napari](https://napari.org)\n")
    assert "../docs" not in card
    assert "a page [napari](https://napari.org)" in card
    assert "![" not in card and "!Scores" not in card
