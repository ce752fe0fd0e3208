"""Somebody hears of a task that started and then failed, in every region where tasks run."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Graph, Registered
from moto.events.models import EventPattern

from infra.naming import Naming
from infra.task_watch import failed_tasks

NAMING = Naming("prod", "111122223333")
CLUSTER = "arn:aws:ecs:us-east-1:111122223333:cluster/fluxstudio-prod-operations"


def watches(graph: Graph) -> dict[str | None, Registered]:
    return {each.region: each for each in graph.of("EventRule") if each.name.startswith("task-watch")}


def event(**changes: Any) -> dict[str, Any]:
    """What ECS says of a task with one container; the matcher at hand reads objects where there is a list of one."""
    detail = {
        "clusterArn": CLUSTER,
        "group": "family:fluxstudio-prod-full-backup",
        "lastStatus": "STOPPED",
        "containers": {"exitCode": 1},
        **changes,
    }
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail}


def is_reported(said: dict[str, Any]) -> bool:
    found: bool = EventPattern(None, failed_tasks(NAMING, "us-east-1")).matches_event(said)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    "change",
    [{}, {"containers": {"exitCode": 137}}, {"containers": {"name": "full-backup"}}],
    ids=["an error", "stopped from outside", "never started"],
)
def test_a_task_that_did_not_succeed_is_reported(change: dict[str, Any]) -> None:
    assert is_reported(event(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"containers": {"exitCode": 0}},
        {"lastStatus": "RUNNING", "containers": {"name": "full-backup"}},
        {"clusterArn": CLUSTER.replace("prod", "staging")},
        {"group": "service:fluxstudio-prod-load-workers"},
    ],
    ids=["it succeeded", "it still runs", "it is another stack's", "it is started again by its service"],
)
def test_a_task_that_is_nobodys_worry_is_not_reported(change: dict[str, Any]) -> None:
    assert not is_reported(event(**change))


def test_tasks_are_watched_in_every_region_that_has_some(graph: Graph) -> None:
    clusters = {each.region: each.properties["name"] for each in graph.of("aws:ecs/cluster:Cluster")}

    assert set(watches(graph)) == set(clusters)
    for region, rule in watches(graph).items():
        pattern = rule.document("eventPattern")
        assert pattern["detail"]["clusterArn"] == [f"arn:aws:ecs:{region}:111122223333:cluster/{clusters[region]}"]


def test_without_tasks_there_is_nothing_to_tell(minimal: Graph) -> None:
    assert watches(minimal) == {}
