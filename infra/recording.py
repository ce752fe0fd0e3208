"""Evaluate the program without AWS, state or the Pulumi CLI, and keep every resource it declares with its options.

Local previews and tests read the same record. It rests on names of the Pulumi SDK that are not promised
(``run_in_stack``, ``set_root_resource``, ``rpc``), so nothing else does. Checks that need a service, such as whether
AWS accepts a value, cannot be made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import hashlib
import importlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from pulumi.runtime import config as runtime_config
from pulumi.runtime import rpc, settings
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_in_stack

from infra.naming import PULUMI_PROJECT
from infra.regions import PARTITION

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_TYPE: Final = "pulumi:providers:aws"


@dataclasses.dataclass(frozen=True)
class Registered:
    """One resource as the program declared it: properties in AWS's spelling, secrets in the clear but named."""

    urn: str
    type: str
    name: str
    properties: Mapping[str, Any]
    secret_properties: frozenset[str]
    protect: bool
    retain_on_delete: bool
    parent: str
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, frozenset[str]]
    provider: str
    custom: bool
    ignore_changes: tuple[str, ...]

    @property
    def region(self) -> str | None:
        """The region that the resource names itself."""
        return self.properties.get("region")

    def document(self, name: str = "policy") -> dict[str, Any]:
        """A property that holds JSON, such as a policy."""
        document: dict[str, Any] = json.loads(self.properties[name])
        return document


@dataclasses.dataclass(frozen=True)
class Graph:
    """Everything a program declared, in order, and what it published."""

    resources: tuple[Registered, ...]
    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]

    def __iter__(self) -> Iterator[Registered]:
        return iter(self.resources)

    def of(self, kind: str) -> list[Registered]:
        """Resources of a type, given as its token or as the end of it: ``Bucket`` is ``aws:s3/bucket:Bucket``."""
        return [each for each in self.resources if each.type == kind or each.type.endswith(f":{kind}")]

    def one(self, kind: str, name: str | None = None) -> Registered:
        """The only resource of a type, or the one of that name.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [each for each in self.of(kind) if name in (None, each.name)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} resources are {kind} {name or ''}: {[each.name for each in found]}")
        return found[0]

    def children(self, parent: Registered) -> list[Registered]:
        """What a component declared itself."""
        return [each for each in self.resources if each.parent == parent.urn]


def evaluate(stack: str, configuration: Mapping[str, Any], *, preview: bool = False) -> Graph:
    """Evaluate the program as the CLI would with a stack's configuration (keys without prefix).

    With ``preview``, nothing is known that AWS would only tell after a deployment.

    Raises:
        SettingsError: as :func:`infra.settings.read_settings`.
    """
    from infra.stack import configure, declare

    handed_over = {
        f"{PULUMI_PROJECT}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in configuration.items()
    }

    def program() -> None:
        runtime_config.set_all_config(handed_over, [])
        declare(configure())

    return record(program, stack=stack, preview=preview)


def record(program: Callable[[], None], *, stack: str, preview: bool = False) -> Graph:
    """Run a program on a loop of its own and give back what it declared."""
    with _no_collection():
        _load_sdk()
        return _record(program, stack=stack, preview=preview)


def _record(program: Callable[[], None], *, stack: str, preview: bool) -> Graph:
    monitor = _RecordingMonitor(_PretendedAws(preview=preview))
    loops: list[asyncio.AbstractEventLoop] = []

    def own_loop() -> None:
        # Registrations are answered on threads that need a loop each; nobody else would close them.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loops.append(loop)

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(4, initializer=own_loop))
        set_mocks(monitor.mocks, project=PULUMI_PROJECT, stack=stack, preview=preview, monitor=monitor)
        settings.set_root_resource(None)  # type: ignore[arg-type]
        await run_in_stack(program)

    try:
        asyncio.run(main())
    finally:
        for loop in loops:
            loop.close()
    return monitor.graph()


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    # Outputs hold each other by the ten thousand; looking for garbage among them takes longer than all else.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load_sdk() -> None:
    # These modules hold classes that are deprecated, and say so as soon as any other class of theirs is used.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for module, name in (("ec2", "Vpc"), ("s3", "Bucket")):
            getattr(importlib.import_module(f"pulumi_aws.{module}"), name)


class _RecordingMonitor(MockMonitor):
    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self._registered: list[Registered] = []
        self._outputs: dict[str, Any] = {}

    def graph(self) -> Graph:
        outputs, secret = _reveal(self._outputs)
        return Graph(tuple(self._registered), outputs, secret)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != STACK_TYPE:
            self._registered.append(_registered(response.urn, request))
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if f"::{STACK_TYPE}::" in request.urn:
            self._outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def _registered(urn: str, request: Any) -> Registered:
    properties, secret = _reveal(rpc.deserialize_properties(request.object, keep_unknowns=True))
    return Registered(
        urn=urn,
        type=request.type,
        name=request.name,
        properties=properties,
        secret_properties=secret,
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        parent=request.parent,
        dependencies=tuple(request.dependencies),
        property_dependencies={
            name: frozenset(depended.urns) for name, depended in request.propertyDependencies.items()
        },
        provider=request.provider,
        custom=request.custom,
        ignore_changes=tuple(request.ignoreChanges),
    )


def _reveal(properties: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    revealed = {name: rpc.unwrap_rpc_secret(value) for name, value in properties.items()}
    return revealed, frozenset(name for name, value in properties.items() if rpc.is_rpc_secret(value))


_NO_ACCOUNT: Final = "000000000000"


class _PretendedAws(Mocks):
    """Answers registrations with ids and ARNs of the shape that AWS gives."""

    def __init__(self, *, preview: bool) -> None:
        self._preview = preview
        self._account_ids: dict[str, str] = {}

    def call(self, args: Any) -> Any:
        raise NotImplementedError(f"The program asks AWS while it is evaluated: {args.token}")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = {name: rpc.unwrap_rpc_secret(value) for name, value in args.inputs.items()}
        if args.typ == PROVIDER_TYPE:
            self._account_ids[args.name] = json.loads(inputs["allowedAccountIds"])[0]
        if self._preview:
            return "", dict(args.inputs)
        identity, known = _answer(args.typ, args.name, inputs, self._account_id(args))
        return identity, {**known, **args.inputs}

    def _account_id(self, args: MockResourceArgs) -> str:
        """The account of a resource: its provider's, referred to as ``urn::id``, where the URN ends with the name."""
        name = (args.provider or "").rpartition("::")[0].rpartition("::")[2]
        return self._account_ids.get(name, _NO_ACCOUNT)


# The part of a token that says what it is, and the prefix of its ids.
_PREFIXED_IDS: Final = {
    "vpc:Vpc": "vpc",
    "subnet:Subnet": "subnet",
    "securityGroup:SecurityGroup": "sg",
    "vpcEndpoint:VpcEndpoint": "vpce",
    "routeTable:RouteTable": "rtb",
    "networkAcl:NetworkAcl": "acl",
}
_NAMED_IN_ARN: Final = ("name", "identifier", "repositoryName", "family", "alarmName", "dashboardName")


def _answer(kind: str, name: str, inputs: Mapping[str, Any], account_id: str) -> tuple[str, dict[str, Any]]:
    service, _, what = kind.removeprefix("aws:").partition("/")
    digest = hashlib.sha256(f"{kind} {name}".encode()).hexdigest()
    if what in _PREFIXED_IDS:
        identity = f"{_PREFIXED_IDS[what]}-{digest[:17]}"
        return identity, {"arn": _arn(service, inputs, account_id, identity), "prefixListId": f"pl-{digest[:8]}"}
    answers: dict[str, Callable[[], tuple[str, dict[str, Any]]]] = {
        "aws:kms/key:Key": lambda: _key(inputs, account_id, digest),
        "aws:s3/bucket:Bucket": lambda: _bucket(inputs),
        "aws:rds/instance:Instance": lambda: _database(inputs, account_id, digest),
        "aws:sns/topic:Topic": lambda: _same(_arn("sns", inputs, account_id, inputs.get("name", name))),
        "aws:sqs/queue:Queue": lambda: _queue(inputs, account_id),
        "aws:iam/role:Role": lambda: _role(inputs, account_id, name),
        "aws:cloudwatch/logGroup:LogGroup": lambda: _log_group(inputs, account_id, name),
    }
    if kind in answers:
        return answers[kind]()
    physical = next((str(inputs[key]) for key in _NAMED_IN_ARN if key in inputs), f"{name}-{digest[:8]}")
    word = what.partition(":")[0].lower() or "resource"
    return physical, {"arn": _arn(service, inputs, account_id, f"{word}/{physical}")}


def _arn(service: str, inputs: Mapping[str, Any], account_id: str, resource: str) -> str:
    return f"arn:{PARTITION}:{service}:{inputs.get('region', '')}:{account_id}:{resource}"


def _same(arn: str) -> tuple[str, dict[str, Any]]:
    return arn, {"arn": arn}


def _key(inputs: Mapping[str, Any], account_id: str, digest: str) -> tuple[str, dict[str, Any]]:
    key_id = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    return key_id, {"keyId": key_id, "arn": _arn("kms", inputs, account_id, f"key/{key_id}")}


def _bucket(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return inputs["bucket"], {"arn": f"arn:{PARTITION}:s3:::{inputs['bucket']}"}


def _queue(inputs: Mapping[str, Any], account_id: str) -> tuple[str, dict[str, Any]]:
    name, region = inputs["name"], inputs.get("region", "")
    url = f"https://sqs.{region}.amazonaws.com/{account_id}/{name}"
    return url, {"url": url, "arn": _arn("sqs", inputs, account_id, name)}


def _role(inputs: Mapping[str, Any], account_id: str, name: str) -> tuple[str, dict[str, Any]]:
    physical = inputs.get("name", name)
    return physical, {"arn": f"arn:{PARTITION}:iam::{account_id}:role/{physical}", "name": physical}


def _log_group(inputs: Mapping[str, Any], account_id: str, name: str) -> tuple[str, dict[str, Any]]:
    physical = inputs.get("name", name)
    return physical, {"arn": _arn("logs", inputs, account_id, f"log-group:{physical}"), "name": physical}


def _database(inputs: Mapping[str, Any], account_id: str, digest: str) -> tuple[str, dict[str, Any]]:
    resource_id, region = f"db-{digest[:26].upper()}", inputs.get("region", "")
    address = f"{inputs['identifier']}.{digest[:12]}.{region}.rds.amazonaws.com"
    secret = _arn("secretsmanager", inputs, account_id, f"secret:rds!{resource_id.lower()}-{digest[:6]}")
    return resource_id, {
        "address": address,
        "endpoint": f"{address}:{inputs['port']}",
        "arn": _arn("rds", inputs, account_id, f"db:{inputs['identifier']}"),
        "resourceId": resource_id,
        "masterUserSecrets": [{"secretArn": secret, "secretStatus": "active"}],
    }
