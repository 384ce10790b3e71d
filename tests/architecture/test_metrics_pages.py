"""What is written about metrics, and the rules and dashboard over them, name what the service exposes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gatehouse.common.infrastructure.metrics.exposition import Exposition
from gatehouse.common.infrastructure.metrics.shared_metrics import SharedMetrics
from gatehouse.setup.metrics import series_of
from gatehouse.setup.modules import MODULES
from tests.root import ROOT

PAGE = (ROOT / "docs/operations/metrics.md").read_text()
ALERTS_PAGE = (ROOT / "docs/operations/alerts.md").read_text()
RULES = (ROOT / "deploy/prometheus/rules.yaml").read_text()
RULES_TEST = yaml.safe_load((ROOT / "deploy/prometheus/rules_test.yaml").read_text())
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())
NAME = re.compile(r"(?<![\w:.])(?:gatehouse|process)_\w+(?![\w:])")
ROW = re.compile(r"^\| `(\w+)` \|([^|]*)\|", re.MULTILINE)
UNNAMED = {"le"}
"""Labels that every histogram has."""


@pytest.fixture(scope="module")
def exposed() -> dict[str, dict[str, set[str]]]:
    """Each metric, with the names of its samples, and the labels of each."""
    memory = SharedMetrics(series_of(MODULES))
    exposition = Exposition(memory)
    memory.take(0)
    _, text = exposition.expose("")
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: {
            sample.name: set(sample.labels) for sample in family.samples
        }
        for family in text_string_to_metric_families(text.decode())
    }


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboard_expressions() -> Iterator[str]:
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ()))
    yield from (variable["definition"] for variable in DASHBOARD["templating"]["list"] if "definition" in variable)


EXPRESSIONS = [*(rule["expr"] for rule in rules()), *dashboard_expressions()]


def test_the_page_lists_exactly_what_is_exposed_with_its_labels(exposed: dict[str, dict[str, set[str]]]) -> None:
    listed = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in ROW.findall(PAGE)}

    assert listed == {name: set[str]().union(*samples.values()) - UNNAMED for name, samples in exposed.items()}


def test_rules_and_dashboard_use_only_what_is_exposed(exposed: dict[str, dict[str, set[str]]]) -> None:
    used = {name for expression in EXPRESSIONS for name in NAME.findall(expression)}

    assert len(used) > 20
    assert used <= {name for samples in exposed.values() for name in samples}


def test_rules_and_dashboard_use_only_labels_that_the_metric_has(exposed: dict[str, dict[str, set[str]]]) -> None:
    labels_of = {name: labels for samples in exposed.values() for name, labels in samples.items()}
    selectors = re.compile(rf"({NAME.pattern})\{{([^}}]*)\}}")

    unknown = {
        (name, label)
        for expression in EXPRESSIONS
        for name, selector in selectors.findall(expression)
        for label in re.findall(r"(\w+)\s*(?:=|!)", selector)
        if label not in labels_of[name] | {"job", "instance"}
    }

    assert unknown == set()


def test_what_is_recorded_is_used_and_what_is_used_is_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = {name for expression in EXPRESSIONS for name in re.findall(r"gatehouse:\w+:\w+", expression)}

    assert used == recorded


def test_every_use_case_and_route_in_a_selector_exists() -> None:
    use_cases = {
        use_case
        for metric, series in series_of(MODULES).items()
        if "use_case" in metric.labels
        for use_case, *_ in series
    }
    named = {name for expression in EXPRESSIONS for name in re.findall(r'use_case="(\w+)"', expression)}

    assert named
    assert named <= use_cases


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_leads_to_its_runbook(alert: str) -> None:
    annotations = ALERTS[alert]["annotations"]
    runbook = ALERTS_PAGE.partition(f"### {alert}\n")[2].partition("\n#")[0]

    assert annotations["runbook_url"] == f"docs/operations/alerts.md#{alert.lower()}"
    assert annotations["summary"].endswith(".")
    assert len(runbook.split()) > 10


def test_no_runbook_is_left_over() -> None:
    assert set(re.findall(r"^### (\w+)$", ALERTS_PAGE, re.MULTILINE)) == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_the_tests_of_the_rules_see_every_alert_come_and_stay_away(alert: str) -> None:
    cases = [case for test in RULES_TEST["tests"] for case in test["alert_rule_test"] if case["alertname"] == alert]

    assert any(case["exp_alerts"] for case in cases)
    assert any(not case["exp_alerts"] for case in cases)


def test_panels_have_titles_of_their_own_and_lie_beside_each_other() -> None:
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["title"] for panel in panels}) == len(panels)
    assert len(set(places)) == len(places)
