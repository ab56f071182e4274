"""How a DICOM image was acquired: names, times, techniques and contrast agent in its header."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smalltumor.scanner.acquisition_time import normal_time
from smalltumor.scanner.dicom.frames import Frame
from smalltumor.scanner.sequences.unsupported_series import COLOUR
from smalltumor.scanner.series import Acquisition

_TECHNIQUES = (
    *(("EchoPulseSequence", "SPIN", ("SE",)), ("EchoPulseSequence", "GRADIENT", ("GR",))),
    *(("EchoPulseSequence", "BOTH", ("SE", "GR")), ("EchoPlanarPulseSequence", "YES", ("EP",))),
)
"""Attributes of enhanced files, their values, and the codes of Scanning Sequence for them."""

_EVENTS = ("Acquisition", "Series", "Content", "Study")
_DATE = re.compile(r"\d{4}([-.]?)\d{2}\1\d{2}")


def acquisition_of(frame: Frame) -> Acquisition:
    """How a frame was acquired, as its header says."""
    names = [
        frame.text(keyword)
        for keyword in ("SeriesDescription", "SequenceName", "PulseSequenceName")
    ]
    kind = frame.text("MRAcquisitionType").upper()
    image_type = _image_type(frame)
    return Acquisition(
        text="; ".join(dict.fromkeys(name for name in names if name)),
        protocol=frame.text("ProtocolName"),
        contrast_agent=_contrast_agent(frame),
        repetition_time=frame.number("RepetitionTime"),
        echo_time=frame.number("EffectiveEchoTime", "EchoTime"),
        inversion_time=frame.number("InversionTime", "InversionTimes"),
        techniques=_techniques(frame),
        image_type=image_type,
        is_3d={"3D": True, "2D": False}.get(kind),
        body_part=frame.text("BodyPartExamined").upper(),
        time=_time(frame, is_derived="DERIVED" in image_type),
    )


def _contrast_agent(frame: Frame) -> str:
    """Its name; empty if none was given by the time of the frame, as enhanced files may say."""
    if frame.text("ContrastBolusAgentAdministered").upper() == "NO":
        return ""
    named = frame.header.get("ContrastBolusAgentSequence") or ()
    codes = (str(item.get("CodeMeaning") or "a contrast agent").strip() for item in named)
    return frame.text("ContrastBolusAgent") or ", ".join(codes)


def _time(frame: Frame, *, is_derived: bool) -> str:
    """When it was acquired, or else when its series began; that is later for a derived image."""
    return next(filter(None, map(normal_time, _times(frame, is_derived=is_derived))), "")


def _times(frame: Frame, *, is_derived: bool) -> Iterator[str]:
    """What may be the time, the best one first; each is read only if those before it are none."""
    yield frame.text("FrameAcquisitionDateTime")
    yield frame.text("AcquisitionDateTime")
    yield _date_and_time(frame, "Acquisition")
    if not is_derived:
        yield _date_and_time(frame, "Series")
        yield _date_and_time(frame, "Content")


def _date_and_time(frame: Frame, event: str) -> str:
    """Of an event; the date is that of the nearest event whose date is known."""
    time = frame.text(f"{event}Time")
    dates = (frame.text(f"{name}Date") for name in (event, *_EVENTS) if time)
    return next((date for date in dates if _DATE.fullmatch(date)), "") + time


def _image_type(frame: Frame) -> frozenset[str]:
    own = (COLOUR,) if is_colour(frame) else ()
    return frozenset((*frame.texts("FrameType"), *frame.texts("ImageType"), *own))


def is_colour(frame: Frame) -> bool:
    """Whether the pixels are colours."""
    colours = ("PALETTE COLOR", "RGB", "YBR")
    is_named = frame.text("PhotometricInterpretation").upper().startswith(colours)
    return is_named or (frame.number("SamplesPerPixel") or 1) != 1


def _techniques(frame: Frame) -> frozenset[str]:
    codes = set(frame.texts("ScanningSequence"))
    for keyword, value, techniques in _TECHNIQUES:
        if frame.text(keyword).upper() == value:
            codes.update(techniques)
    return frozenset(codes)
