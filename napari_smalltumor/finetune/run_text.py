"""The status of a run as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smalltumor.text import list_text
from smalltumor.training.runs.status import RunState, RunStatus

_WARNINGS = 3


def state_line(status: RunStatus) -> str:
    """State of a run, its progress, and its host if it runs on another machine."""
    host = f" on {status.host}" if status.host else ""
    progress = progress_text(status)
    if status.state is RunState.NONE:
        return "No run"
    if status.state.is_live:
        doing = "Training" if status.state is RunState.RUNNING else "Starting"
        told = (status.state is RunState.RUNNING and progress) or status.message
        return f"{doing}{host}: {told}"
    if status.state is RunState.FAILED:
        return f"Failed{host}{f' ({progress})' if progress else ''}: {status.message}"
    return f"{status.message[:1].upper()}{status.message[1:]}{f' · {progress}' if progress else ''}"


def progress_text(status: RunStatus) -> str:
    """Epoch, percentage and time left; empty before the first epoch."""
    if not status.epoch:
        return ""
    parts = [f"epoch {status.epoch} of {status.epochs}"]
    if status.state is not RunState.DONE:
        parts.append(f"{status.fraction:.0%}")
    if status.seconds_left is not None:
        parts.append(f"{duration(status.seconds_left)} left")
    return " · ".join(parts)


def facts(status: RunStatus) -> list[tuple[str, str]]:
    """Time left, speed, memory and other known numbers, as pairs of title and text."""
    rows: list[tuple[str, str]] = []
    if status.seconds_left is not None:
        rows.append(("Time left", duration(status.seconds_left)))
    if status.voxels_per_second:
        rows.append(("Speed", f"{status.voxels_per_second / 1e6:,.2f} million voxels/s"))
    if status.peak_memory:
        rows.append(("Memory used", f"{status.peak_memory / 1e9:.1f} GB at most"))
    if status.device:
        rows.append(("Device", status.device))
    return rows


def warning_text(warnings: Sequence[str]) -> str:
    """The first warnings of a run, one in a line, and how many more there are."""
    lines = [f"⚠ {warning}" for warning in warnings[:_WARNINGS]]
    more = len(warnings) - len(lines)
    return "\n".join([*lines, f"and {more} more"] if more else lines)


def resume_text(settings: Mapping[str, int]) -> str:
    """Title of the button that resumes a run with smaller settings."""
    changes = list_text(
        f"a smaller {name.replace('_', ' ')} ({value})" for name, value in settings.items()
    )
    return f"Resume with {changes}"


def duration(seconds: float) -> str:
    """A rounded duration such as 40 s, 12 min or 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes <= 90 else f"{minutes // 60} h {minutes % 60} min"
