"""Messages that tell the user to do something with a patient are removed when it is closed."""

from __future__ import annotations

from napari_smalltumor.layers.patient import Patient

_TEXTS: dict[Patient, list[str]] = {}


def about(patient: Patient, message: str) -> str:
    """Remember that a message, which is returned, concerns a patient."""
    _TEXTS.setdefault(patient, []).append(message)
    return message


def remove_messages(patient: Patient) -> None:
    """Remove the messages about a patient that are still shown."""
    texts = _TEXTS.pop(patient, [])
    if texts:
        from napari_smalltumor.widgets.readable_messages import close_messages

        close_messages(texts)
