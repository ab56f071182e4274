"""Checks that the images of a case are what the network was trained on, and their findings."""

from smalltumor.data.input_checks.checks import check_input
from smalltumor.data.input_checks.findings import Finding, FindingKind

__all__ = ["Finding", "FindingKind", "check_input"]
