"""Which cases a run trains on and which it validates on, kept for the whole run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from smalltumor.data.identity.patients import patient_key
from smalltumor.errors import TrainingError
from smalltumor.text import pluralize

_NO_PATIENTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Split:
    """Training and validation cases, by name.

    The split is drawn once. If it were drawn again when a run is resumed, a case added to the
    folder meanwhile would move other cases from one set to the other, and the network would be
    validated on cases that it was trained on.

    Parameters
    ----------
    training : tuple of str
        Cases of the steps to come, in the order in which crops are drawn from them.
    validation : tuple of str
    trained_on : tuple of str
        Every case that the run has trained on, including those removed from `training` since.
    """

    training: tuple[str, ...]
    validation: tuple[str, ...]
    trained_on: tuple[str, ...]

    @classmethod
    def with_validation(
        cls,
        names: Sequence[str],
        validation_cases: Sequence[str],
        every: int = 0,
        patients: Mapping[str, str] = _NO_PATIENTS,
    ) -> Split:
        """Validate on `validation_cases` and every n-th patient of the others; not at random.

        Other scans of the patients of `validation_cases` are on neither side.

        Parameters
        ----------
        names : sequence of str
            All cases but `validation_cases`, sorted.
        validation_cases : sequence of str
        every : int
            Validate on the first patient of `names` and every `every`-th after it; 0 for none.
        patients : mapping of str to str
            Patients by case, for cases whose names do not tell, see `patient_of`.

        Raises
        ------
        TrainingError
            If nothing is left to train on.
        """
        taken = {patient_key(name, patients) for name in validation_cases}
        scans = {name: patient_key(name, patients) for name in names}
        scans = {name: patient for name, patient in scans.items() if patient not in taken}
        validation = list(validation_cases)
        if every:
            chosen = set(list(dict.fromkeys(scans.values()))[::every])
            validation += [name for name, patient in scans.items() if patient in chosen]
        training = tuple(name for name in scans if name not in set(validation))
        if not training:
            raise TrainingError(
                "no case is left to train on beside "
                f"{pluralize(len(validation), 'validation case')}"
            )
        return cls(training, tuple(validation), training)

    def updated(
        self,
        names: Sequence[str],
        validation_cases: Sequence[str],
        patients: Mapping[str, str] = _NO_PATIENTS,
    ) -> Split:
        """The split of a resumed run, for the cases that exist now.

        New cases become training cases, except scans of validation patients. Training cases
        that no longer exist are left out. A validation case that no longer exists is an error,
        because scores before and after would not be comparable.

        Parameters
        ----------
        names : sequence of str
            All cases of the data folder now.
        validation_cases : sequence of str
            Cases of the validation folder now; they are not trained on. If the run had no
            validation cases so far, these become its validation cases.
        patients : mapping of str to str
            As for `with_validation`.

        Raises
        ------
        TrainingError
            If a validation case no longer exists, a scan of its patient has been trained on, or no
            training case is left.
        """
        self._check_present({*names, *validation_cases})
        validation = self.validation or tuple(validation_cases)
        seen = {patient_key(name, patients) for name in self.trained_on}
        leaked = [name for name in validation if patient_key(name, patients) in seen]
        if leaked:
            raise TrainingError(f"{self._leaks(leaked)}; start a new run")
        excluded = {*validation, *validation_cases}
        kept = [name for name in self.training if name in names and name not in excluded]
        known = {patient_key(name, patients) for name in excluded}
        new = [name for name in names if name not in {*self.training, *excluded}]
        training = (*kept, *(name for name in new if patient_key(name, patients) not in known))
        if not training:
            raise TrainingError("none of the run's training cases exists any more")
        return Split(training, validation, tuple(dict.fromkeys((*self.trained_on, *training))))

    def _check_present(self, names: Collection[str]) -> None:
        """Refuse names among which a validation case is missing."""
        missing = [name for name in self.validation if name not in names]
        if missing:
            these, it = (
                ("this validation case of the run is", "it")
                if len(missing) == 1
                else ("these validation cases of the run are", "them")
            )
            raise TrainingError(
                f"{', '.join(missing)}: {these} missing, so later scores would not be comparable "
                f"with earlier ones; put {it} back, or start a new run from the best weights"
            )

    def _leaks(self, leaked: Sequence[str]) -> str:
        """That the run was trained on validation cases, or on other scans of their patients."""
        own = [name for name in leaked if name in self.trained_on]
        others = [name for name in leaked if name not in self.trained_on]
        texts = []
        if own:
            these, it = ("this case", "it") if len(own) == 1 else ("these cases", "them")
            texts.append(
                f"{', '.join(own)}: the run has been trained on {these} and cannot validate on {it}"
            )
        if others:
            of, it = ("this patient", "it") if len(others) == 1 else ("these patients", "them")
            texts.append(
                f"{', '.join(others)}: the run has been trained on another scan of {of} and cannot "
                f"validate on {it}"
            )
        return "; ".join(texts)

    def to_dict(self) -> dict[str, list[str]]:
        """Plain values for ``config.json``."""
        return {
            "training": list(self.training),
            "validation": list(self.validation),
            "trained_on": list(self.trained_on),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Split:
        """The inverse of `to_dict`."""
        names = ("training", "validation", "trained_on")
        return cls(*(tuple(map(str, values[name])) for name in names))
