"""How much an installation can take, and what gives in first.

    python scripts/capacity.py --learners 1000000 --logins-per-hour 50000 --customers 1000 --workers 8

Computes with what was measured (docs/capacity/coefficients.json, by `make bench-capacity`), with the neighbours'
throttles as they were recorded, and with the settings of the installation. scripts/capacity_page.py makes the page of
it.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, fields, frozen

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "capacity"
MINUTES_A_DAY = 24 * 60
LICENSES_PER_PAGE = 500
# Up to so many learners are looked up one by one at license-manager (licenses.selectors.lookup).
FEW_LEARNERS = 5

# What the neighbours allow our account, calls a minute; see docs/reference/neighbours.
LICENSE_MANAGER_A_MINUTE = 360
PLATFORM_A_MINUTE = 120
# The LMS is asked for so many learners' enrollments at once.
LEARNERS_PER_READ = 100


@frozen(kw_only=True)
class Load:
    """What comes."""

    learners: int
    customers: int
    intentions: int = 5
    """Default courses of each customer."""
    logins_per_hour: float
    newcomers_per_hour: float
    """Learners among them who are owed something: the first login, or a new intention."""

    @property
    def learners_per_customer(self) -> float:
        return self.learners / self.customers


@frozen(kw_only=True)
class Installation:
    """What it comes upon: our processes and settings, and how fast the neighbours are."""

    workers: int = 4
    webs: int = 8
    consumers: int = 1
    database_cores: int = 4
    call_seconds: float = 0.2
    """How long a neighbour takes for a call that reads."""
    enroll_seconds: float = 0.1
    """How long the LMS takes for each enrollment of a bulk post."""
    patience_minutes: float = 10
    """How long a learner may wait for others of the same customer, so that they are looked at together."""
    realize_batch: int = 100
    enroll_batch: int = 20
    enrollments_fresh_seconds: int = 60
    check_intentions_seconds: int = 900
    reconcile_learners: int = 500
    reconcile_seconds: int = 600
    reconcile_within_days: int = 7
    """How soon a learner who left unnoticed should be found."""
    modes_per_minute: int = 38
    modes_reserved_per_minute: int = 18
    modes_fresh_hours: int = 24
    runs: int = 2_000
    """Different runs that are intended, of all customers together."""
    stream_max_len: int = 1_000_000
    outage_hours: int = 6
    """How long our consumers may be away without losing a login."""
    license_manager_a_minute: int = LICENSE_MANAGER_A_MINUTE
    platform_a_minute: int = PLATFORM_A_MINUTE


@frozen(kw_only=True)
class Coefficients:
    """What was measured. Of a look at b learners: so much for the look, and so much for each of them."""

    intentions: int
    look_cpu_seconds: float
    learner_cpu_seconds: float
    look_statements: float
    learner_statements: float
    page_cpu_seconds: float
    database_seconds_per_learner: float
    check_cpu_seconds: float
    check_calls: int
    events_per_second: float
    web_seconds: float
    """A page load that finds its content in the cache, without the neighbours' time."""
    web_calls: int
    """How often a page load then waits for a neighbour."""
    rows: Mapping[str, float]
    bytes: Mapping[str, Mapping[str, float]]
    message_bytes: int
    storm: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path = FOLDER) -> "Coefficients":
        found = json.loads((folder / "coefficients.json").read_text())
        looks = {look["learners"]: look for look in found["looks"] if "learners" in look}
        one, many = looks[min(looks)], looks[max(looks)]
        check = next(look for look in found["looks"] if "check_of_a_customer" in look)
        page = next(look for look in found["looks"] if "page_of_licenses" in look)
        loads = json.loads((folder.parent / "benchmarks" / "portal.json").read_text())["loads"]
        portal = next(load for load in loads if load["load"] == "warm" and load["delay_ms"] == 0)
        rounds = next(load["rounds"] for load in loads if load["load"] == "warm" and load["rounds"])
        look_cpu, learner_cpu = line(one, many, "cpu_seconds")
        look_statements, learner_statements = line(one, many, "statements")
        storm = found["storm"]
        return cls(
            intentions=one["intentions"],
            look_cpu_seconds=look_cpu,
            learner_cpu_seconds=learner_cpu,
            look_statements=look_statements,
            learner_statements=learner_statements,
            page_cpu_seconds=page["cpu_seconds"],
            database_seconds_per_learner=storm["database_seconds"] / storm["learners"],
            check_cpu_seconds=check["cpu_seconds"],
            check_calls=sum(check["calls"].values()),
            events_per_second=min(case["events_per_second"] for case in found["events"].values()),
            web_seconds=portal["p50_ms"] / 1000,
            web_calls=rounds,
            rows=found["rows_per_learner"],
            bytes=found["bytes_per_learner"],
            message_bytes=found["redis_bytes_per_message"],
            storm=storm,
        )


def line(one: Mapping[str, Any], many: Mapping[str, Any], key: str) -> tuple[float, float]:
    """Return base and slope of the line through two looks at different numbers of learners."""
    slope = (many[key] - one[key]) / (many["learners"] - one["learners"])
    return max(0.0, one[key] - slope * one["learners"]), slope


# --- One look --------------------------------------------------------------------------------------------------------


def pages_of(licenses: float) -> int:
    return max(1, math.ceil(licenses / LICENSES_PER_PAGE))


def license_calls(learners: int, *, licenses: float) -> int:
    """Return how often license-manager is asked in a look at some learners of a customer with so many licenses."""
    if learners <= FEW_LEARNERS:
        return learners
    pages = pages_of(licenses)
    return 1 + (pages if pages < learners else learners)


def calls_of_look(learners: int, *, intentions: int, licenses: float, enroll_batch: int) -> dict[str, int]:
    """Return the calls of a look at newcomers, by neighbour."""
    return {
        "lms": 1,
        "platform": math.ceil(learners / LEARNERS_PER_READ),
        "license-manager": license_calls(learners, licenses=licenses),
        "bulk posts": math.ceil(learners * intentions / enroll_batch),
    }


def calls_of(learners: int, load: Load, inst: Installation) -> dict[str, int]:
    """Return the calls of a look in this installation.

    When it takes so long that its facts are half too old, they are read again before every bulk post that follows.
    """
    calls = calls_of_look(
        learners, intentions=load.intentions, licenses=load.learners_per_customer, enroll_batch=inst.enroll_batch
    )
    items = min(inst.enroll_batch, learners * load.intentions)
    post_seconds = inst.call_seconds + items * inst.enroll_seconds
    if post_seconds:
        late = max(0, calls["bulk posts"] - math.ceil(inst.enrollments_fresh_seconds / 2 / post_seconds))
        calls["lms"] += late
        calls["platform"] += late
    return calls


def look_seconds(learners: int, load: Load, inst: Installation, coef: Coefficients) -> float:
    """Return how long a worker process is busy with one look."""
    calls = calls_of(learners, load, inst)
    cpu = look_cpu_seconds(learners, load, coef)
    waiting = sum(calls.values()) * inst.call_seconds + learners * load.intentions * inst.enroll_seconds
    return cpu + waiting + learners * coef.database_seconds_per_learner


def look_cpu_seconds(learners: int, load: Load, coef: Coefficients) -> float:
    share = load.intentions / coef.intentions
    pages = license_calls(learners, licenses=load.learners_per_customer) if learners > FEW_LEARNERS else 0
    # The pages that the measured looks read are part of what was measured.
    more_pages = max(0, pages - 2) * coef.page_cpu_seconds
    return coef.look_cpu_seconds + learners * coef.learner_cpu_seconds * share + more_pages


# --- Limits ----------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Limit:
    """Something that there is only so much of."""

    name: str
    needed: float
    available: float
    unit: str
    moved_by: str

    @property
    def share(self) -> float:
        return self.needed / self.available


@frozen(kw_only=True)
class Forecast:
    """What becomes of a load: how learners are taken together, every limit, and the first that is hit."""

    batch: int
    wait_minutes: float
    limits: tuple[Limit, ...]

    @property
    def first(self) -> Limit:
        return max(self.limits, key=lambda limit: limit.share)


def forecast(load: Load, inst: Installation, coef: Coefficients) -> Forecast:
    """Return what becomes of a load.

    A look takes all who wait of one customer, up to a batch. So a queue makes looks cheaper: as long as something is
    short, more learners wait, and the batches grow. Taken is the smallest batch at which everything suffices; when
    there is none that gathers within the patience, the one at which least is missing.
    """
    a_minute = load.newcomers_per_hour / 60 / load.customers
    most = max(1, min(inst.realize_batch, int(load.learners_per_customer)))
    arrived = max(1, min(most, math.ceil(a_minute / 60 * look_seconds(1, load, inst, coef))))
    gathered = max(arrived, min(most, 1 + int(a_minute * inst.patience_minutes)))

    def worst(batch: int) -> float:
        return max(limit.share for limit in limits_of_looks(batch, load, inst, coef))

    batches = range(arrived, gathered + 1)
    batch = next((size for size in batches if worst(size) <= 1), min(batches, key=worst))
    wait = (batch - 1) / a_minute if batch > arrived else 0.0
    limits = (*limits_of_looks(batch, load, inst, coef), *other_limits(load, inst, coef))
    return Forecast(batch=batch, wait_minutes=wait, limits=limits)


def limits_of_looks(batch: int, load: Load, inst: Installation, coef: Coefficients) -> list[Limit]:
    looks = load.newcomers_per_hour / 60 / batch
    calls = calls_of(batch, load, inst)
    reconciling = inst.reconcile_learners / LEARNERS_PER_READ * 60 / inst.reconcile_seconds
    return [
        Limit(
            name="worker processes",
            needed=looks / 60 * look_seconds(batch, load, inst, coef) + checking(load, inst, coef),
            available=inst.workers,
            unit="processes",
            moved_by="ours: worker processes (`celery worker --concurrency`, more containers); theirs: a faster LMS",
        ),
        Limit(
            name="license-manager",
            needed=looks * calls["license-manager"],
            available=inst.license_manager_a_minute,
            unit="calls a minute",
            moved_by="theirs: license-manager's throttle of our account; ours: REALIZE_BATCH",
        ),
        Limit(
            name="enrollments of the platform",
            needed=looks * calls["platform"] + reconciling,
            available=inst.platform_a_minute,
            unit="calls a minute",
            moved_by="theirs: the platform's throttle of staff; ours: REALIZE_BATCH, RECONCILE_LEARNERS",
        ),
    ]


def checking(load: Load, inst: Installation, coef: Coefficients) -> float:
    """Return how many worker processes are busy with checking the intentions of every customer."""
    share = load.intentions / coef.intentions
    seconds = coef.check_cpu_seconds * share + coef.check_calls * inst.call_seconds
    return load.customers * seconds / inst.check_intentions_seconds


def other_limits(load: Load, inst: Installation, coef: Coefficients) -> list[Limit]:
    logins = load.logins_per_hour / 3600
    return [
        Limit(
            name="event consumers",
            needed=logins,
            available=inst.consumers * coef.events_per_second,
            unit="logins a second",
            moved_by="ours: consumers of the topic of logins (`consume_topic --name` each)",
        ),
        Limit(
            name="web processes",
            needed=logins * (coef.web_seconds + coef.web_calls * inst.call_seconds),
            available=inst.webs,
            unit="processes",
            moved_by="ours: WEB_CONCURRENCY, more containers",
        ),
        Limit(
            name="rounds of reconciliation",
            needed=load.learners / inst.reconcile_within_days,
            available=inst.reconcile_learners * MINUTES_A_DAY * 60 / inst.reconcile_seconds,
            unit="learners a day",
            moved_by="ours: RECONCILE_LEARNERS, RECONCILE_SECONDS; theirs: the platform's throttle of staff",
        ),
        Limit(
            name="modes of runs",
            needed=inst.runs / inst.modes_fresh_hours / 60,
            available=inst.modes_per_minute - inst.modes_reserved_per_minute,
            unit="calls a minute",
            moved_by="ours: MODES_FRESH_SECONDS, MODES_PER_MINUTE; theirs: the LMS's throttle of addresses (40)",
        ),
        Limit(
            name="the stream of logins",
            needed=load.logins_per_hour * inst.outage_hours,
            available=inst.stream_max_len,
            unit="messages",
            moved_by="ours and theirs: EVENT_BUS_REDIS_STREAM_MAX_LEN (the LMS's cuts the stream)",
        ),
        Limit(
            name="the database",
            needed=load.newcomers_per_hour / 3600 * coef.database_seconds_per_learner,
            available=inst.database_cores,
            unit="busy cores",
            moved_by="ours: cores of the database",
        ),
    ]


def storage_bytes(load: Load, coef: Coefficients, database: str) -> float:
    """Return the size of the tables once everybody was there. Rows of which there is one per course grow with these."""
    share = load.intentions / coef.intentions
    per_learner = sum(size * (share if coef.rows[name] > 1 else 1) for name, size in coef.bytes[database].items())
    return load.learners * per_learner


def most_newcomers(load: Load, inst: Installation, coef: Coefficients) -> tuple[float, Limit]:
    """Return how many newcomers an hour the neighbours allow, however many processes we have, and who stops at that.

    `load` says how many customers there are, and how big they are.
    """
    endless = evolve(inst, workers=10**9)
    low, high = 1.0, 1e9
    while high / low > 1.0001:
        middle = math.sqrt(low * high)
        if is_possible(evolve(load, newcomers_per_hour=middle), endless, coef):
            low = middle
        else:
            high = middle
    found = forecast(evolve(load, newcomers_per_hour=high), endless, coef)
    return low, max(found.limits[:3], key=lambda limit: limit.share)


def is_possible(load: Load, inst: Installation, coef: Coefficients) -> bool:
    return all(limit.share <= 1 for limit in forecast(load, inst, coef).limits[:3])


# --- The storm that was measured -------------------------------------------------------------------------------------


def storm_forecast(learners: int, workers: int, coef: Coefficients) -> dict[str, float]:
    """Return what a storm of one customer's learners costs, reckoned from a smaller one."""
    measured, intentions = coef.storm, coef.intentions
    small, looks = measured["learners"], math.ceil(learners / 100)
    licenses = looks * (license_calls(100, licenses=learners) - 1)
    more_pages = licenses - learners / small * math.ceil(small / 100) * pages_of(small)
    # Besides, one learner of another customer is served in a look of its own.
    quiet = calls_of_look(1, intentions=intentions, licenses=1, enroll_batch=20)
    times = learners / small
    page_seconds = coef.page_cpu_seconds + measured.get("page_wait_seconds", 0.05)
    return {
        "bulk posts": looks * math.ceil(100 * intentions / 20) + quiet["bulk posts"],
        "calls of license-manager": looks + licenses + quiet["license-manager"],
        "calls of the platform": looks + quiet["platform"],
        "CPU seconds of the workers": measured["cpu_seconds"]["workers"] * times + more_pages * coef.page_cpu_seconds,
        "seconds": (measured["seconds"] * measured["workers"] * times + more_pages * page_seconds) / workers,
    }


def storm_measured(found: Mapping[str, Any]) -> dict[str, float]:
    calls = found["calls"]
    licenses = sum(number for endpoint, number in calls.items() if endpoint.startswith("license_manager."))
    return {
        "bulk posts": found["bulk_posts"],
        "calls of license-manager": licenses,
        "calls of the platform": calls["platform.enrollments"],
        "CPU seconds of the workers": found["cpu_seconds"]["workers"],
        "seconds": found["seconds"],
    }


# --- In words --------------------------------------------------------------------------------------------------------

LEARNERS_PER_CUSTOMER = 1_000
LOGINS_PEAK = 100_000
# In the busiest hour so many of all learners log in, and so many of these are owed something on an ordinary day.
PEAK_SHARE, NEWCOMER_SHARE = 0.05, 0.02


def peak(learners: int, *, newcomers: float) -> Load:
    """Return the busiest hour of an installation of that size; `newcomers` is their share of those who log in."""
    logins = min(LOGINS_PEAK, learners * PEAK_SHARE)
    return Load(
        learners=learners,
        customers=max(1, learners // LEARNERS_PER_CUSTOMER),
        logins_per_hour=logins,
        newcomers_per_hour=logins * newcomers,
    )


def describe(load: Load, inst: Installation, coef: Coefficients) -> Iterable[str]:
    found = forecast(load, inst, coef)
    first = found.first
    yield f"{load.learners:,} learners of {load.customers:,} customers, {load.intentions} intentions each"
    yield f"{load.logins_per_hour:,.0f} logins an hour, {load.newcomers_per_hour:,.0f} of them owed something"
    yield ""
    yield f"A worker takes {found.batch} learners at once; a learner waits {found.wait_minutes:.0f} minutes for that."
    yield ""
    for limit in sorted(found.limits, key=lambda limit: -limit.share):
        yield f"  {limit.share:7.0%}  {limit.name}: {limit.needed:,.1f} of {limit.available:,.1f} {limit.unit}"
    yield ""
    yield f"{'Too much for' if first.share > 1 else 'The first limit will be'}: {first.name}"
    yield f"  moved by {first.moved_by}"
    most, stopped_by = most_newcomers(load, inst, coef)
    yield f"The neighbours allow {most:,.0f} newcomers an hour; then this is used up: {stopped_by.name}."
    yield ""
    for database in coef.bytes:
        yield f"  {storage_bytes(load, coef, database) / 1e9:9,.1f} GB in {database}, once everybody was there"
    yield f"  {inst.stream_max_len * coef.message_bytes / 1e9:9,.1f} GB in Redis, when a stream is full"


# --- The command -----------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--learners", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, help="default: one for a thousand learners")
    parser.add_argument("--intentions", type=int, default=5)
    parser.add_argument("--logins-per-hour", type=float, help=f"default: {PEAK_SHARE:.0%} of the learners")
    parser.add_argument("--newcomers-per-hour", type=float, help=f"default: {NEWCOMER_SHARE:.0%} of the logins")
    for field in fields(Installation):
        kind: Callable[[str], Any] = float if isinstance(field.default, float) else int
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    given = parser.parse_args(arguments)
    inst = Installation(**{field.name: getattr(given, field.name) for field in fields(Installation)})
    coef = Coefficients.read()
    logins = (
        peak(given.learners, newcomers=0).logins_per_hour if given.logins_per_hour is None else given.logins_per_hour
    )
    newcomers = logins * NEWCOMER_SHARE if given.newcomers_per_hour is None else given.newcomers_per_hour
    load = Load(
        learners=given.learners,
        customers=given.customers or max(1, given.learners // LEARNERS_PER_CUSTOMER),
        intentions=given.intentions,
        logins_per_hour=logins,
        newcomers_per_hour=newcomers,
    )
    print("\n".join(describe(load, inst, coef)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
