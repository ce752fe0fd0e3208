"""The pack as ``pulumi preview --policy-pack infra/policies`` starts it; it never returns, so nothing else is here."""

from pulumi_policy import EnforcementLevel, PolicyPack

from infra.policies.pack import NAME, policies

PolicyPack(NAME, policies(), enforcement_level=EnforcementLevel.MANDATORY)
