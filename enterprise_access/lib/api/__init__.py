"""What the APIs of all apps share: reading what is asked, strictly, and answering with lists.

A list is a query (a serializer of what may be asked, with `PageQuery` among its bases), `parse_query`, and `paginated`.
An object is `parse_query(NoQuery, request)` and what writes it. A body is a `StrictSerializer` and `parse_body`.
"""

from enterprise_access.lib.api.answers import failures, paginated
from enterprise_access.lib.api.bodies import FlagField, StrictSerializer, TextField, UuidTextField, parse_body
from enterprise_access.lib.api.queries import (
    BAD_UUID,
    MAX_ID,
    MISSING,
    PLUS_HINT,
    CustomerQuery,
    LmsUserIdField,
    NoQuery,
    OptionalCustomerQuery,
    PageQuery,
    customer_field,
    parse_parameters,
    parse_query,
)

__all__ = [
    "BAD_UUID",
    "MAX_ID",
    "MISSING",
    "PLUS_HINT",
    "CustomerQuery",
    "FlagField",
    "LmsUserIdField",
    "NoQuery",
    "OptionalCustomerQuery",
    "PageQuery",
    "StrictSerializer",
    "TextField",
    "UuidTextField",
    "customer_field",
    "failures",
    "paginated",
    "parse_body",
    "parse_parameters",
    "parse_query",
]
