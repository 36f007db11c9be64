"""Course types and what they are made of.

A course has a course type, each of its runs a run type; a run type is a set of tracks; a track is an LMS mode and the
seat type under which ecommerce sells it, or no seat type: a mode without a product. Slugs identify all of them.
"""

from typing import Final

from attrs import frozen

from enterprise_access.apps.course_types.domain.modes import AUDIT, NO_ID_PROFESSIONAL, PROFESSIONAL

# The slug of the course type and of the run type that mean "not known yet".
EMPTY: Final = "empty"

PLATFORM: Final = "platform"
ORGANIZATION: Final = "organization"
PAYEES: Final = frozenset({"", PLATFORM, ORGANIZATION})

# What course-discovery can store.
CERTIFICATE_TYPES: Final = frozenset(
    {
        "",
        "honor",
        "credit",
        "verified",
        "professional",
        "executive-education",
        "paid-executive-education",
        "unpaid-executive-education",
        "paid-bootcamp",
        "unpaid-bootcamp",
    }
)


@frozen(kw_only=True)
class Mode:
    """An LMS enrollment mode. `certificate_type` and `payee` are empty where there is none.

    `enroll_rank` orders what a learner should get automatically, lowest first; None = never automatically.
    """

    slug: str
    name: str = ""
    is_id_verified: bool = False
    is_credit_eligible: bool = False
    certificate_type: str = ""
    payee: str = ""
    is_audit: bool = False
    enroll_rank: int | None = None
    has_upgrade_deadline: bool = False


@frozen(kw_only=True)
class SeatType:
    """What ecommerce sells. `has_upgrade_deadline` is that of the mode of the same slug: discovery goes by the seat."""

    slug: str
    name: str = ""
    has_upgrade_deadline: bool = False


@frozen(kw_only=True)
class Track:
    """A mode, and the seat type that sells it; None = a mode without a product, put into the LMS at price 0."""

    mode: Mode
    seat_type: SeatType | None = None

    @property
    def has_product(self) -> bool:
        """Whether ecommerce sells a seat for it."""
        return self.seat_type is not None

    @property
    def paid_to_platform(self) -> bool:
        """Whether the platform is paid for the mode."""
        return self.mode.payee == PLATFORM

    @property
    def paid_to_partner(self) -> bool:
        """Whether the partner organization is paid for the mode."""
        return self.mode.payee == ORGANIZATION

    @property
    def lms_mode(self) -> str:
        """The slug under which the LMS gets the mode.

        Of a seat ecommerce makes it from the certificate type and the ID check, whatever the mode is called.
        """
        if self.seat_type is None:
            return self.mode.slug
        if self.mode.certificate_type == PROFESSIONAL and not self.mode.is_id_verified:
            return NO_ID_PROFESSIONAL
        return self.mode.certificate_type or AUDIT


@frozen(kw_only=True)
class RunType:
    """What a run is for: its tracks. `is_marketable` False = never has a page of its own on the marketing site."""

    slug: str
    name: str = ""
    tracks: tuple[Track, ...] = ()
    is_marketable: bool = True
    is_retired: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it means "not known yet"."""
        return self.slug == EMPTY

    @property
    def modes(self) -> frozenset[str]:
        """The slugs of its modes."""
        return frozenset(track.mode.slug for track in self.tracks)

    @property
    def seat_types(self) -> frozenset[str]:
        """The slugs of its seat types; a track without a product has none."""
        return frozenset(track.seat_type.slug for track in self.tracks if track.seat_type is not None)

    @property
    def lms_modes_without_product(self) -> frozenset[str]:
        """The LMS modes that no seat shows."""
        return frozenset(track.lms_mode for track in self.tracks if not track.has_product)


@frozen(kw_only=True)
class CourseType:
    """What a course is for: its entitlement, if any, and the run types that its runs may have.

    `org_allow_list` empty = every organization. `rank` is the place in which the type is tried when matching.
    """

    slug: str
    name: str = ""
    entitlement_types: tuple[str, ...] = ()
    run_types: tuple[str, ...] = ()
    org_allow_list: tuple[str, ...] = ()
    rank: int = 0
    is_retired: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it means "not known yet"."""
        return self.slug == EMPTY

    def allows_run_type(self, slug: str) -> bool:
        """Say whether a run may have this type; "not known yet" is always possible."""
        return slug == EMPTY or slug in self.run_types

    def allows_org(self, org: str) -> bool:
        """Say whether courses of this organization may have the type, ignoring case."""
        return not self.org_allow_list or org.casefold() in (allowed.casefold() for allowed in self.org_allow_list)
