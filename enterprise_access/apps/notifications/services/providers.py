"""Handing a mail to the provider that Django's email settings name, and understanding the answer.

Any email backend of Django's works: its own for SMTP, and those of providers' HTTP APIs (docs/decisions/0032).
"""

import smtplib

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from enterprise_access.apps.notifications.domain import ProviderAnswer, answer_of_http, answer_of_smtp

# Errors that end a call before the provider has the mail; any other one leaves it open whether it has.
_NOT_BEGUN = (ConnectionRefusedError, smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError)


def open_provider(backend: BaseEmailBackend) -> bool:
    """Connect; say whether the provider is there. No mail is at stake."""
    try:
        backend.open()
    except (OSError, smtplib.SMTPException):
        return False
    return True


def close_provider(backend: BaseEmailBackend) -> None:
    """Disconnect. What was handed over stays handed over, whatever happens here."""
    try:
        backend.close()
    except (OSError, smtplib.SMTPException):
        return


def hand_over(mail: EmailMessage, backend: BaseEmailBackend) -> tuple[ProviderAnswer, str]:
    """Hand one mail to the provider; return what the answer means, and a code for it that names no person."""
    try:
        taken = backend.send_messages([mail])
    except Exception as error:  # noqa: BLE001 - backends of providers raise classes of their own
        return _answer_of(error)
    return (ProviderAnswer.TAKEN, "") if taken else (ProviderAnswer.REFUSED, "not_taken")


def _answer_of(error: Exception) -> tuple[ProviderAnswer, str]:
    if isinstance(error, _NOT_BEGUN):
        return ProviderAnswer.AWAY, type(error).__name__
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((code for code, _ in error.recipients.values()), default=550)
        return answer_of_smtp(code), f"recipient_refused_{code}"
    if isinstance(error, smtplib.SMTPSenderRefused):
        # Our own address: every mail has it.
        return ProviderAnswer.AWAY, f"sender_refused_{error.smtp_code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return answer_of_smtp(error.smtp_code), f"smtp_{error.smtp_code}"
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return answer_of_http(status), f"http_{status}"
    if isinstance(error, ValueError | TypeError):
        # The mail could not even be written: an address with a line break, say.
        return ProviderAnswer.REFUSED, "not_writable"
    return ProviderAnswer.UNKNOWN, type(error).__name__
