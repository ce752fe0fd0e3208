"""What AWS, GitHub and we accept as an account, an address, a role and so on: one predicate and one phrase for each."""

from __future__ import annotations

import re
from typing import Final

ACCOUNT: Final = "an AWS account id of 12 digits"
ADDRESS: Final = "an e-mail address"
BUCKET: Final = "the name of an S3 bucket"
KEY: Final = "the ARN of a KMS key"
REPOSITORY: Final = "a GitHub repository as owner/name, or as owner@id/name@id where tokens name it so"
ROLE: Final = "the ARN of an IAM role"

# Roles and buckets get suffixes; the longest must stay below the 63 characters of a bucket's name. A hyphen ends the
# name in all of them: with one in it, a pattern over one stack's names would cover another's.
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,15}", re.ASCII)
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@([a-z0-9-]+\.)+[a-z0-9-]{2,}", re.ASCII | re.IGNORECASE)
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_KEY: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", re.ASCII)
# Tokens of repositories that were made since July 2026 add both ids (GitHub, "Immutable subject claims").
_REPOSITORY: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?P<id>@\d{1,20})?/[A-Za-z0-9._-]{1,100}(?(id)@\d{1,20})", re.ASCII
)
_ROLE: Final = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}/?", re.ASCII)
_TAG_CHARACTERS: Final = re.compile(r"[\w\s.:/=+@-]*")
_LONGEST_TAG_NAME: Final = 128
_LONGEST_TAG_VALUE: Final = 256


def is_name(text: str) -> bool:
    """Whether it can be a stack's name: part of every name in the account."""
    return _NAME.fullmatch(text) is not None


def is_account(text: str) -> bool:
    """Whether it is an account id."""
    return _ACCOUNT.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Whether mail could be sent there."""
    return _ADDRESS.fullmatch(text) is not None


def is_bucket(text: str) -> bool:
    """Whether it can be a bucket's name."""
    return _BUCKET.fullmatch(text) is not None


def is_key(text: str) -> bool:
    """Whether it is the ARN of a key."""
    return _KEY.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether it is a repository with its owner."""
    return _REPOSITORY.fullmatch(text) is not None


def is_role(text: str) -> bool:
    """Whether it is the ARN of a role."""
    return _ROLE.fullmatch(text) is not None


def is_loopback_url(text: str) -> bool:
    """Whether it is an address that never leaves the machine."""
    return _LOOPBACK.fullmatch(text) is not None


def is_tag(name: str, value: str) -> bool:
    """Whether AWS takes a tag; names that start with ``aws:`` are its own."""
    return (
        0 < len(name) <= _LONGEST_TAG_NAME
        and len(value) <= _LONGEST_TAG_VALUE
        and not name.lower().startswith("aws:")
        and all(_TAG_CHARACTERS.fullmatch(text) for text in (name, value))
    )
