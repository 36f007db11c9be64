"""An installation of openedx/enterprise-access as the tests write it: as a `dumpdata` file, or as a database."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from enterprise_access.apps.moving_in.domain.tables import TABLES, Table

CUSTOMER, SUBSIDY, CATALOG, GROUP = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
ASSIGNED, OPEN = UUID(int=10), UUID(int=11)
CONFIGURATION, OPEN_CONFIGURATION, ASKING = UUID(int=20), UUID(int=21), UUID(int=22)
WAITING, TAKEN, CLEARED, GRANTED = UUID(int=30), UUID(int=31), UUID(int=32), UUID(int=33)
LICENSE_REQUEST, COUPON_REQUEST, CREDIT_REQUEST, FORCED = UUID(int=40), UUID(int=41), UUID(int=42), UUID(int=50)
TRANSACTION, FORCED_TRANSACTION = UUID(int=60), UUID(int=61)
ADA, BEN, ADMIN = 1001, 1002, 9
COURSE, RUN = "edX+DemoX", "course-v1:edX+DemoX+2026_T1"
PRICE = 14_900
DAY_1, DAY_2 = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"

_BY_MODEL = {table.model: table for table in TABLES}
_TIMES = {"created": DAY_1, "modified": DAY_2}


def policy(uuid: UUID = ASSIGNED, **about: Any) -> dict[str, Any]:
    fields = {
        **_TIMES,
        "policy_type": "AssignedLearnerCreditAccessPolicy",
        "enterprise_customer_uuid": CUSTOMER,
        "display_name": f"Budget {uuid.int}",
        "description": "",
        "active": True,
        "retired": False,
        "retired_at": None,
        "catalog_uuid": CATALOG,
        "subsidy_uuid": SUBSIDY,
        "access_method": "assigned",
        "spend_limit": 400_000,
        "per_learner_spend_limit": None,
        "per_learner_enrollment_limit": None,
        "late_redemption_allowed_until": None,
        "assignment_configuration": CONFIGURATION,
        "learner_credit_request_config": None,
    }
    return _row("subsidy_access_policy.subsidyaccesspolicy", uuid, fields, about)


def open_policy(uuid: UUID = OPEN, **about: Any) -> dict[str, Any]:
    """Return a budget whose learners may request."""
    fields = {
        "policy_type": "PerLearnerSpendCreditAccessPolicy",
        "access_method": "request",
        "assignment_configuration": OPEN_CONFIGURATION,
        "learner_credit_request_config": ASKING,
    }
    return policy(uuid, **{**fields, **about})


def asking(*, active: bool = True) -> dict[str, Any]:
    return _row("subsidy_request.learnercreditrequestconfiguration", ASKING, {**_TIMES, "active": active}, {})


def association(group: UUID | None = GROUP, pk: int = 7, **about: Any) -> dict[str, Any]:
    fields = {**_TIMES, "enterprise_group_uuid": group, "subsidy_access_policy": OPEN}
    return _row("subsidy_access_policy.policygroupassociation", pk, fields, about)


def assignment(uuid: UUID = WAITING, **about: Any) -> dict[str, Any]:
    fields = {
        **_TIMES,
        "assignment_configuration": CONFIGURATION,
        "learner_email": f"Learner-{uuid.int}@Example.com",
        "lms_user_id": None,
        "content_key": COURSE,
        "parent_content_key": None,
        "is_assigned_course_run": False,
        "preferred_course_run_key": RUN,
        "content_title": "Demo",
        "content_quantity": -PRICE,
        "state": "allocated",
        "allocated_at": DAY_1,
        "accepted_at": None,
        "cancelled_at": None,
        "expired_at": None,
        "errored_at": None,
        "reversed_at": None,
        "transaction_uuid": None,
        "allocation_batch_id": UUID(int=99),
        "admin_lms_user_id": ADMIN,
    }
    return _row("content_assignments.learnercontentassignment", uuid, fields, about)


def action(number: int, of: UUID = WAITING, action_type: str = "notified", **about: Any) -> dict[str, Any]:
    fields = {
        **_TIMES,
        "assignment": of,
        "action_type": action_type,
        "completed_at": DAY_1,
        "error_reason": None,
        "traceback": "File “x.py”: learner@example.com",
    }
    return _row("content_assignments.learnercontentassignmentaction", UUID(int=1000 + number), fields, about)


def user(pk: int = 5, lms_user_id: int | None = ADA, **about: Any) -> dict[str, Any]:
    fields = {"email": f"user-{pk}@example.com", "lms_user_id": lms_user_id, "password": "secret", "username": "ada"}
    return _row("core.user", pk, fields, about)


def request_configuration(customer: UUID = CUSTOMER, **about: Any) -> dict[str, Any]:
    fields = {
        **_TIMES,
        "subsidy_requests_enabled": True,
        "subsidy_type": "license",
        "changed_by": 6,
        "last_remind_date": None,
    }
    return _row("subsidy_request.subsidyrequestcustomerconfiguration", customer, fields, about)


def _request(model: str, uuid: UUID, more: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    fields = {
        **_TIMES,
        "is_removed": False,
        "user": 5,
        "course_id": COURSE,
        "course_title": "Demo",
        "course_partners": '[{"uuid": null, "name": "edX"}]',
        "enterprise_customer_uuid": CUSTOMER,
        "state": "requested",
        "reviewed_at": None,
        "reviewer": None,
        "decline_reason": None,
    }
    return _row(f"subsidy_request.{model}", uuid, {**fields, **more}, about)


def license_request(uuid: UUID = LICENSE_REQUEST, **about: Any) -> dict[str, Any]:
    return _request("licenserequest", uuid, {"subscription_plan_uuid": None, "license_uuid": None}, about)


def coupon_request(uuid: UUID = COUPON_REQUEST, **about: Any) -> dict[str, Any]:
    more = {"coupon_id": 8, "coupon_code": "CODE", "state": "approved", "reviewer": 6, "reviewed_at": DAY_2}
    return _request("couponcoderequest", uuid, more, about)


def credit_request(uuid: UUID = CREDIT_REQUEST, **about: Any) -> dict[str, Any]:
    more = {
        "course_price": PRICE,
        "assignment": GRANTED,
        "learner_credit_request_config": ASKING,
        "state": "approved",
        "reviewer": 6,
        "reviewed_at": DAY_2,
    }
    return _request("learnercreditrequest", uuid, more, about)


def request_action(number: int, recent_action: str, **about: Any) -> dict[str, Any]:
    fields = {
        **_TIMES,
        "learner_credit_request": CREDIT_REQUEST,
        "recent_action": recent_action,
        "status": recent_action,
        "error_reason": None,
        "traceback": None,
    }
    return _row("subsidy_request.learnercreditrequestactions", UUID(int=2000 + number), fields, about)


def forced(uuid: UUID = FORCED, **about: Any) -> dict[str, Any]:
    fields = {
        **_TIMES,
        "subsidy_access_policy": OPEN,
        "lms_user_id": BEN,
        "course_run_key": RUN,
        "content_price_cents": PRICE,
        "wait_to_redeem": False,
        "redeemed_at": DAY_2,
        "errored_at": None,
        "traceback": None,
        "transaction_uuid": FORCED_TRANSACTION,
    }
    return _row("subsidy_access_policy.forcedpolicyredemption", uuid, fields, about)


def whole() -> list[dict[str, Any]]:
    """Return an installation with something of everything, and nothing odd."""
    return [
        credit_request(),
        request_action(1, "requested", created=DAY_1),
        request_action(2, "approved", created=DAY_2),
        forced(),
        license_request(),
        coupon_request(),
        request_configuration(),
        user(),
        user(6, ADMIN),
        association(),
        action(1),
        action(2, TAKEN, "redeemed"),
        assignment(),
        assignment(TAKEN, state="accepted", lms_user_id=ADA, transaction_uuid=TRANSACTION),
        assignment(CLEARED, state="expired", expired_at=DAY_2, learner_email="retired_user123@retired.invalid"),
        assignment(GRANTED, assignment_configuration=OPEN_CONFIGURATION, lms_user_id=ADA, content_quantity=-100),
        policy(),
        open_policy(),
        asking(),
    ]


def with_row(rows: Iterable[dict[str, Any]], changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows with one in the place of that with its key, or added."""
    key = (changed["model"], changed["pk"])
    return [*(row for row in rows if (row["model"], row["pk"]) != key), changed]


def _row(model: str, pk: UUID | int, fields: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    return {"model": model, "pk": pk, "fields": {**fields, **about}}


# --- How it is stored ------------------------------------------------------------------------------------------------


def dumped(rows: Iterable[dict[str, Any]], folder: Path, *, is_in_lines: bool = False) -> str:
    """Write what `dumpdata` writes; return the path."""
    path = folder / "dump.json"
    if is_in_lines:
        path.write_text("\n".join(json.dumps(row, default=str) for row in rows))
    else:
        path.write_text(json.dumps([{"model": "auth.group", "pk": 1, "fields": {}}, *rows], default=str, indent=1))
    return str(path)


def stored(rows: Iterable[dict[str, Any]], folder: Path) -> str:
    """Write a database as Django does on MySQL and SQLite: UUIDs as 32 digits, times without offset; return its URL."""
    path = folder / "peer.sqlite3"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        for table in TABLES:
            columns = ", ".join(f'"{name}" {_type_of(name)}' for name in (*table.all_columns, *table.ignored))
            database.execute(f'CREATE TABLE "{table.name}" ({columns})')
        for row in rows:
            _store(database, _BY_MODEL[row["model"]], row)
        database.commit()
    return f"sqlite:///{path}"


def _store(database: sqlite3.Connection, table: Table, row: dict[str, Any]) -> None:
    cells = {table.column_of(name): value for name, value in row["fields"].items()} | {table.key: row["pk"]}
    names, marks = ", ".join(f'"{name}"' for name in cells), ", ".join("?" * len(cells))
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'
    database.execute(statement, [_stored(value) for value in cells.values()])


def _type_of(name: str) -> str:
    if name.endswith("_at") or name in ("created", "modified"):
        return "datetime"
    return "bool" if name in ("active", "retired", "is_removed", "is_assigned_course_run") else "text"


def _stored(value: object) -> object:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, str) and value in (DAY_1, DAY_2):
        return value.replace("T", " ").replace("Z", "")
    return value
