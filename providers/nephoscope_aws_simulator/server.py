"""The server: moto behind authorisation and the control plane, in one process with a thread for each connection.

python -m nephoscope_aws_simulator --port 5001 --company --state simulator.state
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nephoscope_aws_simulator import analyzers, authorize, control, simulate
from nephoscope_aws_simulator.actions import iam_action, operation_name, resources
from nephoscope_aws_simulator.conditions import NotSimulatedError
from nephoscope_aws_simulator.entities import arn_of
from nephoscope_aws_simulator.errors import Answer, AwsError, of_kind, render
from nephoscope_aws_simulator.wire import Call, Environ, read, read_body
from nephoscope_aws_simulator.world import Gate, World

SAVE_EVERY_SECONDS = 15.0
StartResponse = Callable[..., Any]
_READS = ("Get", "List", "Describe", "Head", "Lookup", "Search", "Simulate", "BatchGet")


class Application:
    """The WSGI application: control plane, or a call that is counted, delayed, judged and handed to moto."""

    def __init__(self, world: World, gate: Gate, moto: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self._world, self._gate, self._moto = world, gate, moto

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one HTTP request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(control.PREFIX):
            method, remote = environ["REQUEST_METHOD"], environ.get("REMOTE_ADDR", "")
            return _send(control.answer(self._world, method, path, remote, read_body(environ)), start_response)
        if path.startswith("/moto-api"):  # moto's own control plane goes around everything here
            return _send(Answer(404, "text/plain", b"use /simulator/"), start_response)
        call = read(environ)
        with self._world.counted(operation_name(call), call.region):
            if self._world.latency_ms:
                time.sleep(self._world.latency_ms / 1000)
            with self._gate.call():
                return self._serve(call, environ, start_response)

    def _serve(self, call: Call, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        def noting_status(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            self._note(call, int(status.split()[0]))
            return start_response(status, headers, *rest)

        try:
            if answer := self._judge(call):
                return _send(answer, noting_status)
            return _complete(self._moto(environ, noting_status))
        except AwsError as error:
            return _send(render(call, error), noting_status)
        except (NotImplementedError, NotSimulatedError) as error:
            message = f"{operation_name(call)} is not simulated: {error}"
            return _send(render(call, AwsError("NotImplemented", message, 501)), noting_status)
        except Exception as error:  # moto's faults must look like AWS's, and be seen here
            print(f"{operation_name(call)} failed", file=sys.stderr)
            traceback.print_exception(error)
            return _send(render(call, of_kind(call, "InternalError")), noting_status)

    def _judge(self, call: Call) -> Answer | None:
        """Raise what AWS would refuse; an answer for what moto cannot do; None to let moto answer."""
        if call.region in self._world.disabled_regions:
            raise of_kind(call, "InvalidCredentials")
        caller = authorize.identify(call)
        targets = resources(call, caller.account, arn_of)
        names = {iam_action(call), operation_name(call)}
        if kind := self._world.denial_for(names, call.region, [target for target in targets if target]):
            raise authorize.injected(call, caller, kind, targets)
        authorize.authorize(call, caller, targets)
        if caller.session:
            with self._world.lock:
                self._world.calls.actions[iam_action(call)] += 1
        if call.protocol == "ec2" and call.params.get("DryRun") == "true":
            # Not every operation of moto heeds it: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        if call.service == "sts" and call.operation == "AssumeRole":
            authorize.authorize_assume_role(call, caller)
        if call.service == "iam" and call.operation == "SimulatePrincipalPolicy":
            return simulate.simulate_principal_policy(call)
        if call.service == "access-analyzer":
            return analyzers.answer(self._world, call, caller.account)
        return None

    def _note(self, call: Call, status: int) -> None:
        if status >= 400:
            with self._world.lock:
                self._world.calls.errors[operation_name(call), call.region] += 1
        elif not call.operation.startswith(_READS):
            self._world.dirty = True


def _complete(answer: Iterable[bytes]) -> list[bytes]:
    """The whole answer now, while the gate holds off a save."""
    try:
        return list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()


def _send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body))), *answer.headers]
    start_response(answer.status_line, headers)
    return [answer.body]


def _loopback(host: str) -> str:
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise argparse.ArgumentTypeError("only a loopback address: the simulator has no authentication")
    return host


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nephoscope_aws_simulator", description="A simulated AWS account over HTTP.")
    parser.add_argument("--port", type=int, default=5001, help="0 picks a free one")
    parser.add_argument("--host", type=_loopback, default="127.0.0.1")
    parser.add_argument("--company", action="store_true", help="seed a small company's account")
    parser.add_argument("--state", type=Path, help="keep the account in this file")
    parser.add_argument("--disabled-regions", default="", help="comma separated; as if they were not opted in to")
    return parser.parse_args(argv)


def _forget_real_accounts() -> None:
    """Whoever starts this may have a profile, a region or an endpoint of their own; none of it is meant for here."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _moto() -> Any:
    # ~1,500 managed policies are wanted, ~650 stock images with ~1,300 snapshots per region are not: those would
    # pass for the account's own
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    # without a look at bucket policies, the safe answer is that another account's buckets are not ours
    os.environ.setdefault("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


def _start_seeding(endpoint: str) -> subprocess.Popen[bytes]:
    """In a process of its own, which loads boto3 while this one loads moto."""
    path = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "nephoscope_aws_simulator.company", endpoint]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path})  # noqa: S603 - our own command


def _stop(*_: object) -> None:
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; then keep the state."""
    arguments = _arguments(argv)
    _forget_real_accounts()
    listener = socket.create_server((arguments.host, arguments.port), backlog=128)
    endpoint = f"http://{arguments.host}:{listener.getsockname()[1]}"
    fresh = not (arguments.state and arguments.state.exists())
    seeding = _start_seeding(endpoint) if arguments.company and fresh else None  # its first call waits for us
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    moto = _moto()
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    from nephoscope_aws_simulator.corrections import apply
    from nephoscope_aws_simulator.state import Store

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    world, gate = World(), Gate()
    apply(world)
    store = Store(arguments.state, world, gate) if arguments.state else None
    if store:
        store.load()
    world.disabled_regions |= {name for name in arguments.disabled_regions.split(",") if name}
    server = make_server(
        arguments.host,
        arguments.port,
        Application(world, gate, moto),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    failed = threading.Event()

    def prepare() -> None:
        if arguments.company and not world.seeded:
            if (seeding or _start_seeding(endpoint)).wait():
                failed.set()  # rather no account than half of one
                server.shutdown()
                return
            world.seeded = world.dirty = True
        world.ready = True
        print(json.dumps({"endpoint": endpoint, "ready": True}), flush=True)
        while store:
            time.sleep(SAVE_EVERY_SECONDS)
            store.save_if_changed()

    threading.Thread(target=prepare, daemon=True).start()
    try:
        server.serve_forever()
    finally:
        server.server_close()
        if store and world.ready:
            store.save_if_changed()
    if failed.is_set():
        raise SystemExit("seeding failed")
