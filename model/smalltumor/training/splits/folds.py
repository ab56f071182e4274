"""The split of a cross-validation: the validation cases of each fold."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

from smalltumor.data.identity.patients import patient_key
from smalltumor.errors import TrainingError
from smalltumor.files.names import utf8
from smalltumor.labels.small_lesions import SMALL_LESION_VOXELS

_NO_PATIENTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Folds:
    """Folds over cases, by name; every case that is split is a validation case of exactly one fold.

    Parameters
    ----------
    validation_cases : tuple of tuple of str
        Of each fold.
    always_training : tuple of str
        Cases that are in the training part of every fold and never scored, because the starting
        weights have been trained on them, or on other scans of their patients.
    """

    validation_cases: tuple[tuple[str, ...], ...]
    always_training: tuple[str, ...] = ()

    @classmethod
    def stratified(
        cls,
        et_voxels: Mapping[str, int],
        folds: int,
        seed: int,
        seen: Collection[str] = (),
        patients: Mapping[str, str] = _NO_PATIENTS,
    ) -> Folds:
        """Draw folds at random, each with its share of patients with little or no ET.

        All scans of a patient are in one fold. The numbers of patients differ by at most one
        between folds, in all and in each stratum: no enhancing tumour, fewer than
        `SMALL_LESION_VOXELS` voxels of it, and more, in the scan with least of it. The same cases
        and seed give the same folds, in whatever order the cases come.

        Parameters
        ----------
        et_voxels : mapping of str to int
            Voxels of enhancing tumour of each case.
        folds : int
            At least 2.
        seed : int
        seen : collection of str
            Cases that the starting weights have been trained on.
        patients : mapping of str to str
            Patients by case, for cases whose names do not tell, see `patient_of`.

        Raises
        ------
        TrainingError
            If there are fewer patients to split than folds.
        """
        scans: dict[str, list[str]] = {}
        for name in sorted(et_voxels):
            scans.setdefault(patient_key(name, patients), []).append(name)
        known = {patient_key(name, patients) for name in seen}.intersection(scans)
        always_training = [name for patient in known for name in scans.pop(patient)]
        if len(scans) < folds:
            reason = "; the starting weights were trained on the others" if known else ""
            raise TrainingError(
                f"{folds} folds need at least {folds} patients to validate on, not "
                f"{len(scans)}{reason}"
            )

        def rank(names: list[str]) -> tuple[int, bytes]:
            return min(stratum(et_voxels[name]) for name in names), _random_key(seed, names[0])

        order = sorted(scans.values(), key=rank)
        return cls(
            tuple(tuple(sorted(chain(*order[fold::folds]))) for fold in range(folds)),
            tuple(sorted(always_training)),
        )

    @property
    def cases(self) -> set[str]:
        """All cases, split or always trained on."""
        return {*self.always_training, *(name for names in self.validation_cases for name in names)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "folds": [list(names) for names in self.validation_cases],
            "always_training": list(self.always_training),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Folds:
        """The inverse of `to_dict`."""
        return cls(
            tuple(tuple(map(str, names)) for names in values["folds"]),
            tuple(map(str, values["always_training"])),
        )


def stratum(et_voxels: int) -> int:
    """0 for a case without enhancing tumour, 1 for one with little of it, 2 for the others."""
    if not et_voxels:
        return 0
    return 1 if et_voxels < SMALL_LESION_VOXELS else 2


def _random_key(seed: int, name: str) -> bytes:
    """A random number of a case, which depends on no other case and no version of a library."""
    return hashlib.sha256(utf8(f"{seed} {name}")).digest()
