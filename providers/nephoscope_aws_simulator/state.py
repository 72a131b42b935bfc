"""Keeping the account in a file: moto's backends, pickled one service at a time.

The file is the simulator's own and holds nothing real. It is pickle, so only ever load a file you wrote.
"""

from __future__ import annotations

import io
import pickle
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto import backends as moto_backends
from moto.core.base_backend import BackendDict, BaseBackend

from nephoscope_aws_simulator.world import Gate, World

_LOCKS = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}
_KEPT = ("roots", "disabled_regions", "seeded", "analyzers")


def _format() -> str:
    """Pickled objects fit the version of moto that wrote them, and no other."""
    return f"nephoscope-simulator-2 moto-{version('moto')}"


def _backends(service: str) -> Any:
    get_backend: Any = moto_backends.get_backend
    return get_backend(service)


def _all_backends() -> list[Any]:
    """Of every service that anything was asked of."""
    return list(vars(BackendDict)["_instances"])


def _load_private_key(der: bytes) -> Any:
    return serialization.load_der_private_key(der, password=None)


class _Pickler(pickle.Pickler):
    """Refers to backends and to AWS's managed policies by name: the next process has them already."""

    def __init__(self, file: io.BytesIO, addresses: dict[int, tuple[str, str, str]]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._addresses = addresses

    def persistent_id(self, obj: Any) -> Any:
        from moto.iam.models import AWSManagedPolicy

        if isinstance(obj, BaseBackend) and id(obj) in self._addresses:
            return ("backend", *self._addresses[id(obj)])
        if isinstance(obj, AWSManagedPolicy):
            return ("policy", obj.account_id, obj.arn, obj.attachment_count)
        return None

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) in _LOCKS:
            return (_LOCKS[type(obj)], ())
        if isinstance(obj, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
            return (_load_private_key, (obj.private_bytes(encoding, form, serialization.NoEncryption()),))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        if pid[0] == "backend":
            _, service, account, region = pid
            return _backends(service)[account][region]
        _, account, arn, attachment_count = pid
        policy = _managed_policies(account)[arn]
        policy.attachment_count = attachment_count
        return policy


def _managed_policies(account: str) -> dict[str, Any]:
    """AWS's policies as this process loaded them, kept aside before a backend's content is replaced."""
    if account not in _policies:
        _policies[account] = dict(_backends("iam")[account]["aws"].managed_policies)
    return _policies[account]


_policies: dict[str, dict[str, Any]] = {}


class Store:
    """One state file."""

    def __init__(self, path: Path, world: World, gate: Gate) -> None:
        self._path, self._world, self._gate = path, world, gate
        self._saving = threading.Lock()

    def save_if_changed(self) -> None:
        """Write the state when anything was written since the last time."""
        with self._saving:  # the last save must not meet the regular one
            if self._world.dirty:
                self._save()

    def _save(self) -> None:
        with self._gate.alone():
            self._world.dirty = False
            services = {backends.service_name: _dump(backends) for backends in _all_backends()}
        content = {
            "format": _format(),
            "world": {name: getattr(self._world, name) for name in _KEPT},
            "services": {name: dumped for name, dumped in services.items() if dumped is not None},
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_bytes(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))
        new.replace(self._path)  # at once, so that a kill leaves the old state or the new one

    def load(self) -> None:
        """Restore; without a usable file the account starts empty."""
        if not self._path.exists():
            return
        try:
            content = pickle.loads(self._path.read_bytes())  # noqa: S301 - our own file, see above
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError) as error:
            print(f"{self._path} cannot be read ({error}); starting empty", file=sys.stderr)
            return
        if content["format"] != _format():
            print(f"{self._path} is of {content['format']}; starting empty", file=sys.stderr)
            return
        for name, value in content["world"].items():
            setattr(self._world, name, value)
        for service, dumped in content["services"].items():
            _restore(service, dumped)


def _addresses() -> dict[int, tuple[str, str, str]]:
    return {
        id(backend): (backends.service_name, account, region)
        for backends in _all_backends()
        for account, region, backend in backends.iter_backends()
    }


def _dump(backends: Any) -> bytes | None:
    file = io.BytesIO()
    content = {
        "regions": {(account, region): backend.__dict__ for account, region, backend in backends.iter_backends()},
        "names": getattr(backends, "bucket_accounts", None),  # S3's names are one for all accounts
        "managers": getattr(backends, "master_accounts", None),  # of the members of organisations
    }
    try:
        _Pickler(file, _addresses()).dump(content)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        print(f"{backends.service_name} is not kept: {error}", file=sys.stderr)
        return None
    return file.getvalue()


def _restore(service: str, dumped: bytes) -> None:
    content = _Unpickler(io.BytesIO(dumped)).load()
    backends = _backends(service)
    for (account, region), attributes in content["regions"].items():
        backends[account][region].__dict__ = attributes
    if content["names"]:
        backends.bucket_accounts.update(content["names"])
    if content["managers"]:
        backends.master_accounts.update(content["managers"])
