"""What would be faster, said once where neither a GPU nor OpenVINO is found."""

from __future__ import annotations

from contextlib import suppress

from smalltumor.errors import OutputError
from smalltumor.files.atomic import write_text
from smalltumor.files.user_dirs import data_folder
from smalltumor.inference.devices import has_openvino

from napari_smalltumor import notify
from napari_smalltumor.devices import Devices

MARKER = "speed_hint.txt"
"""File in the user's data folder: the hint was shown."""

HINT = (
    "No GPU and no OpenVINO were found, so the network runs on the CPU with PyTorch. With "
    "OpenVINO a segmentation takes about half the time: pip install openvino (shown only once)."
)


def show_speed_hint(devices: Devices) -> None:
    """Show the hint, unless it was shown before or nothing is missing.

    Parameters
    ----------
    devices : list of (str, str)
        As `find_devices` finds them.
    """
    if has_openvino() or any(name.startswith(("cuda", "mps")) for _, name in devices):
        return
    marker = data_folder() / MARKER
    if marker.exists():
        return
    notify.info(HINT)
    with suppress(OSError, OutputError):  # without the file it is shown again
        marker.parent.mkdir(parents=True, exist_ok=True)
        write_text(marker, "The hint about OpenVINO and GPUs was shown.\n", overwrite=True)
