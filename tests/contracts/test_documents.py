"""The pages about the neighbours name every method and every reason, and nothing that does not exist."""

import inspect
import re
from pathlib import Path

import pytest

from enterprise_access.lib import errors
from enterprise_access.lib.tests.documented import process_families, state_families
from enterprise_access.settings import base
from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.discovery.client import DiscoveryClient
from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.lms.client import LmsClient

PAGES = Path(__file__).resolve().parents[2] / "docs/reference/upstream-services"
CLIENTS = {
    ("lms", "platform"): LmsClient,
    ("enterprise-catalog",): CatalogClient,
    ("license-manager",): LicenseManagerClient,
    ("course-discovery",): DiscoveryClient,
}


def text_of(*names: str) -> str:
    return "".join((PAGES / f"{name}.rst").read_text() for name in names)


def words(text: str) -> set[str]:
    """Return what stands in double backquotes as one word."""
    return set(re.findall(r"``(\w+)``", text))


@pytest.mark.parametrize(("pages", "client"), CLIENTS.items(), ids=str)
def test_every_method_is_described(pages: tuple[str, ...], client: type) -> None:
    methods = {name for name, member in inspect.getmembers(client) if callable(member) and not name.startswith("_")}
    assert methods <= words(text_of(*pages))


def test_every_kind_of_failure_and_every_reason_is_described() -> None:
    kinds = {"UpstreamUnavailable", "UpstreamRefused", "UpstreamChanged"}
    described = words(text_of("README"))
    assert {reason.value for reason in errors.UpstreamReason} | kinds <= described
    assert all(hasattr(errors, kind) for kind in kinds)


def test_every_setting_that_is_named_exists() -> None:
    for page in PAGES.glob("*.rst"):
        for name in words(page.read_text()):
            assert not name.isupper() or "_" not in name or hasattr(base, name), f"{page.name}: {name}"


@pytest.mark.django_db
def test_every_metric_that_is_named_exists() -> None:
    named = {name for name in words(text_of("README")) if name.startswith("enterprise_access_")}
    assert named
    assert named <= {*state_families(), *process_families()}


def test_the_index_leads_to_every_page() -> None:
    pages = {page.name for page in PAGES.glob("*.rst")}
    assert set(re.findall(r"<([\w-]+\.rst)>", text_of("README"))) == pages - {"README.rst"}
