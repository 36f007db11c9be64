"""Reading the cells of a row, however the source writes them: a database's own types, or text."""

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from enum import StrEnum
from json import JSONDecodeError, loads
from typing import Final, TypeVar
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.moving_in.errors import RowUnreadable

E = TypeVar("E", bound=StrEnum)

# What a column of any database can hold.
_MAX_NUMBER: Final = (1 << 63) - 1


@frozen
class Cells:
    """A row of the source. Each reader raises RowUnreadable, which names the column and never the value of a person."""

    values: Mapping[str, object]

    def raw(self, name: str) -> object:
        return self.values.get(name)

    def text(self, name: str, *, most: int | None = None) -> str:
        """Return text, empty where there is none. Raises RowUnreadable where it is longer than `most`."""
        value = self.raw(name)
        text = "" if value is None else str(value)
        if most is not None and len(text) > most:
            raise RowUnreadable(f"{name}: longer than {most} characters.")
        return text

    def needed_text(self, name: str, *, most: int) -> str:
        text = self.text(name, most=most).strip()
        if not text:
            raise RowUnreadable(f"{name}: empty.")
        return text

    def number(self, name: str) -> int | None:
        value = self.raw(name)
        if value is None or value == "":
            return None
        try:
            number = int(str(value))
        except ValueError:
            raise RowUnreadable(f"{name}: not a whole number.") from None
        if abs(number) > _MAX_NUMBER:
            raise RowUnreadable(f"{name}: too large.")
        return number

    def positive(self, name: str) -> int | None:
        """Return a number that is not negative."""
        number = self.number(name)
        if number is not None and number < 0:
            raise RowUnreadable(f"{name}: negative.")
        return number

    def account(self, name: str) -> int | None:
        """Return an LMS user id. 0 is no account."""
        number = self.positive(name)
        if number == 0:
            raise RowUnreadable(f"{name}: 0 is no account.")
        return number

    def needed_number(self, name: str) -> int:
        number = self.number(name)
        if number is None:
            raise RowUnreadable(f"{name}: empty.")
        return number

    def truth(self, name: str) -> bool:
        value = self.raw(name)
        if value in (None, 0, "0", "false", "False"):
            return False
        if value in (1, "1", "true", "True"):
            return True
        raise RowUnreadable(f"{name}: neither true nor false.")

    def uuid(self, name: str) -> UUID | None:
        value = self.raw(name)
        if value is None or value == "":
            return None
        try:
            return UUID(str(value))
        except ValueError:
            raise RowUnreadable(f"{name}: not a UUID.") from None

    def needed_uuid(self, name: str) -> UUID:
        value = self.uuid(name)
        if value is None:
            raise RowUnreadable(f"{name}: empty.")
        return value

    def instant(self, name: str) -> datetime | None:
        """Return an instant. One without an offset is UTC, as Django stores it.

        In the first and the last year that there are, neither offsets nor days can be added.
        """
        value = self.raw(name)
        if value is None or value == "":
            return None
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            raise RowUnreadable(f"{name}: not a date and time.") from None
        if instant.year in (MINYEAR, MAXYEAR):
            raise RowUnreadable(f"{name}: the year {instant.year} cannot be meant.")
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)

    def needed_instant(self, name: str) -> datetime:
        instant = self.instant(name)
        if instant is None:
            raise RowUnreadable(f"{name}: empty.")
        return instant

    def one_of(self, name: str, words: type[E]) -> E:
        """Return one of the words that this service knows."""
        value = self.text(name)
        try:
            return words(value)
        except ValueError:
            known = ", ".join(word.value for word in words)
            raise RowUnreadable(f"{name}: “{value[:40]}” is not known here. Known: {known}.") from None

    def json(self, name: str) -> object:
        """Return what a column of JSON says; None where it is empty or cannot be read."""
        value = self.raw(name)
        if not isinstance(value, str):
            return value
        try:
            return loads(value)
        except JSONDecodeError:
            return None
