"""AWS's errors, in the format of each protocol.

Formats: https://smithy.io/2.0/aws/protocols/ (query, ec2, json, rest-json, rest-xml) and, for S3,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from xml.sax.saxutils import escape

from nephoscope_aws_simulator.wire import Call


class AwsError(Exception):
    """An error that AWS would answer with."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status_line(self) -> str:
        """As WSGI wants it: "403 Forbidden"."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def render(call: Call, error: AwsError) -> Answer:
    """The error as the protocol of the call words it."""
    request_id = str(uuid.uuid4())
    code, message = escape(error.code), escape(error.message)
    if call.protocol in ("json", "rest-json"):
        content_type = "application/x-amz-json-1.1" if call.protocol == "json" else "application/json"
        body = json.dumps({"__type": error.code, "message": error.message})
        headers = (("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", error.code))
        return Answer(error.status, content_type, body.encode(), headers)
    if call.protocol == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
        if call.method == "HEAD":  # S3 answers HEAD without a body; the client then has only the status
            body = ""
    elif call.protocol == "ec2":
        errors = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        body = f"<Response>{errors}<RequestID>{request_id}</RequestID></Response>"
    else:
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{inner}<RequestId>{request_id}</RequestId></ErrorResponse>"
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}' if body else ""
    return Answer(error.status, "text/xml", xml.encode(), (("x-amz-request-id", request_id),))


_INVALID_TOKEN = "The security token included in the request is invalid."

# Each kind: protocol -> (code, status); `None` is every other protocol.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
_KINDS: dict[str, tuple[str, dict[str | None, tuple[str, int]]]] = {
    "AccessDenied": (
        "Access Denied",
        {
            None: ("AccessDenied", 403),
            "ec2": ("UnauthorizedOperation", 403),
            "json": ("AccessDeniedException", 400),
            "rest-json": ("AccessDeniedException", 403),
        },
    ),
    "Throttling": (
        "Rate exceeded",
        {
            None: ("Throttling", 400),
            "s3": ("SlowDown", 503),
            "ec2": ("RequestLimitExceeded", 503),
            "json": ("ThrottlingException", 400),
            "rest-json": ("TooManyRequestsException", 429),
        },
    ),
    "OptInRequired": (
        "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
        {
            None: ("OptInRequired", 403),
            "s3": ("NotSignedUp", 403),
            "ec2": ("OptInRequired", 401),
            "json": ("SubscriptionRequiredException", 400),
            "rest-json": ("SubscriptionRequiredException", 403),
        },
    ),
    "InternalError": (
        "We encountered an internal error. Please try again.",
        {
            None: ("InternalFailure", 500),
            "s3": ("InternalError", 500),
            "ec2": ("InternalError", 500),
            "json": ("InternalServerError", 500),
            "rest-json": ("InternalServerError", 500),
        },
    ),
    "ServiceUnavailable": (
        "The service is temporarily unavailable. Please try again.",
        {
            None: ("ServiceUnavailable", 503),
            "ec2": ("Unavailable", 503),
            "json": ("ServiceUnavailableException", 503),
            "rest-json": ("ServiceUnavailableException", 503),
        },
    ),
    "ExpiredToken": (
        "The security token included in the request is expired",
        {
            None: ("ExpiredToken", 403),
            "s3": ("ExpiredToken", 400),
            "ec2": ("RequestExpired", 400),
            "json": ("ExpiredTokenException", 400),
            "rest-json": ("ExpiredTokenException", 403),
        },
    ),
    # what a key gets that a region does not know: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
    "InvalidCredentials": (
        _INVALID_TOKEN,
        {
            None: ("InvalidClientTokenId", 403),
            "s3": ("InvalidAccessKeyId", 403),
            "ec2": ("AuthFailure", 401),
            "json": ("UnrecognizedClientException", 400),
            "rest-json": ("UnrecognizedClientException", 403),
        },
    ),
}
_OWN_WORDS = {
    ("InvalidCredentials", "ec2"): "AWS was not able to validate the provided access credentials",
    ("InvalidCredentials", "s3"): "The AWS Access Key Id you provided does not exist in our records.",
    ("Throttling", "s3"): "Please reduce your request rate.",
    ("Throttling", "ec2"): "Request limit exceeded.",
}


def of_kind(call: Call, kind: str, message: str | None = None) -> AwsError:
    """The error of a kind as the call's service names it; a name that is no kind is the code itself, with a 400."""
    if kind not in _KINDS:
        return AwsError(kind, message or f"{kind} (injected by the simulator)", 400)
    words, by_protocol = _KINDS[kind]
    code, status = by_protocol.get(call.protocol, by_protocol[None])
    if kind == "AccessDenied" and call.service == "sns":
        code = "AuthorizationError"
    return AwsError(code, message or _OWN_WORDS.get((kind, call.protocol), words), status)
