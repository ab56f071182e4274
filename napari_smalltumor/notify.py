"""Messages to the user as napari notifications."""

from __future__ import annotations

from collections.abc import Callable

from smalltumor.data.naming.case_files import modality_titles
from smalltumor.errors import Action, Remedy, SmalltumorError
from smalltumor.text import list_text

# fmt: off
_FIRST_WORDS = frozenset((
    "a", "an", "another", "backend", "brain", "by", "crops", "device", "folds", "it", "its",
    "label", "multiple", "name", "network", "no", "none", "not", "one", "patience", "preprocessing",
    "probabilities", "process", "the", "there", "this", "torchrun", "training", "two", "unknown",
    "values", "weights", "windows",
))
# fmt: on
"""Words that messages of errors begin with, and no name of a case or file.

`tests/napari_smalltumor/test_notify.py` finds those that are missing here, in the source of
both packages.
"""


def info(message: str) -> None:
    """Report a success."""
    from napari.utils.notifications import show_info

    show_info(sentence(message))


def warn(message: str) -> None:
    """Report something that the user should check."""
    from napari.utils.notifications import show_warning

    show_warning(sentence(message))


def error(message: str) -> None:
    """Report something that could not be done."""
    from napari.utils.notifications import show_error

    show_error(sentence(message))


def report_error(exception: Exception) -> None:
    """Report an exception: an error of the user in one line, a bug with its traceback."""
    if isinstance(exception, SmalltumorError):
        error(error_text(exception))
    else:
        unexpected(exception)


def unexpected(exception: Exception) -> None:
    """Report a bug; napari's notification shows the traceback for a bug report."""
    from napari.utils.notifications import notification_manager

    notification_manager.receive_error(type(exception), exception, exception.__traceback__)


def error_text(exception: SmalltumorError) -> str:
    """The message of an error, and what to do about it in the words of the window."""
    text = sentence(str(exception))
    if exception.remedy is None:
        return text
    return f"{text}; {_REMEDIES[exception.remedy.action](exception.remedy)}"


def sentence(text: str) -> str:
    """A message with a capital first letter, unless it begins with a name of a case or file.

    The messages of `smalltumor` are those of a command line, which follow a colon.
    """
    return text[:1].upper() + text[1:] if text.partition(" ")[0] in _FIRST_WORDS else text


def _name_modalities(remedy: Remedy) -> str:
    if not remedy.modalities:
        return "open the images, too, and choose them in the Segment dock"
    titles = modality_titles(remedy.modalities)
    return f"open the images, too, and choose {titles} in the Segment dock"


def _resume(remedy: Remedy) -> str:
    settings = list_text(
        f"{name.replace('_', ' ')} {value}" for name, value in remedy.settings.items()
    )
    return f"resume the run with {settings}" if settings else "click Resume"


def _name_region(remedy: Remedy) -> str:
    return "end its name in _et, _tc or _wt, and open it again as the mask of that region"


_REMEDIES: dict[Action, Callable[[Remedy], str]] = {
    Action.CHOOSE_OUTPUT: lambda remedy: "choose another name or folder",
    Action.REPLACE_OUTPUT: lambda remedy: "choose another name or folder, or delete it first",
    Action.NAME_SCHEME: lambda remedy: (
        "rename it after its data set, as in BraTS2021_00019_seg.nii.gz or "
        "BraTS-GLI-02143-101-seg.nii.gz, and open it again"
    ),
    Action.NAME_REGION: _name_region,
    Action.READ_AS_MASK: _name_region,
    Action.NAME_MODALITIES: _name_modalities,
    Action.NAME_FILES: lambda remedy: (
        "open the folder with the images of one patient, or of a scan in DICOM or NIfTI files"
    ),
    Action.RESAMPLE: lambda remedy: (
        "if the images come from the scanner, choose File > IO Utilities > Prepare a scan..."
    ),
    Action.CHOOSE_WEIGHTS: lambda remedy: (
        "choose weights trained with modality dropout under Weights"
        if remedy.modalities
        else "choose another file under Weights"
    ),
    Action.IMPORT_WEIGHTS: lambda remedy: "convert the published checkpoint first",
    Action.CHOOSE_DEVICE: lambda remedy: "choose another device under Device",
    Action.CHECK_DATASET: lambda remedy: (
        "the Cases page of the Fine-tune dock lists the problems of each case"
    ),
    Action.CHOOSE_RUN_FOLDER: lambda remedy: "click Resume, or start a new run",
    Action.INCLUDE_UNFINISHED: lambda remedy: "wait until the run has ended",
    Action.INSTALL_COHORT: lambda remedy: 'install it with pip install "napari-smalltumor[cohort]"',
    Action.INSTALL_RAW: lambda remedy: 'install it with pip install "napari-smalltumor[raw]"',
    Action.INSTALL_REPORT: lambda remedy: 'install it with pip install "napari-smalltumor[report]"',
    Action.INSTALL_ONNX: lambda remedy: 'install it with pip install "napari-smalltumor[onnx]"',
    Action.CONVERT: lambda remedy: "open its folder instead: the plugin makes a case of it",
    Action.CHOOSE_CASE: lambda remedy: "choose the files of one of them",
    Action.CHOOSE_STUDY: lambda remedy: "open the folder of one study",
    Action.CHOOSE_SERIES: lambda remedy: "choose the folder of one of them",
    Action.NAME_SESSION: lambda remedy: "name the session of this visit",
    Action.ALLOW_OTHER_IMAGES: lambda remedy: (
        "choose the study of this patient; if it is theirs, export the mask and convert it on the "
        "command line"
    ),
    Action.CONFIRM_IMAGES: lambda remedy: "check that the mask fits the images",
    Action.START_AGAIN: lambda remedy: "start again in another folder with smaller settings",
    Action.RESUME: _resume,
}
