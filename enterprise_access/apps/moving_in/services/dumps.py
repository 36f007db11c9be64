"""Reading the files of `dumpdata`, an array of objects or one object a line, object by object."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from enterprise_access.apps.moving_in.errors import SourceUnreadable

_CHUNK: Final = 1 << 16
# No row of these tables is near to this. What is longer is no such file.
_MAX_OBJECT: Final = 1 << 24
_BETWEEN: Final = " \t\r\n[],"


def objects_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file. Raises SourceUnreadable where it is not what `dumpdata` writes."""
    decoder, rest, is_more = json.JSONDecoder(), "", True
    try:
        with path.open(encoding="utf-8-sig") as file:
            while is_more:
                chunk = file.read(_CHUNK)
                is_more, rest = bool(chunk), rest + chunk
                while (rest := rest.lstrip(_BETWEEN)) and (found := _next(decoder, rest)) is not None:
                    one, end = found
                    rest = rest[end:]
                    yield one
                if len(rest) > _MAX_OBJECT:
                    break
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnreadable(f"The file {path} cannot be read: {type(error).__name__}.") from error
    if rest:
        raise SourceUnreadable(f"The file {path} is not what `dumpdata` writes, or is cut off.")


def _next(decoder: json.JSONDecoder, text: str) -> tuple[dict[str, Any], int] | None:
    """Return the first object of a text and where it ends; None where it is not whole."""
    if not text.startswith("{"):
        raise SourceUnreadable("The file is not what `dumpdata` writes: something else than an object is in it.")
    try:
        one, end = decoder.raw_decode(text)
    except json.JSONDecodeError:
        return None
    return one, end
