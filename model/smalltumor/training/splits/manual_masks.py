"""Validation cases whose masks were drawn by people, where a share of the cases validates."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from smalltumor.data.identity.patients import patient_key


def manual_validation_cases(
    names: Sequence[str], every: int, of_network: Collection[str]
) -> tuple[str, ...]:
    """Cases to validate on instead of those of every n-th patient, whose masks a network made.

    A Dice against a corrected result of a network says how much of it was corrected, not how good
    the network is.

    Parameters
    ----------
    names : sequence of str
        All cases, sorted.
    every : int
        As for `Split.with_validation`.
    of_network : collection of str
        Cases whose masks a network made, corrected or not.

    Returns
    -------
    tuple of str
        All scans of as many patients, or of fewer if there are no more; empty if the masks of
        every n-th patient were drawn by people anyway, or those of no patient were.
    """
    scans: dict[str, list[str]] = {}
    for name in names:
        scans.setdefault(patient_key(name, {}), []).append(name)
    chosen = list(scans)[::every]
    drawn = [patient for patient in scans if not set(scans[patient]) & set(of_network)]
    if set(chosen) <= set(drawn):
        return ()
    return tuple(name for patient in drawn[: len(chosen)] for name in scans[patient])
