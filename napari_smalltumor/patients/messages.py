"""Messages about a patient are removed when it is closed, or when they no longer hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from psygnal import SignalInstance

from napari_smalltumor.layers.patient import Patient

Condition = Callable[[Patient | None], bool]
"""Whether a message holds, given the active patient."""


def while_not_active(patient: Patient) -> Condition:
    """The condition that a patient is not the active one."""
    return lambda active: active != patient


class PatientMessages:
    """The messages about the patients of one viewer; each text about a patient is kept once.

    They are removed here when another patient becomes active or layers come or go. Whatever else a
    condition depends on calls `remove_outdated`.

    Parameters
    ----------
    active : callable
        Returns the active patient.
    changed, patients_changed : SignalInstance
        Those of `ActivePatient`.
    """

    def __init__(
        self,
        active: Callable[[], Patient | None],
        changed: SignalInstance,
        patients_changed: SignalInstance,
    ) -> None:
        self._active = active
        self._texts: defaultdict[Patient | None, dict[str, Condition | None]] = defaultdict(dict)
        self._of_active: set[str] = set()
        changed.connect(self._on_another_active)
        patients_changed.connect(self.remove_outdated)

    def about(self, patient: Patient | None, message: str, holds: Condition | None = None) -> str:
        """Remember that a message, which is returned, concerns a patient until it is closed.

        Parameters
        ----------
        patient : Patient or None
            None: the message concerns layers of no patient.
        message : str
        holds : callable, optional
            The message is removed when this is False: when what it names is done or gone. It takes
            the place of the condition that the message had before.
        """
        self._texts[patient][message] = holds
        return message

    def remove_outdated(self) -> None:
        """Remove the messages that no longer hold about any patient."""
        active, outdated = self._active(), set()
        for texts in self._texts.values():
            gone = {text for text, holds in texts.items() if holds and not holds(active)}
            for text in gone:
                del texts[text]
            outdated |= gone
        self._close(outdated.difference(*self._texts.values()))

    def _on_another_active(self) -> None:
        self.remove_about_active()
        self.remove_outdated()

    def remove(self, patient: Patient) -> None:
        """Remove the messages about a patient that are still shown."""
        self._close(set(self._texts.pop(patient, {})))

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
        if texts:
            from napari_smalltumor.widgets.readable_messages import close_messages

            close_messages(texts)
