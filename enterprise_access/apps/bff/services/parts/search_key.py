"""The learner's own key for the search engine."""

from typing import Any

from enterprise_access.apps.bff.domain.problems import SEARCH_KEY
from enterprise_access.apps.bff.selectors.portal import fetch_search_key
from enterprise_access.apps.bff.selectors.remembered import remember_search_key, remembered_search_key
from enterprise_access.apps.bff.services.load import CALLS, PageTarget
from enterprise_access.apps.bff.services.parts.base import Found, PagePart
from enterprise_access.lib.parallel import Deferred
from enterprise_access.upstream.catalog.types import SearchKey


class SearchKeyPart(PagePart):
    """A remembered key, or else a new one."""

    def start(self) -> None:
        visitor, customer_uuid = self.load.visitor, self.customer_uuid
        self._key = remembered_search_key(lms_user_id=visitor.lms_user_id, customer_uuid=customer_uuid)
        self._new: Deferred[SearchKey] | None = None
        if self._key is None:
            self._new = self.load.start(
                lambda: fetch_search_key(learner_token=visitor.token, customer_uuid=customer_uuid)
            )

    def finish(self, shown: PageTarget, found: Found) -> dict[str, Any]:
        new, load = self._new, self.load
        if new is None:
            return {"search_key": self._key}
        key = load.part(SEARCH_KEY, lambda: new.result(ends_at=load.at(CALLS)), None)
        if key is not None:
            remember_search_key(key, lms_user_id=load.visitor.lms_user_id, customer_uuid=self.customer_uuid)
        return {"search_key": key}
