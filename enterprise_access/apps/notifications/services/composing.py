"""From notifications to mails: what a kind reads of its subjects, set in its templates."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.notifications.domain import readable_on
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.notifications.services.kinds import KINDS, Fact, Letter, MailKind

COLORS: Final = {"primary": "#0a3055", "text": "#1f2933", "muted": "#52606d", "line": "#d9e2ec"}


@frozen(kw_only=True)
class Text:
    """A mail as a person reads it."""

    subject: str
    plain: str
    html: str = field(repr=False)


@frozen(kw_only=True)
class Sender:
    """For whom a mail is sent: the customer's name, where its learners find their courses, its color and language."""

    name: str
    portal_url: str
    color: str = COLORS["primary"]
    language: str = ""

    @property
    def colors(self) -> dict[str, str]:
        """The colors of the mail: the customer's where it has chosen one, and what can be read on it."""
        return {**COLORS, "primary": self.color, "on_primary": readable_on(self.color, dark=COLORS["text"])}


def fetch_sender(customer_uuid: UUID) -> Sender:
    """Return for whom mails of a customer are sent. The LMS is asked for a customer that no learner has come from yet.

    One that the LMS does not know has no name. Raises UpstreamError.
    """
    customer = get_customer(customer_uuid=customer_uuid)
    if customer is None:
        with suppress(CustomerUnknown):
            customer = fetch_customer(customer_uuid=customer_uuid)
    portal = settings.LEARNER_PORTAL_URL.rstrip("/")
    if customer is None:
        return Sender(name="", portal_url=portal)
    return Sender(
        name=customer.name,
        portal_url=f"{portal}/{customer.slug}" if portal else "",
        color=customer.primary_color or COLORS["primary"],
        language=customer.language,
    )


def language_for(code: str) -> str:
    """Return the language of a mail: the customer's, or what comes next to it, or that of the installation."""
    try:
        return (
            translation.get_supported_language_variant(code.replace("_", "-").lower())
            if code
            else settings.LANGUAGE_CODE
        )
    except LookupError:
        return settings.LANGUAGE_CODE


def read_letters(rows: Sequence[Notification]) -> dict[UUID, Letter | None]:
    """Return what each mail needs, by notification; one that is no longer needed is missing.

    None: that cannot be told now.
    """
    letters: dict[UUID, Letter | None] = {}
    for name in {row.kind for row in rows}:
        facts = {row.pk: Fact(subject=row.subject, occurrence=row.occurrence) for row in rows if row.kind == name}
        found = KINDS[name].read(list(facts.values())) if name in KINDS else {}
        letters |= {pk: found[fact] for pk, fact in facts.items() if fact in found}
    return letters


def render(kind: MailKind, context: Mapping[str, Any], *, sender: Sender) -> Text:
    """Return the text of a mail, in the language and with the color of the customer."""
    place = f"notifications/{kind.name}"
    with translation.override(language_for(sender.language)):
        # What stands for the name of a customer without one.
        organization = translation.gettext("Your organization")
        shown = {**context, "sender": sender, "colors": sender.colors, "organization": organization}
        return Text(
            subject=" ".join(render_to_string(f"{place}/subject.txt", shown).split()),
            plain=render_to_string(f"{place}/body.txt", shown).strip() + "\n",
            html=render_to_string(f"{place}/body.html", shown),
        )


def compose(row: Notification, letter: Letter, *, sender: Sender, backend: BaseEmailBackend) -> EmailMultiAlternatives:
    """Return the mail of a notification, addressed to one person alone."""
    text = render(KINDS[row.kind], letter.context, sender=sender)
    mail = EmailMultiAlternatives(
        subject=text.subject,
        body=text.plain,
        to=[letter.email],
        connection=backend,
        # A provider that leaves out repetitions knows a mail by its id.
        headers={"Message-ID": f"<{row.uuid}@enterprise-access>", "X-Notification-Kind": row.kind},
    )
    mail.attach_alternative(text.html, "text/html")
    return mail
