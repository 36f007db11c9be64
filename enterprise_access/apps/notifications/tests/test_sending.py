"""One mail per fact, whatever the provider and the workers do."""

import re
import smtplib
from collections import Counter
from datetime import timedelta
from itertools import combinations
from uuid import UUID, uuid4

import pytest

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.notifications import services
from enterprise_access.apps.notifications.errors import NotificationSettled, NotificationUnknown
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.notifications.services import asking
from enterprise_access.apps.notifications.services.composing import Sender, render
from enterprise_access.apps.notifications.services.kinds import KINDS, Letter, MailKind
from enterprise_access.apps.notifications.services.signals import notification_settled
from enterprise_access.apps.notifications.services.watching import read_mails
from enterprise_access.lib import clock
from enterprise_access.lib.work.watching import look_at_work
from simulator.faults import FaultKind
from simulator.seed import DORMANT, HOOLI
from tests.setting_up import forget_everything

from .provider import PATH, Provider

pytestmark = pytest.mark.django_db

KIND = "assignment_allocated"
CUSTOMER, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def facts(settings, monkeypatch):
    """Return the addresses by fact, and let the kind read them from there."""
    settings.EMAIL_BACKEND = PATH
    Provider.reset()
    for customer, slug in ((CUSTOMER, "acme"), (OTHER, "globex")):
        know_customer(customer, slug)
    known: dict[UUID, str] = {}

    def read(wanted):
        return {
            fact: Letter(email=known[fact.subject], context={"content_title": "Biology & more"})
            for fact in wanted
            if fact.subject in known
        }

    monkeypatch.setitem(KINDS, KIND, MailKind(name=KIND, title="A course was assigned", read=read))
    return known


def ask(facts, email="ada@example.com", *, customer=CUSTOMER, occurrence="1", subject=None) -> Notification:
    subject = subject or uuid4()
    facts[subject] = email
    wanted = services.WantedMail(
        kind=KIND,
        subject=subject,
        occurrence=occurrence,
        customer_uuid=customer,
        lms_user_id=7,
        due_at=clock.now() - timedelta(seconds=1),
    )
    services.ask_all([wanted])
    return Notification.objects.get(subject=subject, occurrence=occurrence)


def outcome_of(row: Notification) -> str:
    row.refresh_from_db()
    return row.outcome


class TestLooks:
    @pytest.mark.parametrize(
        ("color", "button"),
        [
            ("#D23228", "background:#D23228;color:#ffffff"),
            ("#F2F0EF", "background:#F2F0EF;color:#1f2933"),
            ("", "background:#0a3055;color:#ffffff"),
        ],
    )
    def test_a_customer_s_mails_have_its_name_and_its_color_and_can_be_read(self, facts, settings, color, button):
        settings.LEARNER_PORTAL_URL = "https://portal.example.com"
        know_customer(primary_color=color)
        ask(facts)
        services.send_due()
        (mail,) = Provider.taken
        assert mail.subject == "Acme has assigned you the course Biology & more"
        assert button in mail.alternatives[0][0]
        assert "https://portal.example.com/acme" in mail.body

    @pytest.mark.parametrize(
        ("language", "subject"),
        [
            ("es-419", "Acme te ha asignado el curso Biology & more"),
            ("ES", "Acme te ha asignado el curso Biology & more"),
            ("fr", "Acme has assigned you the course Biology & more"),
            ("", "Acme has assigned you the course Biology & more"),
        ],
    )
    def test_a_customer_s_mails_are_in_its_language_or_in_that_of_the_installation(self, facts, language, subject):
        know_customer(language=language)
        ask(facts)
        services.send_due()
        assert Provider.taken[0].subject == subject

    def test_every_mail_is_translated_as_a_whole(self):
        assert len(KINDS) >= 10
        for kind in KINDS.values():
            texts = [
                render(kind, kind.sample, sender=Sender(name="Acme", portal_url="", language=code))
                for code in LANGUAGES
            ]
            for one, other in combinations(texts, 2):
                assert one.subject != other.subject
                assert not sentences(one.plain) & sentences(other.plain), kind.name
                assert not sentences(one.html) & sentences(other.html), kind.name

    def test_a_customer_that_nobody_came_from_yet_is_asked_for_and_its_mails_wait_for_the_answer(
        self, facts, simulator, settings
    ):
        settings.LEARNER_PORTAL_URL = "https://portal.example.com"
        row = ask(facts, customer=HOOLI)
        simulator.faults.add(FaultKind.STATUS, "lms.*", status=503, times=None)
        services.send_due()
        row.refresh_from_db()
        assert (row.waiting_for, row.outcome, Provider.taken) == ("upstream_away", "", [])
        simulator.faults.clear()
        forget_everything()
        Notification.objects.update(due_at=clock.now())
        services.send_due()
        (mail,) = Provider.taken
        assert mail.subject.startswith("Hooli has assigned you")
        assert "https://portal.example.com/hooli" in mail.body

    @pytest.mark.usefixtures("simulator")
    def test_a_customer_that_the_lms_does_not_know_has_a_word_for_its_name(self, facts):
        ask(facts, customer=DORMANT)
        services.send_due()
        assert Provider.taken[0].subject == "Your organization has assigned you the course Biology & more"

    def test_no_mail_has_a_gap_where_the_name_of_its_customer_is_missing(self):
        # (The mail about a new customer brings its name with it.)
        for kind in (kind for name, kind in KINDS.items() if name != "admin_added"):
            text = render(kind, kind.sample, sender=Sender(name="", portal_url=""))
            assert "your organization" in f"{text.subject} {text.plain}".lower(), kind.name
            assert "because  manages" not in text.html


LANGUAGES = ("en", "es")


def sentences(text: str) -> set[str]:
    """Return the lines of a mail that people read."""
    lines = {re.sub(r"<[^>]*>", "", line).strip() for line in text.splitlines()}
    return {line for line in lines if " " in line}


def know_customer(customer: UUID = CUSTOMER, slug: str = "acme", **about: str) -> None:
    known = {"slug": slug, "name": slug.title(), "fetched_at": clock.now(), **about}
    EnterpriseCustomer.objects.update_or_create(uuid=customer, defaults=known)


class TestSending:
    def test_a_fact_is_one_mail_however_often_it_is_asked_for_and_sent(self, facts):
        row = ask(facts)
        ask(facts, subject=row.subject)
        assert services.send_due() == 1
        assert services.send_due() == 0
        (mail,) = Provider.taken
        assert (mail.to, outcome_of(row)) == (["ada@example.com"], "sent")
        assert "Biology & more" in mail.subject
        assert "Biology &amp; more" in mail.alternatives[0][0]
        assert str(row.uuid) in mail.extra_headers["Message-ID"]

    def test_what_is_no_longer_true_is_not_sent(self, facts):
        row = ask(facts)
        facts.clear()
        services.send_due()
        assert (Provider.taken, outcome_of(row)) == ([], "not_needed")

    def test_one_refused_address_holds_up_no_other(self, facts):
        bad = ask(facts, "bad@example.com")
        rows = [ask(facts, f"p{number}@example.com") for number in range(3)]
        Provider.answers["bad@example.com"] = smtplib.SMTPRecipientsRefused({"bad@example.com": (550, b"no")})
        heard = []
        notification_settled.connect(hear := lambda notification, **_: heard.append(notification.outcome))
        services.send_due()
        notification_settled.disconnect(hear)
        assert outcome_of(bad) == "refused"
        assert [outcome_of(row) for row in rows] == ["sent"] * 3
        assert Counter(heard) == {"sent": 3, "refused": 1}

    @pytest.mark.parametrize(
        ("error", "outcome", "others"),
        [
            (smtplib.SMTPDataError(451, b"later"), "", "sent"),
            (smtplib.SMTPDataError(554, b"no"), "refused", "sent"),
            (smtplib.SMTPSenderRefused(550, b"no", "us"), "", ""),
            (smtplib.SMTPServerDisconnected(), "unknown", ""),
            (TimeoutError(), "unknown", ""),
            (ValueError("line break"), "refused", "sent"),
        ],
    )
    def test_only_what_is_certain_is_settled(self, facts, error, outcome, others):
        first = ask(facts, "first@example.com")
        Notification.objects.filter(pk=first.pk).update(due_at=clock.now() - timedelta(hours=1))
        second = ask(facts, "second@example.com")
        Provider.answers["first@example.com"] = error
        lease = services.sending._send_some(CUSTOMER, 10)
        assert lease == 2
        assert (outcome_of(first), outcome_of(second)) == (outcome, others)
        Provider.answers.clear()
        Notification.objects.filter(outcome="").update(due_at=clock.now() - timedelta(seconds=1))
        services.send_due()
        sent = [mail.to[0] for mail in Provider.taken]
        assert len(sent) == len(set(sent))
        assert {outcome_of(first), outcome_of(second)} <= {"sent", "refused", "unknown"}

    def test_a_provider_that_is_away_costs_no_attempt(self, facts):
        row = ask(facts)
        Provider.is_away = True
        services.send_due()
        row.refresh_from_db()
        assert (row.outcome, row.failures, row.attempted_at, row.waiting_for) == ("", 0, None, "provider_away")
        Provider.is_away = False
        Notification.objects.update(due_at=clock.now())
        services.send_due()
        assert outcome_of(row) == "sent"

    def test_a_worker_that_ends_while_it_sends_leaves_no_second_mail(self, facts):
        row = ask(facts)

        def end(_mail):
            raise KeyboardInterrupt

        Provider.answers["ada@example.com"] = end
        with pytest.raises(KeyboardInterrupt):
            services.send_due()
        Provider.answers.clear()
        services.send_due()
        assert (Provider.taken, outcome_of(row)) == ([], "unknown")
        asking.send_again(notification_uuid=row.pk)
        services.send_due()
        assert (len(Provider.taken), outcome_of(row)) == (1, "sent")
        with pytest.raises(NotificationSettled):
            asking.send_again(notification_uuid=row.pk)
        with pytest.raises(NotificationUnknown):
            asking.send_again(notification_uuid=uuid4())

    def test_a_mail_that_cannot_be_written_waits_alone(self, facts, monkeypatch):
        broken = ask(facts, "broken@example.com")
        monkeypatch.setitem(KINDS, "no_template", MailKind(name="no_template", title="", read=KINDS[KIND].read))
        Notification.objects.filter(pk=broken.pk).update(kind="no_template")
        row = ask(facts)
        services.send_due()
        assert (outcome_of(row), outcome_of(broken)) == ("sent", "")
        broken.refresh_from_db()
        assert (broken.failures, broken.waiting_for) == (1, "unexpected_error")

    def test_customers_have_their_turns(self, facts):
        for number in range(3):
            ask(facts, f"p{number}@example.com")
        ask(facts, "other@example.com", customer=OTHER)
        services.send_due()
        assert len(Provider.taken) == 4


def test_old_rows_are_pruned_and_unknown_ones_stay(facts):
    sent, unknown = ask(facts), ask(facts)
    services.send_due()
    Notification.objects.filter(pk=unknown.pk).update(outcome="unknown")
    assert services.prune(before=clock.now() + timedelta(seconds=1)) == 1
    assert list(Notification.objects.all()) == [unknown]
    assert services.forget_learner(lms_user_id=7) == {"notifications": 1}
    assert sent.kind == KIND


def test_mails_that_wait_for_long_are_seen(facts):
    row = ask(facts)
    assert look_at_work().level == "ok"
    Notification.objects.filter(pk=row.pk).update(due_at=clock.now() - timedelta(hours=1))
    assert look_at_work().level == "degraded"
    (state,) = read_mails(clock.now())
    assert state.values == {("refused",): 0.0, ("unknown",): 0.0}
