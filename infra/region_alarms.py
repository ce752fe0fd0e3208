"""Alarms of one region: one per signal, one that sums each audience's up, and silence while the database is maintained.

A signal's own alarm says what is wrong and where to read on. An audience's composite tells when trouble begins and,
once for all of it, that it is over; so a storm of alarms ends with one message. Alarms that nobody can feed yet ring
on their own, and stay out of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from infra.alarm_rules import any_of, description, iso_duration, weekly_cron
from infra.options import after, child
from infra.settings import Settings
from infra.watched import alarm_name, capacities, is_published, runbook_link, stack_signals, subjects
from infra.windows import parse_maintenance_window
from ops.signals import Audience, Band, Place, Signal

ALERTS_PAGE = "docs/runbooks/alerts.md"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegionAlarmsArgs:
    """The place to watch, and the topics of its region."""

    settings: Settings
    place: Place
    topic_arns: Mapping[Audience, pulumi.Input[str]]

    @property
    def region(self) -> str:
        """The region of the place."""
        return {Place.PRIMARY: self.settings.primary_region, Place.RECOVERY: self.settings.recovery_region}[self.place]


class RegionAlarms(pulumi.ComponentResource):
    """The alarms of one region."""

    names: Sequence[str]
    """Names of the signals' alarms."""

    def __init__(self, name: str, args: RegionAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:RegionAlarms", name, {}, opts)
        self._args = args
        signals = stack_signals(args.settings, args.place)
        alarms = {signal: self._alarm(signal) for signal in signals}
        # What nobody publishes yet is in alarm from the first day, and would keep its composite from telling the rest.
        summed_up = {signal: alarm for signal, alarm in alarms.items() if is_published(signal)}
        composites = {audience: self._composite(audience, summed_up) for audience in _audiences(list(summed_up))}
        self._mute(alarms, composites)
        self.names = tuple(alarm_name(args.settings.naming, signal) for signal in signals)
        self.register_outputs({"names": list(self.names)})

    def _alarm(self, signal: Signal) -> aws.cloudwatch.MetricAlarm:
        if isinstance(signal.limit, Band):
            return self._learned(signal, signal.limit)
        evaluation, settings = signal.evaluation, self._args.settings
        percentile = evaluation.statistic if evaluation.is_percentile else None
        # The unit stays out: a metric published with another one would leave the alarm without data, for ever.
        return aws.cloudwatch.MetricAlarm(
            f"{signal.name}-alarm",
            region=self._args.region,
            name=alarm_name(settings.naming, signal),
            alarm_description=description(signal.what, runbook_link(settings, signal.runbook_path)),
            namespace=signal.metric.namespace,
            metric_name=signal.metric.name,
            dimensions=signal.dimensions(subjects(settings)),
            statistic=None if percentile else evaluation.statistic,
            extended_statistic=percentile,
            evaluate_low_sample_count_percentiles="ignore" if percentile else None,
            comparison_operator=signal.comparison.value,
            threshold=signal.threshold(capacities(settings)),
            period=evaluation.period_seconds,
            evaluation_periods=evaluation.periods,
            datapoints_to_alarm=evaluation.datapoints_to_alarm,
            treat_missing_data=evaluation.missing.value,
            actions_enabled=True,
            alarm_actions=[self._args.topic_arns[signal.audience]],
            opts=child(self),
        )

    def _learned(self, signal: Signal, band: Band) -> aws.cloudwatch.MetricAlarm:
        evaluation, settings = signal.evaluation, self._args.settings
        return aws.cloudwatch.MetricAlarm(
            f"{signal.name}-alarm",
            region=self._args.region,
            name=alarm_name(settings.naming, signal),
            alarm_description=description(signal.what, runbook_link(settings, signal.runbook_path)),
            comparison_operator=signal.comparison.value,
            threshold_metric_id="usual",
            metric_queries=[
                {
                    "id": "usual",
                    "expression": f"ANOMALY_DETECTION_BAND(actual, {band.deviations:g})",
                    "label": f"{signal.metric.name} as usual",
                    "return_data": True,
                },
                {
                    "id": "actual",
                    "metric": {
                        "namespace": signal.metric.namespace,
                        "metric_name": signal.metric.name,
                        "dimensions": signal.dimensions(subjects(settings)),
                        "stat": evaluation.statistic,
                        "period": evaluation.period_seconds,
                    },
                    "return_data": True,
                },
            ],
            evaluation_periods=evaluation.periods,
            datapoints_to_alarm=evaluation.datapoints_to_alarm,
            treat_missing_data=evaluation.missing.value,
            actions_enabled=True,
            alarm_actions=[self._args.topic_arns[signal.audience]],
            opts=child(self),
        )

    def _composite(
        self, audience: Audience, alarms: Mapping[Signal, aws.cloudwatch.MetricAlarm]
    ) -> aws.cloudwatch.CompositeAlarm:
        settings, topic_arn = self._args.settings, self._args.topic_arns[audience]
        link = runbook_link(settings, ALERTS_PAGE)
        signals = [signal for signal in alarms if signal.audience is audience]
        return aws.cloudwatch.CompositeAlarm(
            f"{self._args.place}-{audience}-composite",
            region=self._args.region,
            alarm_name=settings.naming.of(f"any-{audience}"),
            alarm_description=description(f"Something is wrong that {audience} is told of.", link),
            alarm_rule=any_of([alarm_name(settings.naming, signal) for signal in signals]),
            actions_enabled=True,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            opts=after(child(self), *(alarms[signal] for signal in signals)),
        )

    def _mute(
        self,
        alarms: Mapping[Signal, aws.cloudwatch.MetricAlarm],
        composites: Mapping[Audience, aws.cloudwatch.CompositeAlarm],
    ) -> None:
        settings = self._args.settings
        muted = [signal for signal in alarms if signal.muted_in_maintenance]
        window = parse_maintenance_window(settings.database.maintenance_window)
        if not muted or window is None:
            return
        # A composite would tell what its muted children may not; those that are not muted still speak for themselves.
        audiences = [audience for audience in _audiences(muted) if audience in composites]
        names = [alarm_name(settings.naming, signal) for signal in muted]
        names += [settings.naming.of(f"any-{audience}") for audience in audiences]
        aws.cloudwatch.AlarmMuteRule(
            "maintenance-mute",
            region=self._args.region,
            name=settings.naming.of("maintenance"),
            description="What the database's maintenance window makes look wrong.",
            rule={
                "schedule": {
                    "expression": weekly_cron(window),
                    "duration": iso_duration(window),
                    "timezone": "UTC",
                }
            },
            mute_targets={"alarm_names": names},
            opts=after(
                child(self),
                *(alarms[signal] for signal in muted),
                *(composites[audience] for audience in audiences),
            ),
        )


def _audiences(signals: Sequence[Signal]) -> list[Audience]:
    return [audience for audience in Audience if any(signal.audience is audience for signal in signals)]
