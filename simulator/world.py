"""The world behind the upstream services: its state, the verbs that fill it, and the verbs that change it.

The rules of enrolling live in `enrolling`,
those of licenses in `licensing`; the methods here are the words that tests, the control interface and the seed use.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import attrs

from . import enrolling, licensing, values
from .store import Store
from .store import utc_now as utc_now
from .tables import fold
from .values import (
    Agreement,
    Catalog,
    Client,
    Course,
    Customer,
    DefaultIntention,
    Enrollment,
    EnterpriseEnrollment,
    Group,
    GroupMember,
    License,
    LicenseStatus,
    Link,
    Mode,
    Plan,
    Program,
    Run,
    Seat,
    User,
    uuid_for,
)

T = TypeVar("T")


class UnknownName(LookupError):
    """A verb was asked about something that is not in the world."""


class World(Store):
    """The words for changing the state. Hold `lock` around anything that must not interleave; single verbs hold it."""

    # -- finding ------------------------------------------------------------------------------------------------------

    def user(self, username: str) -> User:
        return _found(self.tables.users.get(fold(username)), f"user {username}")

    def run(self, key: str) -> Run:
        return _found(self.tables.runs.get(fold(key)), f"run {key}")

    def course(self, key: str) -> Course:
        return _found(self.tables.courses.get(fold(key)), f"course {key}")

    def customer(self, customer: UUID | str) -> Customer:
        """Return the customer with this uuid (also as text) or slug."""
        if isinstance(customer, str):
            named = self.tables.customers.first(slug=customer)
            customer = named.uuid if named else uuid_or_none(customer) or customer
        return _found(self.tables.customers.get(customer), f"customer {customer}")

    def plan(self, plan_uuid: UUID) -> Plan:
        return _found(self.tables.plans.get(plan_uuid), f"plan {plan_uuid}")

    def license(self, license_uuid: UUID) -> License:
        return _found(self.tables.licenses.get(license_uuid), f"license {license_uuid}")

    def links_of(self, username: str) -> list[Link]:
        return self.tables.links.where(user=self.user(username).id)

    def enrollments_of(self, username: str) -> list[Enrollment]:
        """Return the platform's rows of the learner, left ones too."""
        return self.tables.enrollments.where(user=self.user(username).id)

    def enrollment(self, username: str, run_key: str) -> Enrollment | None:
        return self.tables.enrollments.get((self.user(username).id, fold(run_key)))

    def enterprise_enrollment(self, username: str, customer: UUID | str, run_key: str) -> EnterpriseEnrollment | None:
        link = self.tables.links.get((self.customer(customer).uuid, self.user(username).id))
        return self.tables.enterprise_enrollments.get((link.id, fold(run_key))) if link else None

    def licenses_of(self, username: str) -> list[License]:
        user = self.user(username)
        return licensing.licenses_of(self, email=user.email, user_id=user.id)

    def runs_of(self, course_key: str) -> list[Run]:
        return self.tables.runs.where(course=fold(course_key))

    # -- people -------------------------------------------------------------------------------------------------------

    def add_customer(self, *, slug: str, name: str = "", uuid: UUID | None = None, **about: Any) -> Customer:
        """Add a customer; `about` sets any other attribute of Customer (and so for every `add_`)."""
        customer = Customer(
            uuid=uuid or uuid_for("customer", slug),
            slug=slug,
            name=name or slug.title(),
            modified_at=self.now(),
            **about,
        )
        self.put("customer added", customer)
        return customer

    def change_customer(self, *, customer: UUID | str, **about: Any) -> Customer:
        changed = attrs.evolve(self.customer(customer), modified_at=self.now(), **about)
        self.put("customer changed", changed)
        return changed

    def add_default_intention(self, *, customer: UUID | str, content_key: str) -> DefaultIntention:
        """Let the LMS itself intend a course, or a run, for every learner of a customer."""
        row = DefaultIntention(
            uuid=uuid_for("default intention", str(self.customer(customer).uuid), content_key),
            customer_uuid=self.customer(customer).uuid,
            content_key=content_key,
            created_at=self.now(),
        )
        self.put("default intention added", row)
        return row

    def drop_default_intention(self, *, customer: UUID | str, content_key: str) -> None:
        """Let the LMS's staff delete it."""
        for row in self.tables.default_intentions.where(customer=self.customer(customer).uuid):
            if fold(row.content_key) == fold(content_key):
                self.drop("default intention deleted", row)

    def add_user(self, *, username: str, id: int | None = None, email: str = "", **about: Any) -> User:
        user = User(
            id=id or self._free_user_id(),
            username=username,
            email=email or f"{username}@example.com",
            **({"first_name": username.title()} | about),
        )
        self.put("user added", user)
        return user

    def add_learner(
        self, *, username: str, customer: UUID | str | None = None, is_active_link: bool = True, **about: Any
    ) -> User:
        """Add a user and, where a customer is named, the link to it. `about`: what `add_user` takes."""
        user = self.add_user(username=username, **about)
        if customer is not None:
            self.link(username=username, customer=customer, make_active=is_active_link)
        return user

    def add_client(self, *, client_id: str, client_secret: str, username: str) -> Client:
        client = Client(client_id=client_id, client_secret=client_secret, username=username)
        self.put("client added", client)
        return client

    def _free_user_id(self) -> int:
        users = self.tables.users
        return next(number for number in itertools.count(10_001 + len(users)) if users.first(id=number) is None)

    def link(self, *, username: str, customer: UUID | str, make_active: bool = True) -> Link:
        """Link, or link again. `make_active` selects this customer and deselects the learner's others."""
        return enrolling.link(
            self, user=self.user(username), customer_uuid=self.customer(customer).uuid, make_active=make_active
        )

    def unlink(self, *, username: str, customer: UUID | str) -> Link:
        row = self.tables.links.get((self.customer(customer).uuid, self.user(username).id))
        link = _found(row, f"link of {username} to {customer}")
        unlinked = attrs.evolve(link, is_linked=False, is_active=False, modified_at=self.now())
        self.put("learner unlinked", unlinked)
        return unlinked

    def rename_email(self, *, username: str, email: str) -> User:
        """Change the address at the LMS; license-manager learns of it when the learner reads own licenses."""
        renamed = attrs.evolve(self.user(username), email=email)
        self.put("e-mail renamed", renamed)
        return renamed

    def rename_user(self, *, username: str, new_username: str) -> User:
        """Change a username at the LMS. The old one is free then: `add_user` can give it to somebody else."""
        user = self.user(username)
        holder = self.tables.users.get(fold(new_username))
        if holder is not None and holder.id != user.id:
            raise ValueError(f"The username {new_username} is taken.")
        renamed = attrs.evolve(user, username=new_username)
        self.drop("user renamed", user)
        self.put("user renamed", renamed)
        return renamed

    # -- content ------------------------------------------------------------------------------------------------------

    def add_course(self, *, key: str, title: str = "", **about: Any) -> Course:
        """Add a course without runs; the first `add_run(advertise=True)` gives it its advertised run."""
        course = Course(
            key=key,
            uuid=uuid_for("course", fold(key)),
            title=title or key,
            organization=key.split("+", 1)[0],
            **about,
        )
        self.put("course added", course)
        return course

    def add_run(
        self,
        *,
        key: str,
        course_key: str = "",
        seats: Iterable[Seat | str] = ("audit", "verified"),
        modes: Iterable[Mode | str] | None = None,
        upgrade_deadline: datetime | None = None,
        advertise: bool = True,
        **about: Any,
    ) -> Run:
        """Add a run, started and far from its end. Without `modes` the LMS's modes follow from the seats."""
        course = self.course(course_key or course_key_of(key))
        run_seats = tuple(values.seat(it, upgrade_deadline=upgrade_deadline) for it in seats)
        dates = {"start": self.seeded_at - timedelta(days=60), "end": self.seeded_at + timedelta(days=2000)}
        run = Run(
            key=key,
            uuid=uuid_for("run", fold(key)),
            course_key=course.key,
            seats=run_seats,
            modes=tuple(values.mode(it) for it in (run_seats if modes is None else modes)),
            **({"title": course.title} | dates | about),
        )
        self.put("run added", run)
        if advertise:
            self.advertise(course_key=course.key, run_key=key)
        return run

    def add_open_course(self, *, key: str, title: str = "", run: str = "2026_T1", **about: Any) -> Run:
        """Add the smallest enrollable course: one advertised, open run with audit and verified."""
        self.add_course(key=key, title=title)
        return self.add_run(key=f"course-v1:{key}+{run}", **about)

    def add_program(self, *, title: str, uuid: UUID | None = None, subtitle: str = "A MicroMasters program") -> Program:
        program = Program(uuid=uuid or uuid_for("program", title), title=title, subtitle=subtitle)
        self.put("program added", program)
        return program

    def add_catalog(
        self,
        *,
        customer: UUID | str,
        title: str,
        uuid: UUID | None = None,
        courses: Iterable[str] = (),
        runs: Iterable[str] = (),
        programs: Iterable[UUID] = (),
        restricted_runs: Iterable[str] = (),
        has_query: bool = True,
    ) -> Catalog:
        owner = self.customer(customer)
        catalog_uuid = uuid or uuid_for("catalog", owner.uuid, title)
        catalog = Catalog(
            uuid=catalog_uuid,
            customer_uuid=owner.uuid,
            title=title,
            query_uuid=uuid_for("query", catalog_uuid) if has_query else None,
            course_keys=tuple(courses),
            run_keys=tuple(runs),
            program_uuids=tuple(programs),
            restricted_run_keys=tuple(restricted_runs),
        )
        self._check_content(catalog)
        self.put("catalog added", catalog)
        return catalog

    def change_catalog(self, *, catalog_uuid: UUID, **about: Any) -> Catalog:
        """Change what a catalog holds, e.g. `course_keys=(...)`."""
        catalog = attrs.evolve(_found(self.tables.catalogs.get(catalog_uuid), f"catalog {catalog_uuid}"), **about)
        self._check_content(catalog)
        self.put("catalog changed", catalog)
        return catalog

    def _check_content(self, catalog: Catalog) -> None:
        """Raise UnknownName where the catalog would hold what the world does not have."""
        for key in catalog.course_keys:
            self.course(key)
        for key in (*catalog.run_keys, *catalog.restricted_run_keys):
            self.run(key)

    def advertise(self, *, course_key: str, run_key: str | None) -> Course:
        """Advertise a run of the course, or none."""
        uuid = self.run(run_key).uuid if run_key else None
        course = attrs.evolve(self.course(course_key), advertised_run_uuid=uuid)
        self.put("run advertised", course)
        return course

    def change_course(self, *, course_key: str, **about: Any) -> Course:
        course = attrs.evolve(self.course(course_key), **about)
        self.put("course changed", course)
        return course

    def rename_course(self, *, course_key: str, new_key: str) -> Course:
        """Give a course another key, as course-discovery does: its uuid and its runs stay, and catalogs follow."""
        old = self.course(course_key)
        renamed = attrs.evolve(old, key=new_key, organization=new_key.split("+", 1)[0])
        self.put("course renamed", renamed)
        for run in self.runs_of(old.key):
            self.change_run(run_key=run.key, what="run renamed", course_key=new_key)
        for catalog in list(self.tables.catalogs):
            if old.key in catalog.course_keys:
                keys = tuple(new_key if key == old.key else key for key in catalog.course_keys)
                self.change_catalog(catalog_uuid=catalog.uuid, course_keys=keys)
        self.drop("course renamed away", old)
        return renamed

    def change_run(self, *, run_key: str, what: str = "run changed", **about: Any) -> Run:
        run = attrs.evolve(self.run(run_key), **about)
        self.put(what, run)
        return run

    def close_run(self, *, run_key: str) -> Run:
        """End the enrollment window a second ago, for catalog and LMS alike."""
        return self.change_run(
            run_key=run_key, what="run closed", enrollment_end=self.now() - timedelta(seconds=1), is_enrollable=None
        )

    def unpublish_run(self, *, run_key: str) -> Run:
        return self.change_run(run_key=run_key, what="run unpublished", status="unpublished", is_marketable=False)

    def expire_mode(self, *, run_key: str, mode: str) -> Run:
        """Let a mode of the run expire a second ago, at the LMS and on the catalog's seat."""
        run, at = self.run(run_key), self.now() - timedelta(seconds=1)
        modes = tuple(attrs.evolve(row, expires_at=at) if row.slug == mode else row for row in run.modes)
        seats = tuple(attrs.evolve(row, upgrade_deadline=at) if row.type == mode else row for row in run.seats)
        return self.change_run(run_key=run_key, what="mode expired", modes=modes, seats=seats)

    # -- licenses -----------------------------------------------------------------------------------------------------

    def add_agreement(self, *, customer: UUID | str, uuid: UUID | None = None, **about: Any) -> Agreement:
        customer_uuid = self.customer(customer).uuid
        agreement = Agreement(uuid=uuid or uuid_for("agreement", customer_uuid), customer_uuid=customer_uuid, **about)
        self.put("agreement added", agreement)
        return agreement

    def add_plan(
        self,
        *,
        customer: UUID | str,
        catalog_uuid: UUID | None,
        title: str = "Annual plan",
        uuid: UUID | None = None,
        starts_at: datetime | None = None,
        expires_at: datetime | None = None,
        is_active: bool = True,
        auto_applies: bool = False,
        licenses: int = 0,
    ) -> Plan:
        """Add a plan (current for a year unless dated) under the customer's agreement, with free licenses."""
        customer_uuid = self.customer(customer).uuid
        agreement = self.tables.agreements.first(customer=customer_uuid) or self.add_agreement(customer=customer)
        plan = Plan(
            uuid=uuid or uuid_for("plan", customer_uuid, title),
            agreement_uuid=agreement.uuid,
            customer_uuid=customer_uuid,
            catalog_uuid=catalog_uuid,
            title=title,
            starts_at=starts_at or self.seeded_at - timedelta(days=30),
            expires_at=expires_at or self.seeded_at + timedelta(days=335),
            is_active=is_active,
            auto_applies=auto_applies,
            created_at=self.now(),
            number=len(self.tables.plans) + 1,
        )
        self.put("plan added", plan)
        for _ in range(licenses):
            licensing.add_free_license(self, plan_uuid=plan.uuid)
        return plan

    def add_license(
        self,
        *,
        plan_uuid: UUID,
        username: str,
        status: LicenseStatus = LicenseStatus.ACTIVATED,
        uuid: UUID | None = None,
    ) -> License:
        """Add a license that the learner holds in `status`."""
        return licensing.add_license(self, plan_uuid=plan_uuid, user=self.user(username), status=status, uuid=uuid)

    def change_plan(self, *, plan_uuid: UUID, **about: Any) -> Plan:
        plan = attrs.evolve(self.plan(plan_uuid), **about)
        self.put("plan changed", plan)
        return plan

    def assign(self, *, plan_uuid: UUID, username: str) -> License:
        return licensing.assign(self, plan_uuid=plan_uuid, email=self.user(username).email)

    def activate(self, *, license_uuid: UUID, username: str) -> License:
        return licensing.activate(self, row=self.license(license_uuid), user=self.user(username))

    def auto_apply(self, *, username: str, customer: UUID | str) -> License:
        """Give the learner a license of the customer's auto-apply plan. Raises licensing.NotPossible."""
        agreement = _found(self.tables.agreements.first(customer=self.customer(customer).uuid), "such agreement")
        return licensing.auto_apply(self, agreement=agreement, user=self.user(username))

    def revoke(self, *, license_uuid: UUID) -> License:
        """Revoke as license-manager does: a free license takes its place, the LMS moves the learner to audit."""
        return licensing.revoke(self, row=self.license(license_uuid))

    # -- groups -------------------------------------------------------------------------------------------------------

    def add_group(self, *, customer: UUID | str, name: str) -> Group:
        customer_uuid = self.customer(customer).uuid
        group = Group(uuid=uuid_for("group", customer_uuid, name), customer_uuid=customer_uuid, name=name)
        self.put("group added", group)
        return group

    def set_member(self, *, group_uuid: UUID, username: str = "", email: str = "", status: str = "accepted") -> None:
        """Invite a user, or an address without an account, into a group, or change how that stands."""
        user = self.user(username) if username else None
        address = user.email if user else email
        self.put(
            "member changed",
            GroupMember(
                uuid=uuid_for("member", group_uuid, fold(address)),
                group_uuid=group_uuid,
                email=address,
                status=status,
                changed_at=self.now(),
                user_id=user.id if user else None,
            ),
        )

    # -- enrollments --------------------------------------------------------------------------------------------------

    def enroll(
        self,
        *,
        username: str,
        run_key: str,
        mode: str = "audit",
        customer: UUID | str | None = None,
        license_uuid: UUID | None = None,
    ) -> Enrollment:
        """Enroll without asking whether it is allowed; with a customer and a license, as edx-enterprise would."""
        user, run = self.user(username), self.run(run_key)
        row = enrolling.write_enrollment(self, user_id=user.id, run_key=run.key, mode=mode, is_active=True)
        if customer is not None:
            link = self.link(username=username, customer=customer)
            enrolling.write_enterprise_enrollment(self, link=link, run_key=run.key, license_uuid=license_uuid)
        return row

    def leave(self, *, username: str, run_key: str, delete_enterprise_row: bool = False) -> Enrollment:
        """Let the learner leave a run, as the platform does it. Some doors of the LMS delete the enterprise row."""
        row = _found(self.enrollment(username, run_key), f"enrollment of {username} in {run_key}")
        return enrolling.leave(self, row=row, delete_enterprise_row=delete_enterprise_row)

    def revoke_enrollments(self, *, username: str, customer: UUID | str) -> dict[str, str]:
        """Move all licensed enrollments of the learner at the customer to audit (or out). Run key -> message."""
        row = self.tables.links.get((self.customer(customer).uuid, self.user(username).id))
        return enrolling.revoke_licensed(self, link=_found(row, f"link of {username} to {customer}"))

    def freeze_replica(self) -> None:
        """Let the enterprise enrollment list answer from now's state until `catch_up_replica`."""
        rows = self.tables.enterprise_enrollments
        self.replica = {link.id: rows.where(link=link.id) for link in self.tables.links}

    def catch_up_replica(self) -> None:
        self.replica = None


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def course_key_of(run_key: str) -> str:
    """Return `edX+DemoX` for `course-v1:edX+DemoX+2026_T1`."""
    return run_key.removeprefix("course-v1:").rsplit("+", 1)[0]


def _found(row: T | None, name: str) -> T:
    if row is None:
        raise UnknownName(f"The world has no {name}.")
    return row
