"""Messages that tell the user to do something with a patient are removed when it is closed."""

from __future__ import annotations

from collections import defaultdict

from napari_smalltumor.layers.patient import Patient


class PatientMessages:
    """The messages about the patients of one viewer; each text is kept once."""

    def __init__(self) -> None:
        self._texts: defaultdict[Patient, set[str]] = defaultdict(set)

    def about(self, patient: Patient, message: str) -> str:
        """Remember that a message, which is returned, concerns a patient."""
        self._texts[patient].add(message)
        return message

    def remove(self, patient: Patient) -> None:
        """Remove the messages about a patient that are still shown."""
        texts = self._texts.pop(patient, set())
        if texts:
            from napari_smalltumor.widgets.readable_messages import close_messages

            close_messages(texts)
