"""Messages about a patient are removed when it is closed, or when another one is active."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from napari_smalltumor.layers.patient import Patient


class PatientMessages:
    """The messages about the patients of one viewer; each text is kept once."""

    def __init__(self) -> None:
        self._texts: defaultdict[Patient, set[str]] = defaultdict(set)
        self._of_active: set[str] = set()

    def about(self, patient: Patient, message: str) -> str:
        """Remember that a message, which is returned, concerns a patient until it is closed."""
        self._texts[patient].add(message)
        return message

    def remove(self, patient: Patient) -> None:
        """Remove the messages about a patient that are still shown."""
        _close(self._texts.pop(patient, set()))

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
        _close(texts)


def _close(texts: Iterable[str]) -> None:
    if texts:
        from napari_smalltumor.widgets.readable_messages import close_messages

        close_messages(set(texts))
