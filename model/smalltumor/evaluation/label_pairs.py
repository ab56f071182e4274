"""Label files of predictions and truth, read case by case as tissue classes on one grid."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from smalltumor.data.identity.case_names import states_other_case
from smalltumor.data.masks.label_files import decode_labels, on_grid, read_label_volume
from smalltumor.data.volumes.nifti import Volume
from smalltumor.errors import LabelError
from smalltumor.evaluation.find_label_files import LabelFile
from smalltumor.evaluation.pair_notes import REGIONS, PairNotes, Regions
from smalltumor.evaluation.pairing import Pairing, pair_label_files
from smalltumor.evaluation.schemes import Schemes, schemes_of
from smalltumor.geometry.grid import Grid
from smalltumor.labels.masks import Classes
from smalltumor.labels.regions import TissueClass
from smalltumor.labels.schemes import LabelScheme
from smalltumor.progress import ProgressCallback


@dataclass(frozen=True)
class Labels:
    """A label volume, its scheme, and its tissue classes (i, j, k) uint8."""

    volume: Volume
    scheme: LabelScheme
    classes: Classes


@dataclass(frozen=True)
class LabelPair:
    """Prediction and truth of a case on one grid.

    Parameters
    ----------
    name : str
        Of the case.
    path : Path
        The file of the prediction.
    prediction, truth : Labels
    """

    name: str
    path: Path
    prediction: Labels
    truth: Labels

    @property
    def grid(self) -> Grid:
        """The grid of both."""
        return self.truth.volume.grid

    @property
    def known(self) -> tuple[TissueClass, ...]:
        """The tissue classes that both tell apart."""
        of_truth = self.truth.scheme.known_classes
        return tuple(each for each in self.prediction.scheme.known_classes if each in of_truth)


@dataclass(frozen=True)
class LabelPairs:
    """The label files of predictions and truth, with their label schemes.

    Parameters
    ----------
    pairing : Pairing
    prediction_schemes, truth_schemes : Schemes
    """

    pairing: Pairing
    prediction_schemes: Schemes
    truth_schemes: Schemes
    _notes: PairNotes = field(default_factory=PairNotes)

    @classmethod
    def find(
        cls,
        predictions: Path,
        truth: Path,
        labels: str | None,
        truth_labels: str | None,
        regions: Regions = REGIONS,
    ) -> LabelPairs:
        """Match the files by the name of their case; arguments are those of `evaluate`.

        `regions` is what is scored; the notes say of which cases it cannot be.
        """
        pairing = pair_label_files(predictions, truth)
        predicted_files, true_files = zip(*pairing.pairs, strict=True)
        of_truth = schemes_of(true_files, truth_labels, None, "truth")
        of_predictions = schemes_of(predicted_files, labels, of_truth.only, "predictions")
        return cls(pairing, of_predictions, of_truth, PairNotes(regions))

    def read(self, progress: ProgressCallback | None = None) -> Iterator[LabelPair]:
        """Read case by case; what is doubtful of them is noted."""
        for number, (predicted_file, true_file) in enumerate(self.pairing.pairs):
            if progress is not None:
                progress(number / len(self.pairing.pairs), true_file.name)
            prediction, truth = _read_on_one_grid(predicted_file, true_file)
            self._notes.add(true_file.name, prediction, truth, true_file.t1ce)
            predicted_scheme = self.prediction_schemes.by_file[predicted_file.path]
            true_scheme = self.truth_schemes.by_file[true_file.path]
            self._notes.add_missing(true_file.name, predicted_scheme, true_scheme)
            yield LabelPair(
                name=true_file.name,
                path=predicted_file.path,
                prediction=self._decoded(prediction, predicted_scheme),
                truth=self._decoded(truth, true_scheme),
            )

    def _decoded(self, volume: Volume, scheme: LabelScheme) -> Labels:
        """The labels of a volume; a header that names another scheme is noted."""
        classes, found = decode_labels(volume, scheme)
        self._notes.add_scheme(found)
        return Labels(volume, scheme, np.ascontiguousarray(classes))

    def require_scores(self, cases: Sized) -> None:
        """Check that there are cases of which a region was scored.

        Raises
        ------
        LabelError
            That says what prediction or truth do not tell, if there is none.
        """
        if not len(cases):
            raise LabelError(f"no region can be scored: {'; '.join(self._notes.missing)}")

    @property
    def notes(self) -> list[str]:
        """Files that are left out, and what is doubtful of the pairs that were read."""
        return [*notes_on_pairing(self.pairing), *self._notes.texts]


def _read_on_one_grid(predicted_file: LabelFile, true_file: LabelFile) -> tuple[Volume, Volume]:
    """Read both label volumes of a case, on the larger of their grids if one was saved cropped."""
    prediction, truth = (read_label_volume(file.path) for file in (predicted_file, true_file))
    if np.prod(prediction.grid.shape) > np.prod(truth.grid.shape):
        truth = on_grid(truth, prediction.grid, str(prediction.path))  # saved cropped
    return on_grid(prediction, truth.grid, str(truth.path)), truth


def notes_on_pairing(pairing: Pairing) -> list[str]:
    """Name the files that have no partner and are left out, and doubtful pairs."""
    same = [p.name for p, t in pairing.pairs if p.path.samefile(t.path)]
    notes = [f"prediction and truth are one file: {', '.join(same)}"] if same else []
    for ours, theirs in pairing.pairs:
        if states_other_case(ours.name, theirs.name) or states_other_case(theirs.name, ours.name):
            notes.append(
                f"by its name, {ours.path.name} is a mask of {ours.name}, and {theirs.path.name} "
                f"of {theirs.name}"
            )
    sides = (
        (pairing.without_truth, "predicted, but without a truth, and left out"),
        (pairing.without_prediction, "not predicted, and left out of the means"),
    )
    return notes + [
        f"{what}: " + ", ".join(file.name for file in files) for files, what in sides if files
    ]
