"""The kinds of notification. An app registers its own when it is ready."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen
from django.utils.functional import Promise


@frozen(kw_only=True)
class Letter:
    """What one mail needs: the address, and what its templates show. Read when the mail is sent, and not stored."""

    email: str = field(repr=False)
    context: Mapping[str, Any] = field(factory=dict, repr=False)


@frozen(kw_only=True)
class Fact:
    """What a notification is about."""

    subject: UUID
    occurrence: str


@frozen(kw_only=True)
class MailKind:
    """A kind of notification. Its templates are `notifications/<name>/subject.txt`, `body.txt` and `body.html`.

    `read` returns the letters of some facts; a fact that is left out needs no mail any more, and one with None waits:
    whether it is needed is not known now. It reads the database, and calls an upstream service only where we keep no
    address. It returns None rather than raise an UpstreamError.
    `sample` is shown in the preview of the admin pages.
    """

    name: str
    title: str | Promise
    read: Callable[[Sequence[Fact]], Mapping[Fact, Letter | None]] = field(repr=False)
    sample: Mapping[str, Any] = field(factory=dict, repr=False)


KINDS: Final[dict[str, MailKind]] = {}


def register(kind: MailKind) -> None:
    """Let notifications of this kind be requested."""
    KINDS[kind.name] = kind
