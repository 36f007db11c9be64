"""Events as bytes: the format of openedx-events, with the Avro schema of each event type worked out once."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import fastavro
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.events.handling import Event


class UnreadableMessage(Exception):
    """A message is not an event as we know them. Says what is wrong, and never what was in it."""


def event_type_of(fields: Mapping[bytes, bytes]) -> str:
    """Return the type that a message names. Raises UnreadableMessage."""
    return _header(fields, "type")


def read_event(fields: Mapping[bytes, bytes]) -> Event:
    """Return the event in a message. Raises UnreadableMessage; nothing is made up for a header that is missing."""
    event_type = event_type_of(fields)
    try:
        event_id = UUID(_header(fields, "id"))
        at = datetime.fromisoformat(_header(fields, "time"))
    except ValueError:
        raise UnreadableMessage("the header id or time is malformed") from None
    if at.tzinfo is None:
        raise UnreadableMessage("the header time has no offset")
    return Event(id=event_id, type=event_type, at=at.astimezone(UTC), data=_read_data(event_type, fields))


def _header(fields: Mapping[bytes, bytes], name: str) -> str:
    try:
        return fields[name.encode()].decode()
    except KeyError:
        raise UnreadableMessage(f"the header {name} is missing") from None
    except UnicodeDecodeError:
        raise UnreadableMessage(f"the header {name} is no text") from None


def _read_data(event_type: str, fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    if b"event_data" not in fields:
        raise UnreadableMessage("there is no event_data")
    try:
        deserializer, schema = _reading(event_type)
        record = fastavro.schemaless_reader(io.BytesIO(fields[b"event_data"]), schema, None)
        data: dict[str, Any] = deserializer.from_dict(record)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes make the reader stumble over
        # Not chained: the message of the cause may quote what was in the event.
        raise UnreadableMessage(f"the event_data cannot be read: {type(error).__name__}") from None
    return data


@cache
def _reading(event_type: str) -> tuple[AvroSignalDeserializer, Any]:
    deserializer = AvroSignalDeserializer(OpenEdxPublicSignal.get_signal_by_type(event_type))
    return deserializer, fastavro.parse_schema(deserializer.schema)


@cache
def _writing(event_type: str) -> tuple[AvroSignalSerializer, Any]:
    serializer = AvroSignalSerializer(OpenEdxPublicSignal.get_signal_by_type(event_type))
    return serializer, fastavro.parse_schema(serializer.schema)


def as_record(signal: OpenEdxPublicSignal, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an event as plain JSON values."""
    record: dict[str, Any] = _writing(signal.event_type)[0].to_dict(dict(data))
    return record


def from_record(signal: OpenEdxPublicSignal, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an event from what `as_record` made of it."""
    data: dict[str, Any] = _reading(signal.event_type)[0].from_dict(record)
    return data


def as_bytes(signal: OpenEdxPublicSignal, data: Mapping[str, Any]) -> bytes:
    """Return the data of an event as it travels."""
    serializer, schema = _writing(signal.event_type)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, serializer.to_dict(dict(data)))
    return out.getvalue()
