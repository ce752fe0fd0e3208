"""The texts that alarms are made of: descriptions, rules of composites, and when maintenance silences them."""

from __future__ import annotations

from collections.abc import Sequence

from infra.windows import Window

_LONGEST_DESCRIPTION = 1024
_LONGEST_RULE = 10_240
_CRON_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def description(what: str, link: str) -> str:
    """Give what a message about an alarm says: what is wrong, and where to read on."""
    return f"{what}\n\nRunbook: {link}"[:_LONGEST_DESCRIPTION]


def any_of(alarm_names: Sequence[str]) -> str:
    """Give the rule of a composite that is in alarm while one of these is.

    Raises:
        ValueError: CloudWatch would not take so long a rule.
    """
    rule = " OR ".join(f'ALARM("{name}")' for name in alarm_names)
    if not 0 < len(rule) <= _LONGEST_RULE:
        raise ValueError(f"A rule over {len(alarm_names)} alarms has {len(rule)} characters, not 1 to {_LONGEST_RULE}.")
    return rule


def weekly_cron(window: Window) -> str:
    """Give a window's start as a mute rule writes it: five fields, unlike a schedule's six."""
    day, minute_of_day = divmod(window.start_minutes, 24 * 60)
    hour, minute = divmod(minute_of_day, 60)
    return f"cron({minute} {hour} * * {_CRON_DAYS[day]})"


def iso_duration(window: Window) -> str:
    """Give a window's length as ISO 8601 writes it."""
    hours, minutes = divmod(window.length_minutes, 60)
    return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"
