"""What a folder of results says of itself, in `SETTINGS`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from smalltumor.cohort.results.results_folder import SETTINGS
from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.files.damaged import DAMAGED
from smalltumor.labels.schemes import DEFAULT_SCHEME

_OF_TRAINING = ("trained_on", "trained_on_images", "selected_on")


@dataclass(frozen=True)
class CohortInfo:
    """How the masks of a folder are made.

    Parameters
    ----------
    scheme : str
        Label scheme of the masks.
    weights, digest : str
        Of the checkpoint.
    flips : bool
    preprocessing_version : int or None
        None if it was not recorded.
    part : str
        Which part of a cohort it is, see `Part`.
    cases_digest : str
        `Part.cases_digest` of the cases that were dealt out.
    data : Path, optional
        Folder of the cases when they were segmented; None if it was not recorded.
    training : mapping
        `training_facts` of the weights; empty if they were not recorded.
    """

    scheme: str = DEFAULT_SCHEME
    weights: str = ""
    digest: str = ""
    flips: bool = False
    preprocessing_version: int | None = None
    part: str = ""
    cases_digest: str = ""
    data: Path | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read it from the content of `SETTINGS`."""
        return cls(
            scheme=str(content.get("labels", DEFAULT_SCHEME)),
            weights=str(content.get("weights", "")),
            digest=str(content.get("digest", "")),
            flips=bool(content.get("flips", False)),
            preprocessing_version=content.get("preprocessing_version"),
            part=str(content.get("part", "")),
            cases_digest=str(content.get("cases_digest", "")),
            data=Path(content["data"]) if content.get("data") else None,
            training={key: content[key] for key in _OF_TRAINING if key in content},
        )

    def to_json(self) -> dict[str, Any]:
        """Its part of the content of `SETTINGS`."""
        place = {"part": self.part, "cases_digest": self.cases_digest}
        data = {} if self.data is None else {"data": str(self.data)}
        return {**self.of_masks(), **place, **data, **self.training}

    def of_masks(self) -> dict[str, Any]:
        """What all masks of a folder share, as in `SETTINGS`.

        Parts have a check of their own, data may be moved, and what is said of weights goes with
        their digest.
        """
        return {
            "labels": self.scheme,
            "flips": self.flips,
            "weights": self.weights,
            "digest": self.digest,
            "preprocessing_version": self.preprocessing_version,
        }


@dataclass(frozen=True)
class FolderSettings:
    """How the masks of a folder are made, and where its runs stand.

    The first run writes how its masks are made. A later one with the same settings keeps the masks
    that are there and makes those that are missing. One that overwrites may have other settings:
    it adds one to `generation` and lists the masks that are there as `outdated`. Each stays so
    until its record has the present generation; therefore a run that was killed goes on where it
    stopped.

    While a run is under way, and after it was killed, `ended` is false. With its first row, the
    files of all cases are removed, because they are of the run before; `existing_summaries` are
    written again when it ends.

    Parameters
    ----------
    info : CohortInfo
    generation : int
        How often the folder was overwritten, see `CohortCaseRecord`.
    outdated : tuple of str
        Cases whose masks were there when that was done last.
    missing : mapping of str to tuple of str
        By case, the modalities among T1, T2 and FLAIR without which its mask was made.
    ended : bool
        Whether the last run has ended.
    existing_summaries : tuple of str
        Names of the `SUMMARIES` that were there when the last run began.
    """

    info: CohortInfo
    generation: int = 0
    outdated: tuple[str, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ended: bool = True
    existing_summaries: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read the content of `SETTINGS`."""
        missing = content.get("missing_modalities", {})
        return cls(
            info=CohortInfo.from_json(content),
            generation=int(content.get("generation", 0)),
            outdated=tuple(content.get("outdated", ())),
            missing={case: tuple(lacking) for case, lacking in missing.items()},
            ended=bool(content.get("ended", True)),
            existing_summaries=tuple(content.get("existing_summaries", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """The content of `SETTINGS`."""
        return {
            **self.info.to_json(),
            "missing_modalities": {case: list(lacking) for case, lacking in self.missing.items()},
            "generation": self.generation,
            "outdated": list(self.outdated),
            "ended": self.ended,
            "existing_summaries": list(self.existing_summaries),
        }

    def write(self, folder: Path) -> None:
        """Write `SETTINGS` into a folder.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False)
        write_text(folder / SETTINGS, text + "\n", overwrite=True)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read `SETTINGS` of a folder; None if it is not there.

        Raises
        ------
        OutputError
            If it cannot be read.
        """
        path = folder / SETTINGS
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, *DAMAGED) as error:
            raise OutputError(f"{path} cannot be read as the settings of a cohort") from error
