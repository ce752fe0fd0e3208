"""What AWS, GitHub and we accept as an account, an address, a role and so on: one predicate and one phrase for each."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ACCOUNT: Final = "an AWS account id of 12 digits, not all of them 0, in quotes if it begins with one"
ADDRESS: Final = "an e-mail address"
BUCKET: Final = (
    "the name of an S3 bucket: 3 to 63 lower-case letters, digits, hyphens and single periods, without a prefix or "
    "suffix that S3 keeps, and no IP address"
)
ENVIRONMENT: Final = "the name of a GitHub environment of 1 to 255 letters, digits, spaces and any of . _ - /"
KEY: Final = "the ARN of a KMS key"
NAME: Final = "a name of 2 to 16 lower-case letters and digits that starts with a letter"
REPOSITORY: Final = "a GitHub repository as owner/name, or as owner@id/name@id where tokens name it so"
ROLE: Final = "the ARN of an IAM role"
TAGS: Final = (
    "an object of tag names (1 to 128 characters) and values (up to 256) of letters, digits, spaces and any of "
    "_ . : / = + - @ that do not start with aws: or rds:"
)

# Roles and buckets get suffixes; the longest must stay below the 63 characters of a bucket's name. A hyphen ends the
# name in all of them: with one in it, a pattern over one stack's names would cover another's.
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,15}", re.ASCII)
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_ADDRESS: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII | re.IGNORECASE
)
_LONGEST_ADDRESS: Final = 254
# Amazon S3 user guide, "General purpose bucket naming rules".
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_BUCKET_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_BUCKET_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_IP_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
# It ends the subject that a token must have. A pattern, a policy's variable or another claim must not fit in, and
# GitHub writes a colon otherwise than people do (GitHub, "OpenID Connect reference").
_ENVIRONMENT: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9 ._/-]{0,253}[A-Za-z0-9._/-])?", re.ASCII)
_KEY: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", re.ASCII)
# Tokens of repositories that were made since July 2026 add both ids (GitHub, "Immutable subject claims").
_REPOSITORY: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?P<id>@\d{1,20})?/(?!\.{1,2}(@|$))[A-Za-z0-9._-]{1,100}(?(id)@\d{1,20})", re.ASCII
)
_ROLE: Final = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\]):(?P<port>[1-9]\d{0,4})/?", re.ASCII)
_HIGHEST_PORT: Final = 65_535
# AWS's pattern for tags is [\p{L}\p{Z}\p{N}_.:/=+\-@]; RDS keeps one prefix more than the others (API reference, Tag).
_TAG_CATEGORIES: Final = "LZN"
_TAG_SIGNS: Final = frozenset("_.:/=+-@")
_TAG_PREFIXES: Final = ("aws:", "rds:")
_LONGEST_TAG_NAME: Final = 128
_LONGEST_TAG_VALUE: Final = 256


def is_name(text: str) -> bool:
    """Whether it can be a stack's name: part of every name in the account."""
    return _NAME.fullmatch(text) is not None


def is_account(text: str) -> bool:
    """Whether it is an account id."""
    return _ACCOUNT.fullmatch(text) is not None and text.strip("0") != ""


def is_address(text: str) -> bool:
    """Whether mail could be sent there."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def is_bucket(text: str) -> bool:
    """Whether it can be a bucket's name."""
    return (
        _BUCKET.fullmatch(text) is not None
        and ".." not in text
        and _IP_ADDRESS.fullmatch(text) is None
        and not text.startswith(_BUCKET_PREFIXES)
        and not text.endswith(_BUCKET_SUFFIXES)
    )


def is_environment(text: str) -> bool:
    """Whether it can be the name of an environment that a token's subject ends with."""
    return _ENVIRONMENT.fullmatch(text) is not None


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
    found = _LOOPBACK.fullmatch(text)
    return found is not None and int(found["port"]) <= _HIGHEST_PORT


def is_tag(name: str, value: str) -> bool:
    """Whether AWS takes a tag; names and values that start with ``aws:`` or ``rds:`` are its own."""
    return (
        0 < len(name) <= _LONGEST_TAG_NAME
        and len(value) <= _LONGEST_TAG_VALUE
        and not any(text.lower().startswith(_TAG_PREFIXES) for text in (name, value))
        and all(_is_tag_character(character) for character in name + value)
    )


def _is_tag_character(character: str) -> bool:
    return character in _TAG_SIGNS or unicodedata.category(character)[0] in _TAG_CATEGORIES
