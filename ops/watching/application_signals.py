"""Signals of the application: the plan's own targets, measured where its users feel them."""

from __future__ import annotations

from typing import Final

from ops import policy
from ops.watching import metrics
from ops.watching.evaluations import SLOWEST, STEADY
from ops.watching.model import Audience, Comparison, Signal

_RUNBOOK: Final = "slow-application"

APPLICATION_SIGNALS: Final = (
    Signal(
        "api-duration",
        metrics.API_DURATION,
        policy.API_P95_TARGET,
        SLOWEST,
        Audience.APPLICATION,
        _RUNBOOK,
        "One request in twenty to the API takes longer than the target.",
    ),
    Signal(
        "query-duration",
        metrics.QUERY_DURATION,
        policy.QUERY_MEAN_TARGET,
        STEADY,
        Audience.APPLICATION,
        _RUNBOOK,
        "Queries take longer than the target in the mean.",
    ),
    Signal(
        "message-delivery",
        metrics.MESSAGE_DELIVERY,
        policy.MESSAGE_DELIVERY_TARGET,
        SLOWEST,
        Audience.APPLICATION,
        _RUNBOOK,
        "One message in twenty is delivered later than the target.",
    ),
    Signal(
        "upload-rate",
        metrics.UPLOAD_RATE,
        policy.UPLOAD_BYTES_PER_SECOND_TARGET,
        STEADY,
        Audience.APPLICATION,
        _RUNBOOK,
        "Uploads are slower than the target.",
        comparison=Comparison.BELOW,
    ),
)
