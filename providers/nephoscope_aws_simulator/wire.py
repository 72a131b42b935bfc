"""What a request on the wire is: which service, operation, region, caller and protocol."""

from __future__ import annotations

import functools
import io
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from werkzeug.exceptions import NotFound

Environ = dict[str, Any]

# "AWS4-HMAC-SHA256 Credential=AKIA.../20260101/eu-west-1/s3/aws4_request, SignedHeaders=..."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")

# REST services whose signing name is not the name of botocore's model, which the operation is looked up in
_MODELS = {
    "access-analyzer": "accessanalyzer",
    "elasticfilesystem": "efs",
    "es": "opensearch",
    "aoss": "opensearchserverless",
    "airflow": "mwaa",
}

# two APIs that are signed for the same service
_BY_PATH = {("s3", "/v20180820/"): "s3control", ("apigateway", "/v2/"): "apigatewayv2"}


@dataclass(frozen=True)
class Call:
    """One API call."""

    service: str
    """The signing name, e.g. `s3`, also for s3control."""
    model: str
    """The name of botocore's service model, e.g. `s3control`."""
    operation: str
    region: str
    access_key: str
    """Empty when the request is not signed in its headers; presigned URLs are not simulated."""
    token: str
    protocol: str
    """`query`, `ec2`, `json`, `rest-json`, `rest-xml` (S3 Control, Route 53) or `s3`."""
    method: str
    params: dict[str, Any] = field(default_factory=dict)
    """Form fields of query protocols, members of JSON protocols, labels of the path of REST protocols."""
    source_ip: str = "127.0.0.1"


def read_body(environ: Environ) -> bytes:
    """The body, which stays readable for whoever comes next."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body: bytes = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


@functools.lru_cache
def _router(model: str) -> Any:
    from moto.core.routing import get_service_router

    return get_service_router(model)


def _rest_operation(model: str, environ: Environ) -> tuple[str, dict[str, Any]]:
    from moto.core.request import Request

    # a copy, because a Request caches itself and its parsed form in the environ
    try:
        operation, labels = _router(model).match(Request({**environ, "wsgi.input": io.BytesIO()}))
    except (NotFound, UnknownServiceError):
        return "Unknown", {}
    return operation.name, dict(labels)


@functools.lru_cache
def _protocol(model: str) -> str:
    from moto.core.utils import get_service_model

    try:
        return str(get_service_model(model).metadata.get("protocol"))
    except UnknownServiceError:
        return "rest-json"


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def read(environ: Environ) -> Call:
    """The call that a WSGI request makes. An unsigned request can only be meant for S3."""
    body = read_body(environ)
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    access_key, region, service = credential.groups() if credential else ("", "us-east-1", "s3")
    path = environ.get("PATH_INFO", "/")
    model = next(
        (model for (name, start), model in _BY_PATH.items() if name == service and path.startswith(start)),
        _MODELS.get(service, service),
    )
    form = {}
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if "Action" in form:
        operation, params, protocol = form["Action"], form, "ec2" if service == "ec2" else "query"
    elif target := environ.get("HTTP_X_AMZ_TARGET"):
        operation, params, protocol = target.rpartition(".")[2], _json_object(body), "json"
    else:
        operation, params = _rest_operation(model, environ)
        protocol = "s3" if model == "s3" else _protocol(model)
        if protocol == "rest-json":
            params = {**_json_object(body), **params}
    return Call(
        service=service,
        model=model,
        operation=operation,
        region=region,
        access_key=access_key,
        token=environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""),
        protocol=protocol,
        method=environ.get("REQUEST_METHOD", "GET"),
        params=params,
        source_ip=environ.get("REMOTE_ADDR", "127.0.0.1"),
    )
