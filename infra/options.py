"""Resource options that recur: what belongs to a component, and what outlives the program that declared it."""

from __future__ import annotations

import pulumi


def child(parent: pulumi.Resource, provider: pulumi.ProviderResource | None = None) -> pulumi.ResourceOptions:
    """Options of a resource inside a component, in another account when it has its own provider."""
    return pulumi.ResourceOptions(parent=parent, provider=provider)


def kept(
    parent: pulumi.Resource, keep: bool, provider: pulumi.ProviderResource | None = None
) -> pulumi.ResourceOptions:
    """Options of a resource that holds data, or without which data cannot be read.

    ``protect`` makes Pulumi refuse to delete it; ``retain_on_delete`` leaves it in AWS even when told to ignore that.
    """
    return pulumi.ResourceOptions(parent=parent, provider=provider, protect=keep, retain_on_delete=keep)


def left_alone(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    """Options of a resource that cannot be undone by itself, but goes with another one."""
    return pulumi.ResourceOptions(parent=parent, retain_on_delete=True)


def after(options: pulumi.ResourceOptions, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
    """The same options for a resource that AWS takes only once others are there."""
    return pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=list(resources)))
