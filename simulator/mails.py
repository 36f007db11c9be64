"""A page with the mails that the service has sent: it leaves them in a folder, as Django's file backend writes them."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from attrs import frozen
from flask import Blueprint, current_app, render_template

mails = Blueprint("mails", __name__)

# The line that the file backend puts after each mail.
SEPARATOR = "-" * 79
MOST_SHOWN = 100


@frozen(kw_only=True)
class Mail:
    """A mail as its reader sees it."""

    to: str
    subject: str
    date: str
    plain: str
    html: str


@mails.get("/mails/")
def page() -> str:
    folder = current_app.extensions["simulator"].mails_folder
    return render_template("mails.html", mails=read_mails(folder) if folder else [], is_known=folder is not None)


def read_mails(folder: Path) -> list[Mail]:
    """Return the mails in a folder, the newest first."""
    if not folder.is_dir():
        return []
    files = sorted(folder.iterdir(), key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
    found: list[Mail] = []
    for path in files[:MOST_SHOWN]:
        texts = path.read_text(errors="replace").split(f"{SEPARATOR}\n")
        found += [_mail_of(text) for text in reversed(texts) if text.strip()]
    return found[:MOST_SHOWN]


def _mail_of(text: str) -> Mail:
    message = email.message_from_string(text, _class=EmailMessage, policy=email.policy.default)
    return Mail(
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        date=str(message["Date"] or ""),
        plain=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if isinstance(part, EmailMessage) else ""
