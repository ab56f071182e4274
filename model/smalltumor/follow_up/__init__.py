"""Two or more scans of a patient, registered and compared: the current one with earlier ones."""

from smalltumor.follow_up.compare import FollowUp, Scan, compare_registered, compare_scans
from smalltumor.follow_up.distances import TOLERANCE_MM
from smalltumor.follow_up.matching import CHANGED_VOLUME, ChangeKind, LesionChange
from smalltumor.follow_up.registration import MIN_SIMILARITY, ScanRegistration
from smalltumor.follow_up.response import BASIS, RULE, UNKNOWN, Category, Response
from smalltumor.follow_up.scan_warnings import patients_text, scan_warnings

__all__ = [
    "BASIS",
    "CHANGED_VOLUME",
    "MIN_SIMILARITY",
    "RULE",
    "TOLERANCE_MM",
    "UNKNOWN",
    "Category",
    "ChangeKind",
    "FollowUp",
    "LesionChange",
    "Response",
    "Scan",
    "ScanRegistration",
    "compare_registered",
    "compare_scans",
    "patients_text",
    "scan_warnings",
]
