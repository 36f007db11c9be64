"""A provider of mail whose answers a test chooses: Django's email backend, in place of a server."""

from typing import Any, ClassVar

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

PATH = "enterprise_access.apps.notifications.tests.provider.Provider"


class Provider(BaseEmailBackend):
    """Takes mails; `answers` are errors by the address that they are raised for."""

    taken: ClassVar[list[EmailMessage]] = []
    answers: ClassVar[dict[str, Any]] = {}
    is_away: ClassVar[bool] = False

    @classmethod
    def reset(cls) -> None:
        cls.taken, cls.answers, cls.is_away = [], {}, False

    def open(self) -> bool:
        if Provider.is_away:
            raise ConnectionRefusedError
        return True

    def send_messages(self, email_messages: Any) -> int:
        for mail in email_messages:
            answer = Provider.answers.get(mail.to[0])
            if isinstance(answer, BaseException):
                raise answer
            if callable(answer):
                answer(mail)
            mail.message()
            Provider.taken.append(mail)
        return len(email_messages)
