"""What the team's tests start the simulator with.

with Simulator(company=True) as simulator:
    simulator.client("s3").list_buckets()
    simulator.control("deny", actions=["s3:GetBucketPolicy"])
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from nephoscope_aws_simulator.accounts import BASE_SECRET_KEY, DEFAULT_ACCOUNT, administrator_key

HOSTILE = "SIMULATOR_HOSTILE"
"""The environment variable that has markup put into names of the company's account."""

_START_SECONDS = 180.0
_SHELF = Path(__file__).resolve().parent.parent
# Path-style because a bucket cannot be a subdomain of an IP address; one try, so that failures fail at once.
CLIENT_CONFIG = Config(
    inject_host_prefix=False,
    s3={"addressing_style": "path"},
    retries={"total_max_attempts": 1},
    max_pool_connections=20,
)
_client_lock = threading.Lock()


def env_for(endpoint: str, account: str = DEFAULT_ACCOUNT) -> dict[str, str]:
    """The environment in which the product talks to the simulator instead of AWS, as an account's administrator."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": administrator_key(account),
        "AWS_SECRET_ACCESS_KEY": BASE_SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


def without_account_prefix(params: dict[str, Any], **_: object) -> None:
    """Handler of `before-call.s3-control`: go to the endpoint itself and not to http://123456789012.127.0.0.1.

    inject_host_prefix=False does not prevent that, for since botocore 1.31 the prefix of S3 Control comes from its
    endpoint rules: https://github.com/boto/botocore/blob/develop/botocore/handlers.py
    (`remove_accid_host_prefix_from_model`).
    """
    params["url"] = re.sub(r"^(https?://)\d{12}\.", r"\1", params["url"])


def client_for(
    endpoint: str,
    service: str,
    region: str = "us-east-1",
    *,
    account: str = DEFAULT_ACCOUNT,
    credentials: dict[str, Any] | None = None,
) -> Any:
    """A real boto3 client: of an account's administrator, or with the `Credentials` that AssumeRole gave."""
    given = credentials or {}
    with _client_lock:  # boto3's default session is not safe to create clients from in several threads
        client = boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=given.get("AccessKeyId", administrator_key(account)),
            aws_secret_access_key=given.get("SecretAccessKey", BASE_SECRET_KEY),
            aws_session_token=given.get("SessionToken"),
            config=CLIENT_CONFIG,
        )
    client.meta.events.register("before-call.s3-control", without_account_prefix)
    return client


class ControlError(Exception):
    """The control plane refused; the message says why."""


def control(endpoint: str, path: str, body: Any = None) -> Any:
    """POST `body` to /simulator/`path`, or GET it when there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{endpoint}/simulator/{path}", data=data)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise ControlError(f"{error.code}: {json.load(error)['error']}") from error


class Cloud:
    """A running simulator as an account's administrator sees it; other accounts in it share nothing but its faults."""

    def __init__(self, endpoint: str, account: str = DEFAULT_ACCOUNT) -> None:
        self.endpoint = endpoint
        self.account = account
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(
        self,
        service: str,
        region: str = "us-east-1",
        *,
        account: str = "",
        credentials: dict[str, Any] | None = None,
    ) -> Any:
        """A boto3 client; those of administrators are kept, because making one is slow."""
        if credentials:
            return client_for(self.endpoint, service, region, credentials=credentials)
        key = (service, region, account or self.account)
        if key not in self._clients:
            self._clients[key] = client_for(self.endpoint, service, region, account=key[-1])
        return self._clients[key]

    def assume(self, role_arn: str, *, external_id: str | None = None, policy: Any = None) -> dict[str, Any]:
        """The `Credentials` of a session of a role, with an inline session policy if there is one."""
        request = {"RoleArn": role_arn, "RoleSessionName": "test"}
        if external_id is not None:
            request["ExternalId"] = external_id
        if policy is not None:
            request["Policy"] = json.dumps(policy)
        credentials: dict[str, Any] = self.client("sts").assume_role(**request)["Credentials"]
        return credentials

    def control(self, path: str, payload: Any = None, **members: Any) -> Any:
        """Call the control plane: `calls` and `health` are read, everything else is posted.

        The body is `payload`, or the object of the keyword arguments.
        """
        if path in ("calls", "health"):
            return control(self.endpoint, path)
        return control(self.endpoint, path, members if payload is None else payload)

    def env(self) -> dict[str, str]:
        """The environment for the product, see `env_for`."""
        return env_for(self.endpoint, self.account)


class Simulator(Cloud):
    """The simulator as a process of its own on a free port, for the length of a `with`."""

    def __init__(
        self, *, company: bool = False, state: Path | None = None, disabled_regions: tuple[str, ...] = ()
    ) -> None:
        super().__init__("")
        self._arguments = ["--company"] * company + (["--state", str(state)] if state else [])
        if disabled_regions:
            self._arguments += ["--disabled-regions", ",".join(disabled_regions)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start, and wait until it is ready, that is also seeded."""
        path = os.pathsep.join([str(_SHELF), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "nephoscope_aws_simulator", "--port", "0", *self._arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path, HOSTILE: "1"}
        )
        watchdog = threading.Timer(_START_SECONDS, self._process.kill)
        watchdog.start()
        assert self._process.stdout is not None
        first_line = self._process.stdout.readline()
        watchdog.cancel()
        if not first_line:
            self._process.wait()
            raise RuntimeError(f"the simulator did not start: exit code {self._process.returncode}")
        self.endpoint = json.loads(first_line)["endpoint"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it: with SIGTERM if it has a state to keep."""
        if self._process and self._process.stdout:
            if "--state" in self._arguments:
                self._process.terminate()
            else:
                self._process.kill()
            self._process.wait(timeout=_START_SECONDS)
            self._process.stdout.close()

    def other(self, account: str) -> Cloud:
        """Another account of this simulator, empty at first."""
        return Cloud(self.endpoint, account)
