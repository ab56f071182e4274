"""Reports of a case: a page as HTML or PDF, and its numbers as JSON and CSV."""

from smalltumor.report.details import ReportDetails, image_warnings, image_warnings_of_scans
from smalltumor.report.page import case_page
from smalltumor.report.page_files import PAGE_SUFFIXES, check_page, write_page
from smalltumor.report.redcap import redcap_row, write_redcap
from smalltumor.report.report_json import as_json, write_json

__all__ = [
    "PAGE_SUFFIXES",
    "ReportDetails",
    "as_json",
    "case_page",
    "check_page",
    "image_warnings",
    "image_warnings_of_scans",
    "redcap_row",
    "write_json",
    "write_page",
    "write_redcap",
]
