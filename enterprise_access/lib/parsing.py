"""How what callers send becomes data: JSON in UTF-8, whatever a caller says of it, and nothing that we could not say
again."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.core.handlers.wsgi import WSGIRequest
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser as FrameworkJSONParser


class JSONParser(FrameworkJSONParser):
    """Refuses, beside what is no JSON, what is nested too deeply to be read, and halves of characters."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body as data. Raises ParseError."""
        try:
            data = super().parse(stream, media_type, {**(parser_context or {}), "encoding": "utf-8"})
            # Neither an answer nor a row can hold one half of a surrogate pair, which JSON can spell.
            json.dumps(data, ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError):
            raise ParseError("The body is nested too deeply, or holds half a character.") from None
        return data


class Request(WSGIRequest):
    """Takes addresses and bodies for UTF-8, whatever `charset` a caller names.

    Django would decode the address with it as well, before there is anything that could make an answer of an error: one
    that is no encoding of text (`zlib`) ended in a crash without a body.
    """

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
