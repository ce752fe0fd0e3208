"""Everything that tells people: topics and alarms in both regions, and the dashboard over all of it.

It needs nothing but the keys, because every name that an alarm watches is known beforehand. So it can be declared
first, and what is declared later has topics to speak to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pulumi

from infra.dashboard import Overview, OverviewArgs
from infra.options import child
from infra.region_alarms import RegionAlarms, RegionAlarmsArgs
from infra.settings import Settings
from infra.topics import Topics, TopicsArgs
from ops.signals import Audience, Place


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """The stack, and the key of each of its regions, which the topics are encrypted with."""

    settings: Settings
    key_arns: Mapping[str, pulumi.Input[str]]


class Alarms(pulumi.ComponentResource):
    """Topics, alarms and dashboard of a stack."""

    topic_arns: Mapping[str, pulumi.Output[str]]
    """Each audience's topic in the region that works."""
    event_topic_arns: Mapping[str, pulumi.Output[str]]
    """The operators' topic of each region, for events of other services."""
    security_topic_arns: Mapping[str, pulumi.Output[str]]
    """The topic of each region for those who guard keys and backups."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Alarms", name, {}, opts)
        settings = args.settings
        topics = {
            region: Topics(
                f"topics-{region}",
                TopicsArgs(settings=settings, region=region, key_arn=args.key_arns[region]),
                child(self),
            )
            for region in settings.regions
        }
        if settings.declares("alarms"):
            self._watch(settings, {region: each.arns for region, each in topics.items()})
        self.topic_arns = {audience.value: arn for audience, arn in topics[settings.primary_region].arns.items()}
        self.event_topic_arns = {region: each.arns[Audience.OPERATIONS] for region, each in topics.items()}
        self.security_topic_arns = {region: each.arns[Audience.SECURITY] for region, each in topics.items()}
        self.register_outputs({"topicArns": dict(self.topic_arns)})

    def _watch(self, settings: Settings, topic_arns: Mapping[str, Mapping[Audience, pulumi.Output[str]]]) -> None:
        for place, region in zip(Place, settings.regions, strict=True):
            RegionAlarms(
                f"alarms-{place}",
                RegionAlarmsArgs(settings=settings, place=place, topic_arns=topic_arns[region]),
                child(self),
            )
        Overview("dashboard", OverviewArgs(settings=settings), child(self))
