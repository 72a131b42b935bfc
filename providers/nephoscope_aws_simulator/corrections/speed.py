"""What moto does anew for every request, done once. Measured: two thirds of the time of a call."""

from __future__ import annotations

import copy
import functools
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """Same answers, sooner."""
    from moto import backends
    from moto.core import responses
    from moto.core.utils import method_names_from_class
    from moto.iam.models import IAMBackend
    from moto.kms import models as kms
    from moto.kms.utils import generate_private_key
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    # reads moto's own directory, with a stat for each of 170 services
    modules = frozenset(backends.list_of_moto_modules())
    replace(backends, "list_of_moto_modules")(lambda: modules)
    # tries 170 regular expressions
    cached = functools.lru_cache(DomainDispatcherApplication.get_backend_for_host)
    replace(DomainDispatcherApplication, "get_backend_for_host")(lambda self, host: cached(self, host))
    # inspects the class
    replace(responses, "method_names_from_class")(functools.lru_cache(method_names_from_class))

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
