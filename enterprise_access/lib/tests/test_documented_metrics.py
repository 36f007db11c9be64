"""Dashboards, alerts and pages about metrics: they name what there is, and leave nothing out."""

import json
import re
from pathlib import Path

import pytest
import yaml

from enterprise_access.lib.tests.documented import PREFIX, exported_series, process_families, state_families

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
SERIES = re.compile(r"(enterprise_access_[a-z_]+)(?:\{([^}]*)\})?")


def alerts():
    (group,) = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return group["rules"]


def dashboard_queries():
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def series_of(query):
    """Return name and labels of every series of ours that a query names."""
    return [(name, set(re.findall(r"(\w+)\s*(?:=|!)", inside))) for name, inside in SERIES.findall(query)]


def unknown(queries):
    known = exported_series()
    named = [series for query in queries for series in series_of(query)]
    assert named
    return [(name, labels) for name, labels in named if name not in known or not labels <= known[name]]


def test_alerts_name_only_what_is_exported():
    assert unknown(alert["expr"] for alert in alerts()) == []


def test_the_dashboard_names_only_what_is_exported():
    assert unknown(dashboard_queries()) == []


def test_every_metric_is_on_the_dashboard():
    shown = {name for query in dashboard_queries() for name, _ in series_of(query)}
    shown = {re.sub(r"_(sum|count|bucket)$", "", name) for name in shown}
    assert {*state_families(), *process_families()} - shown == {PREFIX + "state_read"}


def test_every_alert_says_how_urgent_it_is_and_what_is_so():
    names = [alert["alert"] for alert in alerts()]
    assert len(set(names)) == len(names)
    for alert in alerts():
        assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["annotations"]["summary"].endswith(".")


def test_the_runbook_has_a_section_for_every_alert_and_for_nothing_else():
    text = (ROOT / "docs" / "runbook.rst").read_text()
    sections = re.findall(r"^(EnterpriseAccess\w+)\n=+\n(.*?)(?=^EnterpriseAccess\w+\n=|\Z)", text, re.M | re.S)
    assert [name for name, _ in sections] == [alert["alert"] for alert in alerts()]
    for name, section in sections:
        assert all(part in section for part in ("**Meaning.**", "**Check.**", "**Fix.**")), name


def test_the_reference_lists_exactly_what_is_exported_with_its_labels():
    text = (ROOT / "docs" / "reference" / "metrics.rst").read_text()
    rows = re.findall(r"^   \* - ``(enterprise_access_\w+)``\n     - (.*)\n     - (.*)$", text, re.M)
    listed = {name: (tuple(re.findall(r"\w+", labels)), meaning) for name, labels, meaning in rows}
    assert listed == {**state_families(), **process_families()}


def test_the_example_of_what_to_scrape_is_yaml():
    jobs = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())["scrape_configs"]
    assert [job["job_name"] for job in jobs] == ["enterprise-access-web", "enterprise-access-background"]
