"""What moto does anew for every request, done once. Measured: two thirds of the time of a call."""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace


def _by_one_thread(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return what ``make`` makes once for its arguments, while all others that want it wait."""
    made: dict[tuple[Any, ...], Any] = {}
    lock = threading.Lock()

    def get(*arguments: Any) -> Any:
        if arguments not in made:
            with lock:
                if arguments not in made:
                    made[arguments] = make(*arguments)
        return made[arguments]

    return get


def apply() -> None:
    """Same answers, sooner."""
    from botocore.loaders import create_loader
    from moto import backends
    from moto.core import responses, routing, utils
    from moto.core.utils import method_names_from_class
    from moto.iam.models import IAMBackend
    from moto.kms import models as kms
    from moto.kms.utils import generate_private_key
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication
    from werkzeug.routing import Rule

    # reads moto's own directory, with a stat for each of 170 services
    modules = frozenset(backends.list_of_moto_modules())
    replace(backends, "list_of_moto_modules")(lambda: modules)
    # tries 170 regular expressions
    cached = functools.lru_cache(DomainDispatcherApplication.get_backend_for_host)
    replace(DomainDispatcherApplication, "get_backend_for_host")(lambda self, host: cached(self, host))
    # inspects the class
    replace(responses, "method_names_from_class")(functools.lru_cache(method_names_from_class))

    # lists botocore's 400 services, with some stats for each, before it reads one model; and when a service is first
    # called by fifty threads, each of them reads it and builds its routes
    replace(utils, "create_loader")(functools.cache(create_loader))
    replace(utils, "_load_service_model")(_by_one_thread(utils._load_service_model))
    get_router = routing.ServiceOperationRouter._get_router
    by_one = _by_one_thread(lambda router, protocol: get_router(router, protocol))
    replace(routing.ServiceOperationRouter, "_get_router")(lambda self, protocol: by_one(self, protocol))

    # writes and compiles two Python functions for each of some thousand routes, to make URLs of, which nobody asks for
    replace(Rule, "_compile_builder")(lambda self, append_unknown=True: lambda *_: None)
    # reads AWS's 1,500 managed policies out of JSON for every account
    made: dict[str, list[Any]] = {}

    @extend(IAMBackend, "_init_aws_policies")
    def of_one_reading(moto: Any, self: Any) -> list[Any]:
        if self.partition not in made:
            made[self.partition] = moto(self)
        policies = [copy.copy(policy) for policy in made[self.partition]]
        for policy in policies:
            policy.account_id = self.account_id
        return policies

    @replace(kms, "generate_private_key")
    def only_for_asymmetric_keys(key_spec: str) -> Any:
        """A tenth of a second for an RSA key, which a symmetric key never uses."""
        return generate_private_key(key_spec) if key_spec.startswith(("RSA", "ECC", "SM2")) else None
