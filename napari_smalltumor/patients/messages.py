"""Messages about a patient are removed when it is closed, or when they no longer hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from napari_smalltumor.layers.patient import Patient

Condition = Callable[[Patient | None], bool]
"""Whether a message holds, given the active patient."""


def while_not_active(patient: Patient) -> Condition:
    """The condition that a patient is not the active one."""
    return lambda active: active != patient


class PatientMessages:
    """The messages about the patients of one viewer; each text is kept once."""

    def __init__(self) -> None:
        self._texts: defaultdict[Patient, set[str]] = defaultdict(set)
        self._of_active: set[str] = set()
        self._holds: dict[str, Condition] = {}

    def about(self, patient: Patient, message: str, holds: Condition | None = None) -> str:
        """Remember that a message, which is returned, concerns a patient until it is closed.

        Parameters
        ----------
        patient : Patient
        message : str
        holds : callable, optional
            The message is removed when this is False: when what it names is done or gone.
        """
        self._texts[patient].add(message)
        if holds is not None:
            self._holds[message] = holds
        return message

    def remove_outdated(self, active: Patient | None) -> None:
        """Remove the messages that no longer hold.

        Parameters
        ----------
        active : Patient or None
            The active patient.
        """
        outdated = {text for text, holds in self._holds.items() if not holds(active)}
        for texts in self._texts.values():
            texts -= outdated
        self._close(outdated)

    def remove(self, patient: Patient) -> None:
        """Remove the messages about a patient that are still shown."""
        self._close(self._texts.pop(patient, set()))

    def about_active(self, message: str) -> str:
        """Remember that a message, which is returned, is said while a patient stays active.

        It takes the place of the same message, if that is still shown.
        """
        if message in self._of_active:
            self.remove_about_active(message)
        self._of_active.add(message)
        return message

    def remove_about_active(self, message: str = "") -> None:
        """Remove a message about the active patient that is still shown, or all of them."""
        texts = {message} if message else set(self._of_active)
        self._of_active -= texts
        self._close(texts)

    def _close(self, texts: set[str]) -> None:
        for text in texts:
            self._holds.pop(text, None)
        if texts:
            from napari_smalltumor.widgets.readable_messages import close_messages

            close_messages(texts)
