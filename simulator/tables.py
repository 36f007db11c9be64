"""The tables of the world: rows by key, and by every index that an endpoint looks up with. No scans."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from . import ledger_rows, values

Row = TypeVar("Row")
KeyOf = Callable[[Row], Hashable]


def fold(key: str) -> str:
    """Return the form in which keys and e-mails compare: the real databases ignore the case."""
    return key.lower()


class Table(Generic[Row]):
    """Rows in the order of their first arrival, with indexes kept up to date. A None index value is not indexed."""

    def __init__(self, row_type: type[Row], key_of: KeyOf[Row], **indexes: KeyOf[Row]) -> None:
        self.row_type = row_type
        self._key_of = key_of
        self._index_of = indexes
        self.clear()

    def clear(self) -> None:
        self._rows: dict[Hashable, Row] = {}
        self._indexed: dict[str, dict[Hashable, dict[Hashable, Row]]] = {name: {} for name in self._index_of}

    def fill_from(self, other: Table[Row]) -> None:
        """Hold the rows of another table, from now on independently of it."""
        self._rows = other._rows.copy()
        self._indexed = {
            name: {value: rows.copy() for value, rows in found.items()} for name, found in other._indexed.items()
        }

    def put(self, row: Row) -> None:
        key = self._key_of(row)
        old = self._rows.get(key)
        self._rows[key] = row
        for name, value_of in self._index_of.items():
            value = value_of(row)
            if old is not None and value_of(old) != value:
                self._indexed[name].get(value_of(old), {}).pop(key, None)
            if value is not None:
                self._indexed[name].setdefault(value, {})[key] = row

    def drop(self, row: Row) -> None:
        key = self._key_of(row)
        self._rows.pop(key, None)
        for name, value_of in self._index_of.items():
            self._indexed[name].get(value_of(row), {}).pop(key, None)

    def get(self, key: Hashable) -> Row | None:
        return self._rows.get(key)

    def where(self, **one_index: Hashable) -> list[Row]:
        """Return the rows whose index has that value: `table.where(customer=uuid)`."""
        ((name, value),) = one_index.items()
        return list(self._indexed[name].get(value, {}).values())

    def first(self, **one_index: Hashable) -> Row | None:
        ((name, value),) = one_index.items()
        return next(iter(self._indexed[name].get(value, {}).values()), None)

    def count(self, **one_index: Hashable) -> int:
        ((name, value),) = one_index.items()
        return len(self._indexed[name].get(value, {}))

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)


class Tables:
    """Every table, under the name that the journal writes."""

    def __init__(self) -> None:
        self.customers = Table(values.Customer, lambda row: row.uuid, slug=lambda row: row.slug)
        self.catalogs = Table(values.Catalog, lambda row: row.uuid, customer=lambda row: row.customer_uuid)
        self.programs = Table(values.Program, lambda row: row.uuid)
        self.courses = Table(values.Course, lambda row: fold(row.key), uuid=lambda row: row.uuid)
        self.runs = Table(values.Run, lambda row: fold(row.key), course=lambda row: fold(row.course_key))
        self.users = Table(
            values.User,
            lambda row: fold(row.username),
            id=lambda row: row.id,
            email=lambda row: fold(row.email),
            has_roles=lambda row: True if row.extra_roles else None,
        )
        self.clients = Table(values.Client, lambda row: row.client_id)
        self.links = Table(
            values.Link,
            lambda row: (row.customer_uuid, row.user_id),
            id=lambda row: row.id,
            customer=lambda row: row.customer_uuid,
            user=lambda row: row.user_id,
        )
        self.agreements = Table(values.Agreement, lambda row: row.uuid, customer=lambda row: row.customer_uuid)
        self.plans = Table(
            values.Plan,
            lambda row: row.uuid,
            customer=lambda row: row.customer_uuid,
            agreement=lambda row: row.agreement_uuid,
        )
        self.renewals = Table(
            values.Renewal,
            lambda row: row.id,
            prior=lambda row: row.prior_plan_uuid,
            renewed=lambda row: row.renewed_plan_uuid,
        )
        self.pending_admins = Table(
            values.PendingAdmin,
            lambda row: (row.customer_uuid, fold(row.email)),
            customer=lambda row: row.customer_uuid,
        )
        self.groups = Table(values.Group, lambda row: row.uuid, customer=lambda row: row.customer_uuid)
        self.group_members = Table(
            values.GroupMember, lambda row: (row.group_uuid, fold(row.email)), group=lambda row: row.group_uuid
        )
        self.licenses = Table(
            values.License,
            lambda row: row.uuid,
            plan=lambda row: row.plan_uuid,
            plan_status=lambda row: (row.plan_uuid, row.status),
            email=lambda row: fold(row.user_email) if row.user_email else None,
            user=lambda row: row.user_id,
            activation_key=lambda row: row.activation_key,
        )
        self.enrollments = Table(
            values.Enrollment, lambda row: (row.user_id, fold(row.run_key)), user=lambda row: row.user_id
        )
        self.enterprise_enrollments = Table(
            values.EnterpriseEnrollment,
            lambda row: (row.link_id, fold(row.run_key)),
            id=lambda row: row.id,
            link=lambda row: row.link_id,
        )
        self.pending_learners = Table(values.PendingLearner, lambda row: (row.customer_uuid, fold(row.email)))
        self.pending_enrollments = Table(
            values.PendingEnrollment, lambda row: (row.customer_uuid, fold(row.email), fold(row.run_key))
        )

        self.default_intentions = Table(
            values.DefaultIntention, lambda row: row.uuid, customer=lambda row: row.customer_uuid
        )

        self.subsidies = Table(ledger_rows.Subsidy, lambda row: row.uuid, customer=lambda row: row.customer_uuid)
        self.ledger_transactions = Table(
            ledger_rows.LedgerTransaction,
            lambda row: row.uuid,
            subsidy=lambda row: row.subsidy_uuid,
            key=lambda row: (row.subsidy_uuid, row.idempotency_key),
        )

        self._names = {table.row_type: name for name, table in vars(self).items()}

    def named(self, name: str) -> Table[Any]:
        table: Table[Any] = getattr(self, name)
        return table

    def name_of(self, row: object) -> str:
        """Return the name of the table that holds rows of this type."""
        return self._names[type(row)]

    def clear(self) -> None:
        for name in self._names.values():
            self.named(name).clear()

    def copied(self) -> Tables:
        """Return tables with the same rows."""
        tables = Tables()
        for name in self._names.values():
            tables.named(name).fill_from(self.named(name))
        return tables
