"""The fitted scores of the second look, and the file that holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from smalltumor.errors import CheckpointError
from smalltumor.files.damaged import DAMAGED
from smalltumor.second_look.lesion_scorer import LesionScorer

FORMAT = "smalltumor second look"
FORMAT_VERSION = 1
PACKAGED = "second_look.json"


@dataclass(frozen=True)
class SecondLookParameters:
    """What was fitted on patients that the network had not been trained on.

    Parameters
    ----------
    candidates : LesionScorer
        Of places outside the mask, on `features.FEATURES`.
    found : LesionScorer
        Of components of the mask, on `component_scores.FEATURES`.
    least_log_odds : float
        Places where the network gives ET at least these odds against any other class, as a
        logarithm, are candidates.
    most_by_image : int
        Number of other places that are candidates, those with the highest scores.
    least_score : float
        A place with a lower score is no candidate.
    most : int
        Largest number of candidates of a case.
    least_mm3 : float
        A place that grows to a smaller volume is no candidate.
    weights : str
        Name of the network whose out-of-fold results it was fitted on.
    digest : str
        Of the checkpoint of that name.
    """

    candidates: LesionScorer
    found: LesionScorer
    least_log_odds: float
    most_by_image: int
    least_score: float
    most: int
    least_mm3: float
    weights: str
    digest: str


def load_parameters(path: str | Path | None = None) -> SecondLookParameters:
    """Read the parameters.

    Parameters
    ----------
    path : path, optional
        By default those of the package.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, or of a later version.
    """
    where = Path(path) if path is not None else Path(str(_packaged()))
    try:
        values = json.loads(where.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise CheckpointError(f"{where} is not a {FORMAT}")
        if int(values["format_version"]) > FORMAT_VERSION:
            raise CheckpointError(f"{where} is of a later version; update smalltumor")
        return SecondLookParameters(
            candidates=LesionScorer.from_dict(values["candidates"]),
            found=LesionScorer.from_dict(values["found"]),
            least_log_odds=float(values["least_log_odds"]),
            most_by_image=int(values["most_by_image"]),
            least_score=float(values["least_score"]),
            most=int(values["most"]),
            least_mm3=float(values["least_mm3"]),
            weights=str(values["weights"]),
            digest=str(values["digest"]),
        )
    except OSError as error:
        raise CheckpointError(f"{where} cannot be read ({error.strerror or error})") from None
    except DAMAGED as error:
        raise CheckpointError(f"{where} is damaged ({error!r})") from None


def as_json(parameters: SecondLookParameters) -> str:
    """The content of the file that `load_parameters` reads."""
    values = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "weights": parameters.weights,
        "digest": parameters.digest,
        "least_log_odds": parameters.least_log_odds,
        "most_by_image": parameters.most_by_image,
        "least_score": parameters.least_score,
        "most": parameters.most,
        "least_mm3": parameters.least_mm3,
        "candidates": parameters.candidates.to_dict(),
        "found": parameters.found.to_dict(),
    }
    return json.dumps(values, indent=1) + "\n"


def _packaged() -> object:
    return resources.files("smalltumor.weights") / PACKAGED
