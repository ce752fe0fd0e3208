"""How a declared resource becomes the calls that AWS's API takes to make it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_api import api_name, api_value
from harness import Registered

Parameters = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of an API, with its parameters."""

    service: str
    operation: str
    parameters: Parameters


@dataclasses.dataclass(frozen=True)
class Spelling:
    """How the properties of a kind become the parameters of a call.

    ``names`` are respelt wherever they occur. ``left_out`` are for other calls, or for the provider itself. ``shape``
    puts what has been respelt into the structure of the call.
    """

    service: str
    operation: str
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    shape: Callable[[Parameters], Parameters] = dict

    def call(self, resource: Registered) -> Call:
        """The call that makes a resource."""
        left_out = {"region", "tags", *self.left_out}
        properties = {name: value for name, value in resource.properties.items() if name not in left_out}
        return Call(self.service, self.operation, self.shape(respelt(properties, self.names)))


def respelt(value: Any, names: Mapping[str, str]) -> Any:
    """Respell what Pulumi records, all the way down."""
    if isinstance(value, Mapping):
        return {names.get(name, api_name(name)): respelt(item, names) for name, item in value.items()}
    return [respelt(item, names) for item in value] if isinstance(value, list) else api_value(value)


def bucket_location(region: str) -> Parameters:
    """What a bucket outside S3's first region is made with."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def substituted(parameters: Parameters, instead: Mapping[str, str]) -> Parameters:
    """The same parameters with names of things that are there, for those that were pretended."""
    text = json.dumps(parameters)
    for pretended, real in instead.items():
        text = text.replace(pretended, real)
    found: Parameters = json.loads(text)
    return found
