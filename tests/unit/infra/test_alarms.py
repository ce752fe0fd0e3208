"""Every signal has one alarm that CloudWatch accepts, that tells somebody, and that says where to read on."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_api import api_value, complaints
from harness import ROOT, Graph, Registered

from infra import watched
from infra.alarm_rules import any_of, iso_duration, weekly_cron
from infra.watched import is_published
from infra.windows import parse_maintenance_window
from ops.signals import OPERATIONS_NAMESPACE, SIGNALS, Audience, MissingData

RUNBOOK = re.compile(r"docs/runbooks/[a-z-]+\.md$")
ALARMS = ("MetricAlarm", "CompositeAlarm")
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


def alarms(graph: Graph) -> list[Registered]:
    return [each for kind in ALARMS for each in graph.of(kind)]


def test_production_has_an_alarm_for_every_signal_that_needs_no_option(prod: Graph) -> None:
    expected = {signal.name for signal in SIGNALS if signal.feature != "logical-replication"}

    assert {each.name.removesuffix("-alarm") for each in prod.of("MetricAlarm")} == expected


def test_every_alarm_tells_somebody(graph: Graph) -> None:
    for alarm in alarms(graph):
        assert alarm.properties["actionsEnabled"] is True, alarm.name
        assert alarm.properties["alarmActions"], alarm.name


def test_every_alarm_tells_a_topic_of_its_own_region_and_audience(graph: Graph) -> None:
    audiences = {signal.name: signal.audience for signal in SIGNALS}

    for alarm in graph.of("MetricAlarm"):
        (arn,) = alarm.properties["alarmActions"]
        assert arn.split(":")[3] == alarm.region
        assert arn.endswith(f"-alerts-{audiences[alarm.name.removesuffix('-alarm')]}")


def test_every_alarm_says_where_to_read_on(graph: Graph) -> None:
    for alarm in alarms(graph):
        found = RUNBOOK.search(alarm.properties["alarmDescription"])
        assert found is not None, alarm.name
        assert (ROOT / found[0]).is_file(), alarm.name


def test_every_alarm_says_what_silence_means(graph: Graph) -> None:
    assert {each.properties["treatMissingData"] for each in graph.of("MetricAlarm")} <= {"breaching", "notBreaching"}


def test_cloudwatch_accepts_every_alarm(graph: Graph) -> None:
    for alarm in graph.of("MetricAlarm"):
        assert complaints("cloudwatch", "PutMetricAlarm", metric_alarm(alarm.properties)) == [], alarm.name


def metric_alarm(properties: Any) -> dict[str, Any]:
    """An alarm as the API's call would bear it."""
    respelt = {"name": "alarmName", "evaluateLowSampleCountPercentiles": "evaluateLowSampleCountPercentile"}
    request: dict[str, Any] = api_value(
        {
            respelt.get(name, name): value
            for name, value in properties.items()
            if name not in ("region", "dimensions", "metricQueries")
        }
    )
    if "dimensions" in properties:
        request["Dimensions"] = dimensions(properties["dimensions"])
    if "metricQueries" in properties:
        request["Metrics"] = [metric_query(query) for query in properties["metricQueries"]]
    return request


def metric_query(query: Any) -> dict[str, Any]:
    request: dict[str, Any] = api_value({name: value for name, value in query.items() if name != "metric"})
    if "metric" in query:
        metric = query["metric"]
        identity = {"Namespace": metric["namespace"], "MetricName": metric["metricName"]}
        identity["Dimensions"] = dimensions(metric["dimensions"])
        request["MetricStat"] = {"Metric": identity, "Period": int(metric["period"]), "Stat": metric["stat"]}
    return request


def dimensions(pairs: Any) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs.items()]


def test_an_alarm_has_a_limit_or_learns_one_and_never_both(graph: Graph) -> None:
    for alarm in graph.of("MetricAlarm"):
        learns = "thresholdMetricId" in alarm.properties
        fixed = {"threshold", "period", "metricName", "namespace", "dimensions"} & set(alarm.properties)
        assert bool(fixed) is not learns, alarm.name
        assert ("statistic" in alarm.properties) + ("extendedStatistic" in alarm.properties) == (not learns), alarm.name


def test_a_learned_limit_is_a_band_about_the_very_metric_it_watches(prod: Graph) -> None:
    learned = [each for each in prod.of("MetricAlarm") if "metricQueries" in each.properties]

    assert learned
    for alarm in learned:
        by_id = {query["id"]: query for query in alarm.properties["metricQueries"]}
        assert re.fullmatch(
            r"ANOMALY_DETECTION_BAND\(actual, \d+(\.\d+)?\)", by_id[alarm.properties["thresholdMetricId"]]["expression"]
        )
        assert "metric" in by_id["actual"]


def test_each_audience_has_one_composite_over_all_its_alarms_of_the_region_that_somebody_feeds(graph: Graph) -> None:
    audiences = {signal.name: signal.audience for signal in SIGNALS if is_published(signal)}
    told: dict[tuple[str | None, Audience], set[str]] = {}
    for alarm in graph.of("MetricAlarm"):
        audience = audiences.get(alarm.name.removesuffix("-alarm"))
        if audience is not None:
            told.setdefault((alarm.region, audience), set()).add(alarm.properties["name"])

    composites = {
        (each.region, Audience(each.properties["alarmName"].rpartition("-any-")[2])): set(
            re.findall(r'ALARM\("([^"]+)"\)', each.properties["alarmRule"])
        )
        for each in graph.of("CompositeAlarm")
    }
    assert composites == told


def test_only_what_the_watcher_alone_tells_waits_for_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "NOT_YET", frozenset())
    assert all(map(is_published, SIGNALS))
    monkeypatch.setattr(watched, "NOT_YET", frozenset({"watch"}))
    waiting = {signal for signal in SIGNALS if not is_published(signal)}
    assert "watcher-silent" in {signal.name for signal in waiting}
    assert {(signal.metric.namespace, signal.evaluation.missing) for signal in waiting} == {
        (OPERATIONS_NAMESPACE, MissingData.BREACHING)
    }


def test_a_composite_stays_within_what_cloudwatch_takes(graph: Graph) -> None:
    for alarm in graph.of("CompositeAlarm"):
        assert complaints("cloudwatch", "PutCompositeAlarm", api_value(without(alarm, "region"))) == []
        assert alarm.properties["alarmRule"].count("ALARM(") <= 100


def without(resource: Registered, *names: str) -> dict[str, Any]:
    return {name: value for name, value in resource.properties.items() if name not in names}


def test_a_composite_tells_that_all_is_over(graph: Graph) -> None:
    assert all(each.properties["okActions"] == each.properties["alarmActions"] for each in graph.of("CompositeAlarm"))


def test_maintenance_silences_the_database_and_nothing_else(prod: Graph) -> None:
    rule = prod.one("AlarmMuteRule")
    muted = {name for name in rule.properties["muteTargets"]["alarmNames"] if "-any-" not in name}

    by_name = {each.properties["name"]: each for each in prod.of("MetricAlarm")}
    namespaces = {by_name[name].properties.get("namespace", "AWS/RDS") for name in muted}
    assert namespaces == {"AWS/RDS"}
    assert "fluxstudio-prod-full-backup-age-primary" not in muted


def test_cloudwatch_accepts_the_silence(prod: Graph) -> None:
    request = api_value(without(prod.one("AlarmMuteRule"), "region"))

    assert complaints("cloudwatch", "PutAlarmMuteRule", request) == []


@pytest.mark.parametrize(
    ("window", "cron", "duration"),
    [
        ("sun:06:00-sun:07:00", "cron(0 6 * * SUN)", "PT1H"),
        ("mon:23:30-tue:00:15", "cron(30 23 * * MON)", "PT45M"),
        ("sat:00:05-sat:02:20", "cron(5 0 * * SAT)", "PT2H15M"),
    ],
)
def test_a_maintenance_window_is_silent_from_its_start_for_its_length(window: str, cron: str, duration: str) -> None:
    parsed = parse_maintenance_window(window)

    assert parsed is not None
    assert (weekly_cron(parsed), iso_duration(parsed)) == (cron, duration)


@pytest.mark.parametrize("names", [[], ["x" * 200] * 60])
def test_a_rule_that_cloudwatch_would_refuse_is_refused_here(names: list[str]) -> None:
    with pytest.raises(ValueError, match="characters"):
        any_of(names)


def test_topics_are_encrypted_signed_and_one_per_audience_in_each_region(graph: Graph) -> None:
    topics = graph.of("Topic")

    assert {(each.region, each.properties["name"].partition("-alerts-")[2]) for each in topics} == {
        (region, audience.value) for region in {each.region for each in topics} for audience in Audience
    }
    assert all(":key/" in each.properties["kmsMasterKeyId"] for each in topics)
    assert all(each.region in each.properties["kmsMasterKeyId"] for each in topics)
    assert {each.properties["signatureVersion"] for each in topics} == {2}


def test_only_services_publish_to_a_topic_and_nobody_without_tls(graph: Graph) -> None:
    for each in graph.of("TopicPolicy"):
        for statement in each.document()["Statement"]:
            allowed = statement["Effect"] == "Allow"
            assert ("Service" in statement["Principal"]) is allowed
            (arn,) = statement["Resource"]
            assert arn.split(":")[3] == each.region
            assert arn.rpartition(":")[2] == each.properties["arn"].rpartition(":")[2]


def test_addresses_are_secret(graph: Graph) -> None:
    assert all("endpoint" in each.secret_properties for each in graph.of("TopicSubscription"))


def test_the_dashboard_is_json_whose_widgets_neither_overlap_nor_leave_the_grid(graph: Graph) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in graph.one(DASHBOARD).document("dashboardBody")["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_dashboard_shows_every_alarm_and_every_metric_that_has_one(graph: Graph) -> None:
    text = graph.one(DASHBOARD).properties["dashboardBody"]
    widgets = json.loads(text)["widgets"]

    listed = {
        arn.rpartition(":")[2] for each in widgets if each["type"] == "alarm" for arn in each["properties"]["alarms"]
    }
    assert listed == {each.properties["name"] for each in graph.of("MetricAlarm")}
    assert all(
        each.properties["metricName"] in text for each in graph.of("MetricAlarm") if "metricName" in each.properties
    )


def test_graphs_of_the_dashboard_show_the_region_where_their_metric_is(prod: Graph) -> None:
    widgets = prod.one(DASHBOARD).document("dashboardBody")["widgets"]
    regions = {
        each["properties"]["title"]: each["properties"]["region"] for each in widgets if each["type"] == "metric"
    }

    latency = prod.one("MetricAlarm", "replication-latency-alarm")
    assert regions["ReplicationLatency"] == latency.region != regions["OperationsFailedReplication"]
