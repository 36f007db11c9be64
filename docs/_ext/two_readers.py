"""What is written for who reads the files as they are, in a clone or at the repository's host, made right for pages.

Links between files, `text <../runbook.rst>`_, lead to that page; a link to a file that is no page (docs/openapi.yaml,
deploy/monitoring/alerts.yaml) becomes a download, and one that leads nowhere is a warning, which `make docs` does not
take. Tables of contents are left out: every page has one beside it.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

log = logging.getLogger(__name__)

# Files outside docs/ that are a page here, because that page includes them.
PAGES_OF_FILES = {"CHANGELOG.rst": "changes"}


class LinksBetweenFiles(SphinxTransform):
    """Turn relative links to files into references that Sphinx follows, and checks."""

    # After docutils has found out what the names of links stand for.
    default_priority = 700

    def apply(self, **_kwargs: Any) -> None:
        """Replace each of them in the page that was just read."""
        for link in list(self.document.findall(nodes.reference)):
            address = urlsplit(link.get("refuri", ""))
            if address.path and not address.scheme and not address.netloc:
                self._replace(link, Path(_file_of(link) or self.env.doc2path(self.env.docname)), address.path)

    def _replace(self, link: nodes.reference, page: Path, path: str) -> None:
        target = (page.parent / path).resolve()
        docs = Path(self.env.srcdir)
        if not target.is_file():
            log.warning("There is no such file: %s", path, location=link)
        elif name := _page_name(target, docs):
            link.replace_self(self._reference_to_page(link, name))
        else:
            # "/" stands for the folder of the pages; from there up and down again.
            reach = "/" + str(Path("..") / target.relative_to(docs.parent))
            link.replace_self(addnodes.download_reference("", "", *link.children, reftarget=reach))

    def _reference_to_page(self, link: nodes.reference, name: str) -> addnodes.pending_xref:
        return addnodes.pending_xref(
            "",
            nodes.inline("", "", *link.children),
            refdoc=self.env.docname,
            refdomain="std",
            reftype="doc",
            reftarget=f"/{name}",
            refexplicit=True,
            refwarn=True,
        )


class NoContentsTwice(SphinxTransform):
    """Leave out a page's own table of contents."""

    # After docutils has filled it.
    default_priority = 730

    def apply(self, **_kwargs: Any) -> None:
        """Remove it from the page that was just read."""
        for topic in list(self.document.findall(nodes.topic)):
            if "contents" in topic["classes"]:
                topic.parent.remove(topic)


def _page_name(target: Path, docs: Path) -> str | None:
    """Return the name of the page that this file is; None when it is none."""
    if target.suffix == ".rst" and target.is_relative_to(docs):
        return target.relative_to(docs).with_suffix("").as_posix()
    return PAGES_OF_FILES.get(target.relative_to(docs.parent).as_posix())


def _file_of(node: nodes.Element) -> str | None:
    """Return the file that the node was read from: another one than the page's own where that includes it."""
    place: nodes.Element | None = node
    while place is not None:
        if place.source:
            return str(place.source)
        place = place.parent
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx about it."""
    app.add_transform(LinksBetweenFiles)
    app.add_transform(NoContentsTwice)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
