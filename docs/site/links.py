"""Links between files of the repository as links between pages of the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

_LINK = re.compile(r"(\]\()([^)\s:#]+)((?:#[^)\s]*)?\))")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Links:
    """Rewrites links.

    Parameters
    ----------
    pages : mapping of str to str
        Names on the site by the names in the repository; all other files have the same name as
        in ``docs/``, and notebooks are pages.
    """

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages

    def uri(self, source: str) -> str:
        """The name of a file on the site."""
        name = self._pages.get(source, source.removeprefix("docs/"))
        return f"{name.removesuffix('.ipynb')}.md" if name.endswith(".ipynb") else name

    def of_site(self, markdown: str, source: str) -> str:
        """The text of a page with links of the site, but for what stands in blocks of code."""
        parts, end = [], 0
        for fence in _FENCE.finditer(markdown):
            parts += [self._rewritten(markdown[end : fence.start()], source), fence[0]]
            end = fence.end()
        return "".join([*parts, self._rewritten(markdown[end:], source)])

    def _rewritten(self, text: str, source: str) -> str:
        folder = posixpath.dirname(self.uri(source)) or "."

        def link(match: re.Match[str]) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
            return match[1] + posixpath.relpath(self.uri(target), folder) + match[3]

        return _LINK.sub(link, text)
