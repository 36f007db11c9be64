"""The parts of a page, in the order in which they are finished. A new family of data is a module here and a line below.

A part returns members of `services.page.PortalPage`. A class in `api/serializers` writes them (see `pages.py`).
"""

from typing import Final

from enterprise_access.apps.bff.services.parts.base import PagePart
from enterprise_access.apps.bff.services.parts.default_enrollments import DefaultEnrollmentsPart
from enterprise_access.apps.bff.services.parts.enrollments import EnrollmentsPart
from enterprise_access.apps.bff.services.parts.licenses import LicensesPart
from enterprise_access.apps.bff.services.parts.requestable_credit import RequestableCreditPart
from enterprise_access.apps.bff.services.parts.search_key import SearchKeyPart

PARTS: Final[tuple[type[PagePart], ...]] = (
    DefaultEnrollmentsPart,
    LicensesPart,
    SearchKeyPart,
    EnrollmentsPart,
    RequestableCreditPart,
)
