"""Alerts and dashboard ask for what the bot really tells, and every alert is explained."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from bot import metrics
from bot.models.run import Outcome, Phase
from bot.pages.metrics import FAMILIES
from deploy.local.environment import ROOT
from tests.manifests import tools
from tests.manifests.rendered import manifests

if TYPE_CHECKING:
    from collections.abc import Mapping

MONITORING = ROOT / "deploy" / "monitoring"
INTERVAL = "1m"
"""What Grafana puts in place of $__rate_interval."""
STATES = {
    "preflight_runs": {one.value for one in (*Phase, *Outcome)},
    "preflight_deliveries": {"queued", "working", "done", "ignored", "parked"},
    "preflight_oldest_seconds": {"oldest_delivery", "oldest_report"},
}
DURATION = re.compile(r"\d+[smhd]")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    return found


EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in rules()},
    **{
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", INTERVAL)
        for panel in panels()
        for target in panel["targets"]
    },
}


def told() -> Mapping[str, set[str]]:
    """The names under which Prometheus finds what the bot tells, and the labels of each."""
    found: dict[str, set[str]] = {"up": {"job", "process"}, "preflight_database_up": set()}
    found |= {name: {label} for name, _, label in FAMILIES.values()}
    for family in vars(metrics).values():
        if not isinstance(family, Counter | Gauge | Histogram):
            continue
        name, labels = next(iter(family.describe())).name, set(family._labelnames)  # noqa: SLF001 - no public way
        if isinstance(family, Histogram):
            found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            found[name + ("_total" if isinstance(family, Counter) else "")] = labels
    return found


@pytest.fixture(scope="module")
def parsed() -> dict[str, dict[str, Any]]:
    """All expressions, read by a PromQL parser."""
    answer = tools.run("python", "tests/manifests/read_promql.py", stdin=json.dumps([*EXPRESSIONS.values()]))
    return dict(zip(EXPRESSIONS, json.loads(answer), strict=True))


@pytest.mark.parametrize("name", EXPRESSIONS)
class TestExpressions:
    def test_is_promql(self, parsed: dict[str, dict[str, Any]], name: str) -> None:
        assert "error" not in parsed[name]

    def test_asks_for_metrics_and_labels_that_there_are(
        self, parsed: dict[str, dict[str, Any]], name: str
    ) -> None:
        known = told()
        selectors = parsed[name]["selectors"]
        assert selectors
        labels: set[str] = set()
        for selector in selectors:
            assert selector["metric"] in known
            labels |= known[selector["metric"]]
            assert {label for label, _, _ in selector["matchers"]} <= known[selector["metric"]]
        assert set(parsed[name]["labels"]) <= labels

    def test_asks_for_states_that_there_are(self, parsed: dict[str, dict[str, Any]], name: str) -> None:
        for selector in parsed[name]["selectors"]:
            for _, operator, value in selector["matchers"]:
                if states := STATES.get(selector["metric"]):
                    named = set(value.split("|")) if operator == "MatchOp.Re" else {value}
                    assert named <= states


def test_the_parser_refuses_what_is_wrong() -> None:
    answer = tools.run("python", "tests/manifests/read_promql.py", stdin='["sum(", "foo(x)", "up{job=}"]')
    assert all("error" in one for one in json.loads(answer))


class TestAlerts:
    def test_each_is_whole(self) -> None:
        for rule in rules():
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
            assert DURATION.fullmatch(rule.get("for", "1m"))
            assert set(rule["labels"]) == {"severity"}
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert set(rule["annotations"]) == {"summary", "runbook"}

    def test_no_two_have_one_name(self) -> None:
        names = [rule["alert"] for rule in rules()]
        assert len(names) == len(set(names))

    def test_each_is_explained(self) -> None:
        headings = re.findall(
            r"^#+ (Preflight\w+)$", (ROOT / "deploy" / "KUBERNETES.md").read_text(), re.MULTILINE
        )
        assert headings == [rule["alert"] for rule in rules()]
        for rule in rules():
            assert rule["annotations"]["runbook"] == f"deploy/KUBERNETES.md#{rule['alert'].lower()}"

    def test_a_summary_names_labels_that_its_expression_keeps(
        self, parsed: dict[str, dict[str, Any]]
    ) -> None:
        for rule in rules():
            for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
                kept = parsed[rule["alert"]]
                matched = {name for selector in kept["selectors"] for name, _, _ in selector["matchers"]}
                assert label in kept["labels"] or ("absent(" in rule["expr"] and label in matched)


class TestDashboard:
    def test_panels_do_not_overlap(self) -> None:
        taken = [
            (x, y)
            for place in (panel["gridPos"] for panel in panels())
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(taken) == len(set(taken))
        assert max(x for x, _ in taken) < 24

    def test_every_panel_is_titled_described_and_asks_the_chosen_prometheus(self) -> None:
        for panel in panels():
            assert panel["title"]
            assert panel["description"]
            for part in (panel, *panel["targets"]):
                assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert len({panel["id"] for panel in panels()}) == len(panels())

    def test_legends_show_labels_that_are_kept(self, parsed: dict[str, dict[str, Any]]) -> None:
        for panel in panels():
            for target in panel["targets"]:
                shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                assert shown <= set(parsed[f"{panel['title']} {target['refId']}"]["labels"])


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    asked = "\n".join(EXPRESSIONS.values())
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told()}
    assert [name for name in sorted(families) if name not in asked] == []


class TestScraping:
    def test_it_finds_the_ports_that_have_metrics(self) -> None:
        (job,) = yaml.safe_load((MONITORING / "scrape.yaml").read_text())
        base = manifests("base")
        keep, process, _ = job["relabel_configs"]
        found = {
            (one.labels["app.kubernetes.io/name"], number)
            for one in base.workloads
            for name, number in one.ports.items()
            if re.fullmatch(keep["regex"], f"{one.labels['app.kubernetes.io/part-of']};{name}")
        }
        assert found == {("preflight-web", 8081), ("preflight-worker", 8082)}
        assert process["source_labels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
        assert job["job_name"] == "preflight"
