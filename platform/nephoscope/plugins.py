"""Finds, enables and lists plugins, and holds what the enabled ones contribute.

Installed is not enabled: this process holds the keys to other people's clouds, so only the entry points that
``NEPHOSCOPE_PLUGINS`` names are loaded.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pluggy

from nephoscope import hookspecs
from nephoscope.domain import Export, Framework, Plan, Provider, Remediation, Resource, Rule
from nephoscope.domain.ocsf import OCSF

log = logging.getLogger(__name__)


class PluginError(Exception):
    """A plugin cannot be used as it is written; start-up stops with this message."""


@dataclass(slots=True)
class PluginInfo:
    """One line of the list of plugins. ``problem`` is empty for one that works."""

    name: str
    module: str
    version: str
    enabled: bool
    hooks: tuple[str, ...] = ()
    contributes: dict[str, int] = field(default_factory=dict)
    problem: str = ""


class Registry:
    """The enabled plugins and their contributions, by id."""

    def __init__(self, enabled: Sequence[str], found: Iterable[EntryPoint] | None = None) -> None:
        """Load the enabled entry points.

        :raises PluginError: a named plugin is not installed, a hook's name is misspelt, or two plugins use one id.
        """
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)
        self.infos: dict[str, PluginInfo] = {}
        for entry in entry_points(group=hookspecs.GROUP) if found is None else found:
            version = entry.dist.version if entry.dist else ""
            self.infos[entry.name] = PluginInfo(entry.name, entry.value, version, entry.name in enabled)
            if entry.name in enabled:
                self._load(entry)
        if absent := [name for name in enabled if name not in self.infos]:
            known = ", ".join(sorted(self.infos)) or "none"
            raise PluginError(f"NEPHOSCOPE_PLUGINS names {', '.join(absent)}, which is not installed. Found: {known}.")
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            name = self._manager.get_name(error.plugin)
            raise PluginError(f"plugin {name!r} has a hook that does not exist: {error}") from error
        for name, plugin in self._manager.list_name_plugin():
            callers = self._manager.get_hookcallers(plugin) or []
            self.infos[name].hooks = tuple(caller.name for caller in callers)

    def _load(self, entry: EntryPoint) -> None:
        try:
            plugin = entry.load()
        except Exception:
            self._broken(entry.name, "could not be imported")
            return
        try:
            self._manager.register(plugin, entry.name)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {entry.name!r}: {error}") from error

    def _broken(self, name: str, what: str) -> None:
        last = traceback.format_exc().strip().splitlines()[-1]
        self.infos[name].problem = f"{what}: {last}"
        log.exception("plugin %s %s", name, what)

    def _gather(self, hook: str, noun: str, type_: type, key: Callable[[Any], str], *built_in: Any) -> dict[str, Any]:
        """Ask each plugin by itself, so that one that raises is shown as broken and the others still count."""
        gathered: dict[str, Any] = {key(item): item for item in built_in}
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                contributed = list(impl.function())
                for item in contributed:
                    if not isinstance(item, type_):
                        raise TypeError(f"{hook} returned {type(item).__name__}, not {type_.__name__}")
            except Exception:
                self._broken(impl.plugin_name, f"{hook} failed")
                continue
            for item in contributed:
                if key(item) in gathered:
                    raise PluginError(f"plugin {impl.plugin_name!r}: {noun} id {key(item)!r} is already taken")
                gathered[key(item)] = item
            self.infos[impl.plugin_name].contributes[noun] = len(contributed)
        return gathered

    @cached_property
    def providers(self) -> dict[str, Provider]:
        return self._gather("register_providers", "provider", Provider, lambda item: item.id)

    @cached_property
    def rules(self) -> dict[str, Rule]:
        return self._gather("register_rules", "rule", Rule, lambda item: item.id)

    @cached_property
    def frameworks(self) -> dict[str, Framework]:
        return self._gather("register_frameworks", "framework", Framework, lambda item: item.id)

    @cached_property
    def remediations(self) -> dict[str, Remediation]:
        return self._gather("register_remediations", "remediation", Remediation, lambda item: item.id)

    @cached_property
    def exports(self) -> dict[str, Export]:
        return self._gather("register_exports", "export", Export, lambda item: item.id, OCSF)

    @cached_property
    def code(self) -> str:
        """A digest of the code of Nephoscope and of the enabled plugins: other code may judge otherwise."""
        digest = hashlib.blake2b(digest_size=16)
        modules = {info.module.partition(".")[0] for info in self.infos.values() if info.enabled}
        for name in sorted({"nephoscope", *modules}):
            spec = find_spec(name)
            if not spec or not spec.origin:
                continue
            file = Path(spec.origin)
            for path in sorted(file.parent.rglob("*.py")) if spec.submodule_search_locations else [file]:
                digest.update(f"{name}/{path.relative_to(file.parent)}\0".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def vetoes(self, plan: Plan, resources: list[Resource]) -> list[str]:
        """Return the reasons that plugins give against a plan; a plugin that fails to answer counts as against."""
        reasons: list[str] = []
        for impl in self._manager.hook.veto_plan.get_hookimpls():
            try:
                arguments: dict[str, Any] = {"plan": plan, "resources": resources}
                answer: Any = impl.function(**{name: arguments[name] for name in impl.argnames})
            except Exception:
                self._broken(impl.plugin_name, "veto_plan failed")
                answer = f"plugin {impl.plugin_name} could not judge the plan"
            if answer:
                reasons.append(str(answer))
        return reasons

    def load_all(self) -> Registry:
        """Gather every contribution now, so that what is wrong shows at start-up and not in a request."""
        for noun in ("providers", "rules", "frameworks", "remediations", "exports"):
            getattr(self, noun)
        return self


_registry: Registry | None = None


def registry() -> Registry:
    """Return the process's registry, made on first use from ``NEPHOSCOPE_PLUGINS``."""
    global _registry
    if _registry is None:
        from django.conf import settings

        _registry = Registry(settings.NEPHOSCOPE_PLUGINS).load_all()
    return _registry
