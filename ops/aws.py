"""Clients for AWS, and the one place where botocore's errors become errors a person can act on."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from ops.errors import OperationError, UnreachableError, UsageError

if TYPE_CHECKING:
    import boto3
    from botocore.exceptions import ClientError

CONNECT_TIMEOUT_SECONDS: Final = 5
READ_TIMEOUT_SECONDS: Final = 60
MAXIMUM_ATTEMPTS: Final = 4

_IDENTITY_CODES: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)


class AwsAccess(Protocol):
    """Something that hands out boto3 clients; without a region, for the stack's own."""

    def client(self, service: str, region: str | None = None) -> Any:
        """Give the client of one service, the same object each time; it may be shared between threads."""
        ...


class SessionAccess:
    """Clients of one boto3 session, made on first use and kept: making one costs more than most requests.

    Even the session is made late: importing boto3 takes longer than most commands need to find their stack.
    """

    def __init__(
        self, make_session: Callable[[], boto3.Session], *, region: str, endpoint_url: str | None = None
    ) -> None:
        self._make_session = functools.cache(make_session)
        self._region = region
        self._endpoint_url = endpoint_url
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        """Region of clients that are asked for without one."""
        return self._region

    def in_region(self, region: str) -> SessionAccess:
        """Give the same access with another region as its own."""
        return SessionAccess(self._make_session, region=region, endpoint_url=self._endpoint_url)

    def client(self, service: str, region: str | None = None) -> Any:
        """Give the client of one service, the same object each time; it may be shared between threads."""
        key = service, region or self._region
        # Sessions, unlike clients, may not be used by two threads at once.
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(*key)
            return self._clients[key]

    def close(self) -> None:
        """Close the connections of all clients."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"mode": "adaptive", "total_max_attempts": MAXIMUM_ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            tcp_keepalive=True,
        )
        if self._endpoint_url is not None:
            # An emulator has no DNS name per bucket, and a proxy of this machine cannot know it.
            config = config.merge(Config(s3={"addressing_style": "path"}, proxies={}))
        with translate_aws_errors():
            return self._make_session().client(
                service,  # type: ignore[call-overload]  # the stubs want a literal per service
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=config,
            )


@contextlib.contextmanager
def translate_aws_errors(where: str = "") -> Iterator[None]:
    """Turn what botocore raises into errors that say what to do.

    Callers that expect a certain ``ClientError`` (a missing key, a lost race) catch it inside this block.

    Raises:
        UsageError: no credentials, no region, or not allowed.
        UnreachableError: the endpoint does not answer or is failing.
        OperationError: AWS refused the request for any other reason.
    """
    from botocore import exceptions as aws

    try:
        yield
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError) as error:
        raise UsageError(
            f"No usable AWS credentials: {error}.",
            where=where,
            next_step="Log in (aws sso login) or set AWS_PROFILE, then run the command again.",
        ) from error
    except (aws.ProfileNotFound, aws.NoRegionError, aws.ConfigParseError, aws.InvalidRegionError) as error:
        raise UsageError(
            f"AWS is not configured: {error}.", where=where, next_step="Set AWS_PROFILE and AWS_REGION."
        ) from error
    except aws.ClientError as error:
        raise _from_answer(error, where) from error
    except (aws.HTTPClientError, aws.ConnectionError) as error:
        raise UnreachableError(
            f"AWS does not answer: {error}.",
            where=where,
            next_step="Check the network and the region, then run the command again.",
        ) from error


def error_code(error: ClientError) -> str:
    """Code of an AWS error answer, for example ``NoSuchKey``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _from_answer(error: ClientError, where: str) -> OperationError:
    answer = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    sentence = f"AWS refused {error.operation_name}: {error_code(error)}, {answer.get('Message', 'no reason given')}"
    sentence = sentence.rstrip(".") + "."
    if error_code(error) in _IDENTITY_CODES:
        return UsageError(sentence, where=where, next_step="Log in with a role that may do this.")
    if status >= 500 or "Throttl" in error_code(error) or error_code(error) == "SlowDown":
        return UnreachableError(sentence, where=where, next_step="Run the command again in a minute.")
    return OperationError(sentence, where=where, next_step="See what exists in the AWS console, then deploy or repair.")
