"""The preview of each kind of mail in the admin pages."""

from html.parser import HTMLParser

import pytest
from django.urls import reverse

from enterprise_access.apps.notifications.services.kinds import KINDS

pytestmark = pytest.mark.django_db


class Frames(HTMLParser):
    """Collects the attributes of frames, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        if tag == "iframe":
            self.found.append(dict(attrs))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_preview_shows_the_whole_mail(staff, kind):
    frames = Frames()
    frames.feed(staff.get(reverse("admin:notifications_preview", args=[kind])).content.decode())
    (frame,) = frames.found
    assert frame["srcdoc"].rstrip().endswith("</html>")
    assert frame["style"].startswith("width:100%")
