"""Asking for mails, and sending them."""

from enterprise_access.apps.notifications.services.asking import WantedMail, ask_all, forget_learner, prune
from enterprise_access.apps.notifications.services.kinds import Fact, Letter, MailKind, register
from enterprise_access.apps.notifications.services.queue import QUEUE, SEND_JOB
from enterprise_access.apps.notifications.services.sending import send_due

__all__ = [
    "QUEUE",
    "SEND_JOB",
    "Fact",
    "Letter",
    "MailKind",
    "WantedMail",
    "ask_all",
    "forget_learner",
    "prune",
    "register",
    "send_due",
]
