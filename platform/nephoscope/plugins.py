"""Finds, enables and lists plugins, and holds what the enabled ones contribute.

Installed is not enabled: this process holds the keys to other people's clouds, so only the entry points that
``NEPHOSCOPE_PLUGINS`` names are loaded, or those that Nephoscope itself brings when it is not set.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from nephoscope import domain, hookspecs
from nephoscope.configuration import configuration

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from nephoscope.domain import Export, FixGroup, Framework, Plan, Provider, Remediation, Resource, Rule


class PluginError(Exception):
    """A plugin cannot be used as it is written; start-up stops with this message."""


@dataclass(slots=True)
class PluginInfo:
    """One line of the list of plugins. ``problem`` is empty for one that works."""

    name: str
    module: str
    version: str
    enabled: bool = False
    hooks: tuple[str, ...] = ()
    contributes: dict[str, int] = field(default_factory=dict)
    problem: str = ""


def built_in() -> list[PluginInfo]:
    """Return the plugins that Nephoscope itself brings, as the metadata of its package lists them.

    That file is read here: to import importlib.metadata takes a third of the time in which all rules are listed.

    :raises PluginError: there is no such metadata.
    """
    for folder in sys.path:
        for metadata in Path(folder).glob("nephoscope-*.dist-info"):
            version = metadata.name.split("-")[1].removesuffix(".dist")
            return [PluginInfo(name, module, version) for name, module in _entries(metadata / "entry_points.txt")]
    raise PluginError("Nephoscope is not installed here as a package: python -m pip install -e .")


def _entries(file: Path) -> Iterator[tuple[str, str]]:
    """Yield name and module of each entry point of our group; the file's form is that of an INI file."""
    group = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        name, equals, module = (part.strip() for part in line.partition("="))
        if line.startswith("["):
            group = line.strip("[] ")
        elif equals and group == hookspecs.GROUP:
            yield name, module


def installed() -> list[PluginInfo]:
    """Return the plugins of all installed packages."""
    from importlib.metadata import entry_points

    return [_info(each) for each in entry_points(group=hookspecs.GROUP)]


def _info(entry: EntryPoint) -> PluginInfo:
    return PluginInfo(entry.name, entry.value, entry.dist.version if entry.dist else "")


def _import(name: str) -> Any:
    """Import what an entry point names: a module, or what an attribute of it holds."""
    module, _colon, attribute = name.partition(":")
    return attrgetter(attribute)(import_module(module)) if attribute else import_module(module)


def _key(item: Any, hook: str, type_: type, key: Callable[[Any], str]) -> str:
    """Return the id of what a hook contributed.

    :raises TypeError: it is of another type than the hook's, or its id is no text.
    """
    if not isinstance(item, type_):
        raise TypeError(f"{hook} returned {type(item).__name__}, not {type_.__name__}")
    if not isinstance(id := key(item), str):
        raise TypeError(f"{hook} returned a {type_.__name__} whose id is {id!r}")
    return id


class Registry:
    """The enabled plugins and their contributions, by id. Each kind of contribution is gathered when it is asked for.

    ``infos`` holds every plugin that was looked at; all that are installed are among them after :meth:`load_all`.
    """

    def __init__(self, enabled: Sequence[str] | None = None, found: Iterable[EntryPoint] | None = None) -> None:
        """Load the plugins of these names, or for None those that Nephoscope itself brings.

        :param found: look among these, instead of what is installed.
        :raises PluginError: a named plugin is not installed, a hook's name is misspelt, or two packages use one name.
        """
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._given = found is not None
        known = built_in() if found is None else [_info(each) for each in found]
        self._enabled = tuple(dict.fromkeys([each.name for each in known] if enabled is None else enabled))
        if found is None and not set(self._enabled) <= {each.name for each in known}:
            known = installed()
        self.infos: dict[str, PluginInfo] = {}
        self._list(known)
        self._load()

    def _list(self, known: Iterable[PluginInfo]) -> None:
        for each in known:
            each.enabled = each.name in self._enabled
            first = self.infos.setdefault(each.name, each)
            if each.enabled and first.module != each.module:
                raise PluginError(f"plugin {each.name!r} comes from two packages: {first.module}, {each.module}")

    def _load(self) -> None:
        if absent := [name for name in self._enabled if name not in self.infos]:
            known = ", ".join(sorted(self.infos)) or "none"
            raise PluginError(f"NEPHOSCOPE_PLUGINS names {', '.join(absent)}, which is not installed. Found: {known}.")
        for name in self._enabled:
            self._register(self.infos[name])
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            misspelt = self._manager.get_name(error.plugin)
            raise PluginError(f"plugin {misspelt!r} has a hook that does not exist: {error}") from error
        for name, plugin in self._manager.list_name_plugin():
            callers = self._manager.get_hookcallers(plugin) or []
            self.infos[name].hooks = tuple(caller.name for caller in callers)

    def _register(self, info: PluginInfo) -> None:
        try:
            plugin = _import(info.module)
        except (Exception, SystemExit):
            self._broken(info.name, "could not be imported")
            return
        try:
            self._manager.register(plugin, info.name)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {info.name!r}: {error}") from error

    def _broken(self, name: str, what: str) -> None:
        import logging
        import traceback

        last = traceback.format_exc().strip().splitlines()[-1]
        self.infos[name].problem = f"{what}: {last}"
        logging.getLogger(__name__).exception("plugin %s %s", name, what)

    def _gather(self, hook: str, noun: str, type_: type, key: Callable[[Any], str], *built_in: Any) -> dict[str, Any]:
        """Ask each plugin by itself, so that one that raises is shown as broken and the others still count."""
        gathered: dict[str, Any] = {key(item): item for item in built_in}
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                contributed = [(_key(item, hook, type_, key), item) for item in impl.function()]
            except (Exception, SystemExit):
                self._broken(impl.plugin_name, f"{hook} failed")
                continue
            for id, item in contributed:
                if id in gathered:
                    raise PluginError(f"plugin {impl.plugin_name!r}: {noun} id {id!r} is already taken")
                gathered[id] = item
            self.infos[impl.plugin_name].contributes[noun] = len(contributed)
        return gathered

    @cached_property
    def providers(self) -> dict[str, Provider]:
        return self._gather("register_providers", "provider", domain.Provider, lambda item: item.id)

    @cached_property
    def rules(self) -> dict[str, Rule]:
        return self._gather("register_rules", "rule", domain.Rule, lambda item: item.id)

    @cached_property
    def frameworks(self) -> dict[str, Framework]:
        return self._gather("register_frameworks", "framework", domain.Framework, lambda item: item.id)

    @cached_property
    def remediations(self) -> dict[str, Remediation]:
        return self._gather("register_remediations", "remediation", domain.Remediation, lambda item: item.id)

    def fix_groups(self, provider: str) -> list[FixGroup]:
        """Return what the access for fixes of a provider's accounts can allow, by title.

        :raises PluginError: a fix is in a group whose title cannot be.
        """
        try:
            return domain.grouped(each for each in self.remediations.values() if each.provider == provider)
        except ValueError as problem:
            raise PluginError(str(problem)) from problem

    @cached_property
    def exports(self) -> dict[str, Export]:
        from nephoscope.domain.ocsf import OCSF

        return self._gather("register_exports", "export", domain.Export, lambda item: item.id, OCSF)

    @cached_property
    def code(self) -> str:
        """A digest of the code of Nephoscope and of the enabled plugins: other code may judge otherwise."""
        import hashlib
        from importlib.util import find_spec

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
        """Gather every contribution and list every installed plugin, so that what is wrong shows at start-up.

        :raises PluginError: two plugins use one id, or two packages the name of an enabled plugin; a framework
            demands of a rule what that does not take; or a fix is in a group whose title cannot be.
        """
        for noun in ("providers", "rules", "frameworks", "remediations", "exports"):
            getattr(self, noun)
        for provider in self.providers:
            self.fix_groups(provider)
        for framework in self.frameworks.values():
            for problem in framework.problems(self.rules):
                raise PluginError(problem)
        if not self._given:
            self._list(installed())
        return self


@cache
def registry() -> Registry:
    """Return the process's registry, made on first use of what ``NEPHOSCOPE_PLUGINS`` names."""
    return Registry(configuration().plugins)
