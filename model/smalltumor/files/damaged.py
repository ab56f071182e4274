"""What is raised by content that is damaged, or that another program has written.

Only what turns content into values is tried for these errors. What is then computed with the
values is not: a fault of the program would be told as damaged files.
"""

from __future__ import annotations

DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""By values of JSON that are missing, of another type, too large for a float or nested too deep."""
