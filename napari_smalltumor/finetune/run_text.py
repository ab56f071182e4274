"""From what is chosen in the dock to a plan, and from a run's status to words; no Qt."""

from __future__ import annotations

from smalltumor.training.runs.monitor import RunStatus, State


def state_line(status: RunStatus) -> str:
    """What the run is doing, how far it is, and where if not here."""
    where = f" on {status.host}" if status.host else ""
    far = progress(status)
    if status.state is State.NONE:
        return "No run"
    if status.state is State.RUNNING and far:
        return f"Training{where}: {far}"
    if status.state.is_live:
        return f"{status.state.title()}{where}: {status.message}"
    if status.state is State.FAILED:
        return f"Failed{where}{f' ({far})' if far else ''}: {status.message}"
    return f"{status.message[:1].upper()}{status.message[1:]}{f' · {far}' if far else ''}"


def progress(status: RunStatus) -> str:
    """Epoch, share and time left; empty before the first epoch."""
    if not status.epoch:
        return ""
    parts = [f"epoch {status.epoch} of {status.epochs}"]
    if status.state is not State.DONE:
        parts.append(f"{status.fraction:.0%}")
    if status.seconds_left is not None:
        parts.append(f"{duration(status.seconds_left)} left")
    return " · ".join(parts)


def facts(status: RunStatus) -> list[tuple[str, str]]:
    """Throughput, memory and the like, as names and values."""
    rows: list[tuple[str, str]] = []
    if status.voxels_per_second:
        rows.append(("Throughput", f"{status.voxels_per_second / 1e3:,.0f} thousand voxels/s"))
    if status.peak_memory:
        rows.append(("Memory", f"{status.peak_memory / 1e9:.1f} GB at most"))
    if status.stem_rms:
        rows.append(("Stem features", f"{status.stem_rms:.2f} (root mean square)"))
    if status.training:
        held = f", {len(status.validation)} held out" if status.validation else ""
        cases = "1 case" if len(status.training) == 1 else f"{len(status.training)} cases"
        rows.append(("Learns from", f"{cases}{held}"))
    if status.device:
        rows.append(("Device", status.device))
    return rows


def duration(seconds: float) -> str:
    """Such as 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes <= 90 else f"{minutes // 60} h {minutes % 60} min"
