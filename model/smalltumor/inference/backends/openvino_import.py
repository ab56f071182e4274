"""OpenVINO without its telemetry."""

from __future__ import annotations

import contextlib
import sys
import threading
from types import ModuleType
from typing import Any, cast

from smalltumor.inference.devices import has_openvino, may_have_nvidia_gpu

_TELEMETRY = "openvino_telemetry"
_lock = threading.Lock()


def import_openvino() -> Any:
    """Import OpenVINO so that it reports nothing; the only place where it is imported.

    When it is imported, OpenVINO sends an event to Google Analytics from a process of its own, and
    writes an identifier to ``~/intel``. Without the package ``openvino_telemetry`` it does neither.
    What another package has imported before is not changed.

    Returns
    -------
    module
        ``openvino``.

    Raises
    ------
    ImportError
        If OpenVINO is not installed.
    """
    with _lock:
        if "openvino" not in sys.modules:
            # None makes every import of the package fail as if it were not installed.
            cast("dict[str, ModuleType | None]", sys.modules)[_TELEMETRY] = None
        import openvino  # noqa: TID251
    return openvino


def import_in_background(device: str, backend: str) -> None:
    """Import the modules of a run on the CPU in a thread, while the case is read.

    Errors are ignored here; the run imports the same modules and reports them.
    """

    def load() -> None:
        with contextlib.suppress(Exception):
            import_openvino()
            from skimage.measure import label  # noqa: F401

    on_cpu = device == "cpu" or (device == "auto" and not may_have_nvidia_gpu())
    if on_cpu and backend != "torch" and has_openvino():
        threading.Thread(target=load, daemon=True).start()
