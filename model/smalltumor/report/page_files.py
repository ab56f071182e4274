"""Writing a page as HTML or as PDF, by the ending of its name."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from smalltumor.errors import OutputError
from smalltumor.extras import require
from smalltumor.files.atomic import check_output, write_bytes, write_text

HTML_SUFFIXES = (".html", ".htm")
PDF_SUFFIX = ".pdf"
PAGE_SUFFIXES = (*HTML_SUFFIXES, PDF_SUFFIX)

_STYLES = ("", "body { font-size: 7.6pt !important }")
"""The normal size of print, and the smallest."""


def check_page(path: Path, *, overwrite: bool = False, sources: Iterable[Path] = ()) -> None:
    """Check before the measures that a page can be written.

    Raises
    ------
    OutputError
        If the name does not end in .html, .htm or .pdf, or as `check_output`.
    MissingPackageError
        If a package of the extra ``report`` is not installed.
    """
    if path.suffix.lower() not in PAGE_SUFFIXES:
        raise OutputError(f"{path}: the name of a report ends in .html or .pdf")
    check_output(path, overwrite=overwrite, sources=sources)
    require_report()
    if path.suffix.lower() == PDF_SUFFIX:
        require("plutoprint", "a report as PDF", extra="report")


def require_report() -> None:
    """Check that the packages for an HTML page are installed.

    Raises
    ------
    MissingPackageError
    """
    for module in ("jinja2", "matplotlib"):
        require(module, "a report", extra="report")


def write_page(html: str, path: Path, *, overwrite: bool = False) -> Path:
    """Write a page, whole or not at all.

    Parameters
    ----------
    html : str
    path : Path
        Ending in .html, .htm or .pdf.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError, MissingPackageError
        As `check_page`, or if the file cannot be written.
    """
    check_page(path, overwrite=overwrite)
    if path.suffix.lower() != PDF_SUFFIX:
        write_text(path, html, overwrite=overwrite)
        return path
    content = io.BytesIO()
    book_of(html).write_to_pdf_stream(content)  # write_to_pdf does not tell of a full disk
    write_bytes(path, content.getvalue(), overwrite=overwrite)
    return path


def book_of(html: str) -> Any:
    """The pages of a PDF; a little smaller if that saves one, which a few lines would need."""
    plutoprint = require("plutoprint", "a report as PDF", extra="report")
    books = []
    for style in _STYLES:
        book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NORMAL)
        book.load_html(html, user_style=style)
        books.append(book)
    return min(books, key=lambda book: book.get_page_count())
