"""The label schemes of the files of one side of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smalltumor.data.masks.label_files import read_label_volume
from smalltumor.data.masks.label_scheme import own_scheme
from smalltumor.errors import Action, LabelError, Remedy, SchemeSide
from smalltumor.evaluation.find_label_files import LabelFile
from smalltumor.labels.schemes import (
    READ_SCHEMES,
    LabelScheme,
    detect_scheme,
    integer_values,
    whole_scheme,
)
from smalltumor.labels.segments import Segment, check_names
from smalltumor.text import list_text


@dataclass(frozen=True)
class Schemes:
    """The label scheme of each file of a side.

    Parameters
    ----------
    by_file : mapping of Path to LabelScheme
    """

    by_file: Mapping[Path, LabelScheme]

    @property
    def name(self) -> str:
        """Name of the scheme; several with "and" between them."""
        return list_text(sorted({scheme.name for scheme in self.by_file.values()}))

    @property
    def only(self) -> LabelScheme | None:
        """The scheme of all files; None if they are in several, or each tells its own by names."""
        found = {_whole_name(scheme) for scheme in self.by_file.values()}
        return READ_SCHEMES.get(found.pop()) if len(found) == 1 else None


@dataclass(frozen=True)
class _Labels:
    """The values of a label file, the scheme that it tells itself, and its segments."""

    values: set[int]
    own: LabelScheme | None
    segments: tuple[Segment, ...]


def schemes_of(
    files: Sequence[LabelFile],
    given: str | None,
    fallback: LabelScheme | None,
    side: SchemeSide,
) -> Schemes:
    """The label schemes of the files of a side.

    A scheme that the header of a file names, or that its segments make by their names, is that of
    the file. All others are in one scheme,
    since the values of a single file may fit several.

    Parameters
    ----------
    files : sequence of LabelFile
    given : str or None
        Name of the scheme of all files, whatever they tell.
    fallback : LabelScheme or None
        Taken if the values fit several schemes, this one among them.
    side : {"predictions", "truth"}

    Raises
    ------
    CaseError, LabelError
        If a file cannot be read, or the values fit no scheme or several.
    """
    if given is not None:
        return Schemes({file.path: READ_SCHEMES[given] for file in files})
    labels = {file.path: _read(file) for file in files}
    scheme_of_file = {path: label.own for path, label in labels.items() if label.own is not None}
    others = [file for file in files if file.path not in scheme_of_file]
    if not others:
        return Schemes(scheme_of_file)
    # Where headers name one scheme, it may be that of all, and the values of all tell it surest.
    stored = {_whole_name(scheme) for scheme in scheme_of_file.values()}
    tell = files if len(stored) == 1 and stored <= set(READ_SCHEMES) else others
    scheme = _common_scheme(others, {f.path: labels[f.path] for f in tell}, fallback, side)
    for file in others:
        _check_names(file, labels[file.path], scheme, side)
    return Schemes({**{file.path: scheme for file in others}, **scheme_of_file})


def _whole_name(scheme: LabelScheme) -> str:
    """Name of a scheme, of one for some of its classes that of the whole one."""
    whole = whole_scheme(scheme.name)
    return scheme.name if whole is None else whole.name


def _common_scheme(
    files: Sequence[LabelFile],
    labels: Mapping[Path, _Labels],
    fallback: LabelScheme | None,
    side: SchemeSide,
) -> LabelScheme:
    values = set[int]().union(*(own.values for own in labels.values()))
    hints = {file.hint for file in files if file.hint}
    hint = hints.pop() if len(hints) == 1 else None
    try:
        return detect_scheme(values, hint)
    except LabelError as error:
        is_mask = error.remedy is not None and error.remedy.action is Action.NAME_REGION
        if fallback is not None and hint is None and not is_mask and values <= {*fallback.classes}:
            return fallback
        misfit = (path for path, own in labels.items() if not _fits_a_scheme(own.values))
        remedy = None if error.remedy is None else replace(error.remedy, side=side)
        where = next(misfit, files[0].path if len(files) == 1 else files[0].path.parent)
        raise LabelError(f"{where}: {error}", remedy) from error


def _fits_a_scheme(values: set[int]) -> bool:
    return any(values <= set(scheme.classes) for scheme in READ_SCHEMES.values())


def _read(file: LabelFile) -> _Labels:
    volume = read_label_volume(file.path)
    try:
        values = set(integer_values(volume.data))
        own = own_scheme(volume, values)
        return _Labels(values, None if own is None else own.scheme, volume.segments)
    except LabelError as error:
        raise error.prefixed(file.path) from error


def _check_names(file: LabelFile, labels: _Labels, scheme: LabelScheme, side: SchemeSide) -> None:
    try:
        check_names(labels.segments, labels.values, scheme)
    except LabelError as error:
        raise LabelError(f"{file.path}: {error}", Remedy(Action.NAME_SCHEME, side=side)) from error
