"""Write the model card for Hugging Face, and the weights beside it: hugging_face_card.py FOLDER

The card is `model/README.md`: its text, and its scores as the fields that Hugging Face reads.
Nothing is uploaded.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARD = ROOT / "model" / "README.md"
WEIGHTS = ROOT / "model" / "smalltumor" / "weights" / "starter.safetensors"

_LINK = re.compile(r"!?\[([^\]]+)\]\((?!https?:)[^)]+\)")
_SCORE = re.compile(r"^\| Dice (ET|TC|WT) \| ([\d.]+) \| ([\d.]+) to ([\d.]+) \|$", re.MULTILINE)

HEADER = """\
---
license: cc-by-4.0
library_name: napari-smalltumor
pipeline_tag: image-segmentation
language: en
tags: [medical, MRI, glioma, brain-tumor, BraTS, segmentation, 3d, safetensors]
metrics: [dice]
model-index:
  - name: napari-smalltumor starter
    results:
      - task: {{ type: image-segmentation, name: Segmentation of brain tumours in MRI }}
        dataset: {{ type: brats-2021-subset, name: "fifty patients, out of fold" }}
        metrics:
{metrics}
---
"""
USE = """
## How to use

In a copy of the source of napari-smalltumor:

```sh
pip install .
smalltumor segment CASE -o mask.nii.gz --weights starter.safetensors
```
"""


def main(folder: Path) -> None:
    """Write the card and copy the weights to a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(card(CARD.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copyfile(WEIGHTS, folder / WEIGHTS.name)
    print(f"wrote {folder / 'README.md'}")


def card(text: str) -> str:
    """The card of this repository as that of Hugging Face.

    Links lead to files that are not there; only their words are kept.
    """
    title, _, rest = text.partition("\n## ")
    body = f"{title.rstrip()}\n{USE}\n## {rest}"
    return HEADER.format(metrics=_metrics(text)) + "\n" + _LINK.sub(r"\1", body)


def _metrics(text: str) -> str:
    scores = list(_SCORE.finditer(text))[:3]  # the first table: of the recipe, out of fold
    if [score[1] for score in scores] != ["ET", "TC", "WT"]:
        raise SystemExit(f"{CARD}: the table of scores has no rows Dice ET, Dice TC and Dice WT")
    return "\n".join(
        "          - "
        + json.dumps(
            {
                "type": "dice",
                "name": f"Dice {score[1]}, 95 % interval {score[3]} to {score[4]}",
                "value": float(score[2]),
            }
        )
        for score in scores
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
