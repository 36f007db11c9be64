"""enterprise-catalog: content and catalogs. Contract: recordings/enterprise-catalog.

Traps that shape this module: every boolean parameter is on as soon as it is not empty, so it is left out to switch it
off; keys match in any letter case and come back as stored; a long address is cut off, so many keys go in pieces.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import attrs

from enterprise_access.lib.http import Params
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.structure import reader
from enterprise_access.upstream.absence import is_absence
from enterprise_access.upstream.apart import read_apart
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.catalog.types import (
    Catalog,
    Containment,
    ContentRecord,
    SearchKey,
    keys_of_content,
    read_containment_with_catalogs,
    read_content,
    read_filtered_keys,
    read_search_key,
)
from enterprise_access.upstream.paging import all_rows, in_pieces, joined, numbered_pages, page_of, whole_page_of
from enterprise_access.upstream.rights import CATALOG_ADMIN, OPERATOR, need_role

_ON: Final = "true"
_PAGE_SIZE: Final = ("page_size", "100")


class CatalogClient(ServiceClient):
    """Asks enterprise-catalog as our worker account, or as a learner where it answers only to learners.

    Every method raises UpstreamUnavailable (time-out, 5xx: later), UpstreamRefused (4xx, or malformed input that was
    not sent: never again) or UpstreamChanged (unknown shape: alert).
    """

    def list_catalogs(self, *, customer_uuid: UUID) -> tuple[Catalog, ...]:
        """Return the catalogs of a customer; none for an unknown customer."""
        params = [("enterprise_customer", self._checked.uuid(customer_uuid, "customer_uuid")), _PAGE_SIZE]
        ask = self._ask("/api/v1/enterprise-catalogs/")
        catalogs = tuple(all_rows(numbered_pages(ask, params, whole_page_of(Catalog))))
        # Of customers that the caller may not see, the list is empty.
        need_role(self.transport, OPERATOR, CATALOG_ADMIN)
        return catalogs

    def list_catalog_content(self, *, catalog_uuid: UUID, content_keys: Sequence[str]) -> Rows[ContentRecord]:
        """Return what a catalog holds of these keys: in any order, without what it does not hold.

        One key may bring several records (the course and its runs), restricted runs included where the catalog allows
        them. Inactive courses are returned too. The keys of an unreadable record are a set: all that it may answer.
        """
        path, catalog = (
            "/api/v2/enterprise-catalogs/{}/get_content_metadata/",
            self._checked.uuid(catalog_uuid, "catalog_uuid"),
        )
        return self._content(path, [catalog], "content_keys", content_keys, [("traverse_pagination", _ON)])

    def list_content(
        self, *, content_keys: Sequence[str], coerce_to_parent_course: bool = False
    ) -> Rows[ContentRecord]:
        """Return the records of these keys, whatever catalog they are in; unknown keys are just absent.

        Coerced, runs answer with their course, and several runs of one course with one record.
        """
        flags = [("coerce_to_parent_course", _ON)] if coerce_to_parent_course else []
        return self._content("/api/v1/content-metadata/", [], "content_identifiers", content_keys, [*flags, _PAGE_SIZE])

    def get_customer_content(
        self, *, customer_uuid: UUID, content_key: str | UUID, skip_customer_fetch: bool = True
    ) -> ContentRecord | None:
        """Return the first match in any catalog of the customer; None when no catalog has it.

        A run's key normally brings its course, and a course's key may bring a run: look at `content_type`. With
        `skip_customer_fetch` the catalog does not ask the LMS for the customer, which only links would need.
        """
        answer = self.transport.get(
            "/api/v2/enterprise-customer/{}/content-metadata/{}/",
            self._checked.uuid(customer_uuid, "customer_uuid"),
            self._checked.content_id(content_key),
            params=[("skip_customer_fetch", _ON)] if skip_customer_fetch else [],
            expect=(200, 404),
        )
        return None if is_absence(answer, status=404) else answer.read(read_content)

    def get_content(self, *, content_key: str | UUID, coerce_to_parent_course: bool = False) -> ContentRecord | None:
        """Return a record, whatever catalog it is in; None when there is no such content anywhere."""
        answer = self.transport.get(
            "/api/v1/content-metadata/{}/",
            self._checked.content_id(content_key),
            params=[("coerce_to_parent_course", _ON)] if coerce_to_parent_course else [],
            expect=(200, 404),
        )
        return None if is_absence(answer, status=404) else answer.read(read_content)

    def contains(self, *, customer_uuid: UUID, content_keys: Sequence[str], with_catalogs: bool = True) -> Containment:
        """Say whether any catalog of the customer holds any of the keys, and which catalogs do if `with_catalogs`.

        Not in pieces: about 60 run keys or 100 course keys fit. False also for an unknown customer.
        """
        keys = self._checked.content_keys(content_keys)
        if len(list(in_pieces(keys, name="course_run_ids"))) != 1:
            raise self.transport.refusal("no key, or more keys than fit into one address")
        flags = [("get_catalogs_containing_specified_content_ids", _ON)] if with_catalogs else []
        answer = self.transport.get(
            "/api/v2/enterprise-customer/{}/contains_content_items/",
            self._checked.uuid(customer_uuid, "customer_uuid"),
            params=[*(("course_run_ids", key) for key in keys), *flags],
        )
        return answer.read(read_containment_with_catalogs if with_catalogs else reader(Containment))

    def filter_content_keys(
        self, *, customer_uuid: UUID, content_keys: Sequence[str], catalog_uuids: Sequence[UUID] | None = None
    ) -> frozenset[str]:
        """Return those keys that some catalog holds under exactly this spelling.

        Runs only count where the catalog holds the run itself. `catalog_uuids` may be anybody's; None: the customer's.
        """
        body: dict[str, object] = {"content_keys": self._checked.content_keys(content_keys)}
        if catalog_uuids is not None:
            body["catalog_uuids"] = [self._checked.uuid(each, "catalog_uuids") for each in catalog_uuids]
        answer = self.transport.read_by_post(
            "/api/v2/enterprise-customer/{}/filter_content_items/",
            self._checked.uuid(customer_uuid, "customer_uuid"),
            json=body,
        )
        return answer.read(read_filtered_keys)

    def get_search_key(self, *, learner_token: str, customer_uuid: UUID) -> SearchKey:
        """Return the learner's own key for the search engine."""
        answer = self.transport.as_learner(learner_token).get(
            "/api/v1/enterprise-customer/{}/secured-algolia-api-key/",
            self._checked.uuid(customer_uuid, "customer_uuid"),
        )
        return answer.read(read_search_key)

    def _content(
        self, path: str, ids: Sequence[str], name: str, content_keys: Sequence[str], others: Params
    ) -> Rows[ContentRecord]:
        ask = self._ask(path, *ids)

        def read(keys: Sequence[str]) -> Rows[ContentRecord]:
            params = [*((name, key) for key in keys), *others]
            return all_rows(numbered_pages(ask, params, page_of(read_content, key=keys_of_content)))

        pieces = in_pieces(self._checked.content_keys(content_keys), name=name)
        answer = joined(_with_sets(read_apart(piece, read, call=f"GET {path}")) for piece in pieces)
        found = {(record.content_type, record.key): record for record in answer}
        return Rows(found.values(), answer.unreadable)


def _with_sets(answer: Rows[ContentRecord]) -> Rows[ContentRecord]:
    """Return the answer with a set of keys for every unreadable record, also for those that were requested alone."""
    rows = (
        attrs.evolve(row, key=frozenset({row.key})) if isinstance(row.key, str) else row for row in answer.unreadable
    )
    return Rows(answer, rows)
