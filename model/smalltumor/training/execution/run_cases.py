"""The cases of a run: found, split into training and validation, and prepared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch

from smalltumor.errors import TrainingError
from smalltumor.files.names import name_key
from smalltumor.text import pluralize
from smalltumor.training.config import TrainingConfig
from smalltumor.training.data.cache import CaseCache
from smalltumor.training.data.dataset import LabelledCase, labelled_cases, prepare_cases
from smalltumor.training.data.pack import Pack
from smalltumor.training.data.training_case import TrainingCase, TrainingCases
from smalltumor.training.execution.run_record import RunRecord
from smalltumor.training.loop.stopping import StepAborted, StopListener
from smalltumor.training.request import TrainingRequest
from smalltumor.training.runs.run_context import RunContext
from smalltumor.training.splits.split import Split


@dataclass(frozen=True)
class AvailableCases:
    """The cases in the data folder, and those to validate on.

    Parameters
    ----------
    cases : list of LabelledCase
    validation_cases : list of LabelledCase
        Those of the validation folder, and those of the data folder that the request names.
    warnings : tuple of str
        What makes their split doubtful, such as copies under other names.
    """

    cases: list[LabelledCase]
    validation_cases: list[LabelledCase]
    warnings: tuple[str, ...] = ()

    @classmethod
    def find(cls, request: TrainingRequest) -> AvailableCases:
        """Find the cases of a request.

        Raises
        ------
        TrainingError
            As `labelled_cases` and `check_patients`.
        """
        folder = request.validation_folder
        validation = labelled_cases(folder) if folder else []
        cases = labelled_cases(request.data, exclude={case.name for case in validation})
        check_patients(request, cases + validation)
        return cls(cases, validation).with_validation(request.validation_cases)

    def with_validation(self, names: Collection[str]) -> AvailableCases:
        """The same cases, of which those with these names are validation cases, too."""
        return AvailableCases(
            [case for case in self.cases if case.name not in names],
            self.validation_cases + [case for case in self.cases if case.name in names],
            self.warnings,
        )

    def split(
        self, config: TrainingConfig, patients: Mapping[str, str], earlier: RunRecord | None
    ) -> Split:
        """The split of the earlier run, updated, or a new one.

        Parameters
        ----------
        config : TrainingConfig
        patients : mapping of str to str
            Patients by case, see `TrainingRequest`.
        earlier : RunRecord or None

        Raises
        ------
        TrainingError
            As `Split.with_validation` and `Split.updated`.
        """
        names = _names(self.cases)
        validation_cases = _names(self.validation_cases)
        if earlier is not None:
            return earlier.split.updated(names, validation_cases, patients)
        return Split.with_validation(names, validation_cases, config.validation_stride, patients)

    @property
    def all(self) -> list[LabelledCase]:
        """The cases and those to validate on."""
        return self.cases + self.validation_cases

    def left_out(self, split: Split) -> list[str]:
        """Names of the cases that are on neither side of a split."""
        return [n for n in _names(self.cases) if n not in {*split.training, *split.validation}]

    def named(self, names: Sequence[str]) -> list[LabelledCase]:
        """The cases with these names; there may be several of the same name."""
        by_name: dict[str, list[LabelledCase]] = {}
        for case in self.all:
            by_name.setdefault(case.name, []).append(case)
        return [case for name in names for case in by_name[name]]


def check_patients(request: TrainingRequest, cases: Sequence[LabelledCase]) -> None:
    """Check that the request's patients are those of its cases, and not of another collection.

    Raises
    ------
    TrainingError
        If patients are given, but of none of the cases.
    """
    listed = {name_key(name) for name in request.patients}
    if listed and listed.isdisjoint(name_key(case.name) for case in cases):
        raise TrainingError(
            f"the table of patients, of {next(iter(request.patients))} and others, lists none of "
            f"the cases in {request.data}"
        )


def check_unique_names(cases: Sequence[LabelledCase]) -> None:
    """Check that the name of a case is that of no other, so that folds can be drawn by name.

    Raises
    ------
    TrainingError
        If two cases have the same name.
    """
    repeated = [name for name, count in Counter(c.name for c in cases).items() if count > 1]
    if repeated:
        raise TrainingError(f"there is more than one case named {', '.join(repeated)}; rename one")


def _names(cases: Sequence[LabelledCase]) -> list[str]:
    return list(dict.fromkeys(case.name for case in cases))


def prepare_run_cases(
    record: RunRecord, available: AvailableCases, context: RunContext, stop: StopListener
) -> TrainingCases:
    """Prepare the cases of a run's split.

    Process 0 prepares them, and the others then read from the cache.

    Parameters
    ----------
    record : RunRecord
    available : AvailableCases
    context : RunContext
    stop : StopListener

    Raises
    ------
    StepAborted
        If the run is asked to stop meanwhile.
    TrainingError, OutputError
        As `prepare_cases`.
    """
    split, processes = record.split, context.processes
    cache = record.request.cache or record.request.run / "cache"

    def check() -> None:
        if processes.is_main and stop():
            raise StepAborted

    if not processes.is_main:
        processes.wait()
    place = f" in {cache}" if not Pack.is_in(record.request.data) else ""
    context.log(
        f"preparing {pluralize(len(split.training) + len(split.validation), 'case')}{place}"
    )
    training, validation = (
        prepare_cases(available.named(names), record.config.preprocessing, cache, check)
        for names in (split.training, split.validation)
    )
    if processes.is_main:
        if cache.is_dir():
            CaseCache(cache).prune()
        processes.wait()
    return TrainingCases(_on_device(training, processes.device), validation)


def _on_device(cases: list[TrainingCase], device: torch.device) -> list[TrainingCase]:
    """Cases of a pack in the memory of a GPU, if they take up to a third of what is free."""
    if device.type != "cuda" or any(case.quantisation is None for case in cases):
        return cases
    free, _ = torch.cuda.mem_get_info(device)
    if 3 * sum(case.image.nbytes + case.classes.nbytes for case in cases) > free:
        return cases
    return [case.to(device) for case in cases]
