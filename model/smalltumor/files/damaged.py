"""What is raised by content that is damaged, or that another program has written."""

from __future__ import annotations

DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""By values of JSON that are missing, of another type, too large for a float or nested too deep."""
