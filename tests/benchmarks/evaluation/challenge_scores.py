"""Compare our one-to-one scores with those of the package ``brats-evaluation``.

    python -m venv VENV && VENV/bin/pip install brats-evaluation==0.0.10
    python tests/benchmarks/evaluation/challenge_scores.py --masks WORK
    VENV/bin/python tests/benchmarks/evaluation/challenge_scores.py --official WORK \\
        tests/support/challenge_scores.json

The first call writes the masks of `challenge_pairs`, the second has the package score them.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

VALUES = ("tp", "fp", "fn", "rq", "sq_dsc", "sq_nsd", "sq_hd95")
GLOBAL = ("global_bin_dsc", "global_bin_nsd", "global_bin_hd95")


def write_masks(folder: Path) -> None:
    """Write both masks of every pair."""
    import nibabel as nib
    import numpy as np
    from challenge_pairs import challenge_pairs

    for name, (prediction, truth, spacing) in challenge_pairs().items():
        for side, labels in (("prediction", prediction), ("truth", truth)):
            (folder / side).mkdir(parents=True, exist_ok=True)
            image = nib.Nifti1Image(labels, np.diag([*spacing, 1]))
            nib.save(image, folder / side / f"{name}.nii.gz")


def official_scores(folder: Path, output: Path) -> None:
    """Write the package's scores of every pair and label group; NaN and infinity are texts."""
    from brats_evaluation import config_path
    from brats_evaluation.evaluation import evaluate_single_exam
    from panoptica import Panoptica_Evaluator

    evaluator = Panoptica_Evaluator.load_from_config(str(config_path("gli")))
    found = {}
    for truth in sorted((folder / "truth").iterdir()):
        name = truth.name.removesuffix(".nii.gz")
        prediction = folder / "prediction" / truth.name
        scores = evaluate_single_exam(str(prediction), str(truth), name, evaluator)
        if "error" in scores:
            raise RuntimeError(f"{name}: {scores['error']}")
        found[name] = {
            group: {key: _plain(values.get(key)) for key in (*VALUES, *GLOBAL)}
            for group, values in scores.items()
            if isinstance(values, dict)
        }
    output.write_text(json.dumps(found, indent=1) + "\n")


def _plain(value: float | None) -> float | str | None:
    if value is None:
        return None
    return round(float(value), 7) if math.isfinite(value) else str(float(value))


if __name__ == "__main__":
    if sys.argv[1] == "--masks":
        sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
        write_masks(Path(sys.argv[2]))
    else:
        official_scores(Path(sys.argv[2]), Path(sys.argv[3]))
