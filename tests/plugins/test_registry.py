"""The registry: what is wrong with a plugin is said at start-up, and takes no other plugin down."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distribution
from pathlib import Path

import pytest

from nephoscope.domain import Call, Permission, Plan, Resource, Step
from nephoscope.plugins import PluginError, Registry

HEAD = """
from nephoscope.domain import Control, Framework, Severity, rule
from nephoscope.hookspecs import hookimpl

def a_rule(id):
    @rule(id, on="Acme::Thing", severity=Severity.LOW, fix="Do it.", link="https://acme.example",
          good=[{"On": True}], bad=[{"On": False}])
    def check(thing):
        '''It is on.

        What is off does nothing.
        '''
        return thing["On"]
    return check
"""
ONE_RULE = """
@hookimpl
def register_rules():
    return [a_rule("acme.thing.on")]
"""

CALL = Call("s3:PutBucketPolicy", {}, (Permission("s3:PutBucketPolicy"),))
BUCKET = Resource("AWS::S3::Bucket", "arn:aws:s3:::website", "website", "eu-west-1", "123456789012", {})
PLAN = Plan("acme.thing.turn_on", "acme.thing.on", "123456789012", (Step(BUCKET.id, "Do", CALL, CALL, "", ""),))

Make = Callable[..., EntryPoint]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make a module of some code, and return the entry point that names it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def make(name: str, code: str = ONE_RULE) -> EntryPoint:
        module = f"nephoscope_test_plugin_{name}"
        (tmp_path / f"{module}.py").write_text(HEAD + textwrap.dedent(code))
        made.append(module)
        return EntryPoint(name, module, "nephoscope")

    yield make
    for module in made:
        sys.modules.pop(module, None)


# -- What stops the start-up -----------------------------------------------------------------------


def test_a_misspelt_hook_stops_the_start_up_and_is_named(plugin: Make) -> None:
    misspelt = plugin("acme", "@hookimpl\ndef register_ruls():\n    return []\n")
    with pytest.raises(PluginError, match="register_ruls") as caught:
        Registry(["acme"], [misspelt])
    assert "acme" in str(caught.value)


def test_a_hook_that_asks_for_what_there_is_not_stops_the_start_up_and_is_named(plugin: Make) -> None:
    wrong = plugin("acme", "@hookimpl\ndef veto_plan(plan, weather):\n    return None\n")
    with pytest.raises(PluginError, match=r"plugin 'acme'[\s\S]*weather"):
        Registry(["acme"], [wrong])


def test_a_plugin_that_is_not_installed_stops_the_start_up_and_is_named(plugin: Make) -> None:
    with pytest.raises(PluginError, match=r"names zeta, which is not installed\. Found: acme, beta\."):
        Registry(["acme", "zeta"], [plugin("beta"), plugin("acme")])


@pytest.mark.parametrize(
    ("hook", "made", "id"),
    [
        ("register_rules", 'a_rule("acme.thing.on")', "acme.thing.on"),
        ("register_frameworks", 'Framework("house", "House", "aws", "https://acme.example", ())', "house"),
    ],
)
def test_two_plugins_that_use_one_id_stop_the_start_up(plugin: Make, hook: str, made: str, id: str) -> None:
    code = f"@hookimpl\ndef {hook}():\n    return [{made}]\n"
    entries = [plugin("first", code), plugin("second", code)]
    with pytest.raises(PluginError, match=rf"plugin '(first|second)': \w+ id '{id}' is already taken"):
        Registry(["first", "second"], entries).load_all()


def test_one_plugin_that_uses_an_id_twice_stops_the_start_up(plugin: Make) -> None:
    twice = plugin("acme", '@hookimpl\ndef register_rules():\n    return [a_rule("a.b.c"), a_rule("a.b.c")]\n')
    with pytest.raises(PluginError, match=r"plugin 'acme': rule id 'a\.b\.c' is already taken"):
        Registry(["acme"], [twice]).load_all()


def test_two_packages_that_use_one_plugins_name_stop_the_start_up(plugin: Make) -> None:
    entry = plugin("acme")
    other = EntryPoint("acme", plugin("impostor").value, "nephoscope")
    with pytest.raises(PluginError, match="acme"):
        Registry(["acme"], [entry, other])


FRAMEWORK = """
@hookimpl
def register_frameworks():
    control = Control("1.1", "It is on", ("acme.thing.on",), demands={"acme.thing.on": %s})
    return [Framework("house", "House", "aws", "https://acme.example", (control,))]
"""
AGED = """
from nephoscope.domain import Parameter

@rule("acme.thing.on", on="Acme::Thing", severity=Severity.LOW, fix="Do it.", link="https://acme.example",
      good=[{"Age": 1}], bad=[{"Age": 99}], parameters=[Parameter("days", "Maximum age", "days", 45, "lower", most=90)])
def aged(thing, *, days):
    '''It is old.

    What is old does nothing.
    '''
    return thing["Age"] <= days

@hookimpl
def register_rules():
    return [aged]
"""


@pytest.mark.parametrize(
    ("demanded", "said"),
    [
        ("{'weeks': 3}", "parameter 'weeks': there is no such; the rule has days"),
        ("{'days': 91}", "parameter 'days': 91 does not do. Enter a whole number from 1 to 90."),
        ("{'days': (22,)}", "parameter 'days': (22,) does not do."),
    ],
)
def test_a_figure_that_a_rule_does_not_take_stops_the_start_up_and_is_named(
    plugin: Make, demanded: str, said: str
) -> None:
    entries = [plugin("rules", AGED), plugin("frameworks", FRAMEWORK % demanded)]
    with pytest.raises(PluginError) as caught:
        Registry(["rules", "frameworks"], entries).load_all()
    assert f"framework 'house', control '1.1', rule acme.thing.on, {said}" in str(caught.value)


def test_a_figure_of_a_rule_whose_plugin_is_not_enabled_is_let_be(plugin: Make) -> None:
    registry = Registry(["frameworks"], [plugin("frameworks", FRAMEWORK % "{'weeks': 3}")]).load_all()
    assert registry.frameworks["house"].rules == {"acme.thing.on"} and not registry.infos["frameworks"].problem


# -- What is isolated ------------------------------------------------------------------------------

RAISE = "raise RuntimeError('no such weather')"
BROKEN = {
    "import": RAISE,
    "hook": f"@hookimpl\ndef register_rules():\n    {RAISE}\n",
    "generator": f"@hookimpl\ndef register_rules():\n    yield a_rule('a.b.c')\n    {RAISE}\n",
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN.keys())
def test_a_plugin_that_raises_is_shown_as_broken_while_others_work(plugin: Make, code: str) -> None:
    registry = Registry(
        ["good", "bad", "better"],
        [
            plugin("good"),
            plugin("bad", code),
            plugin("better", ONE_RULE.replace("thing.on", "thing.off")),
        ],
    ).load_all()
    assert "RuntimeError: no such weather" in registry.infos["bad"].problem
    assert registry.infos["bad"].contributes == {}
    assert set(registry.rules) == {"acme.thing.on", "acme.thing.off"}
    assert not registry.infos["good"].problem
    assert registry.infos["good"].contributes == {"rule": 1}


def test_a_plugin_that_contributes_what_is_no_rule_is_shown_as_broken(plugin: Make) -> None:
    wrong = plugin("bad", '@hookimpl\ndef register_rules():\n    return ["acme.thing.on"]\n')
    registry = Registry(["bad", "good"], [wrong, plugin("good")]).load_all()
    assert "register_rules returned str, not Rule" in registry.infos["bad"].problem
    assert set(registry.rules) == {"acme.thing.on"}


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("raise SystemExit('no weather')", "SystemExit: no weather"),
        ("@hookimpl\ndef register_rules():\n    raise SystemExit('no weather')\n", "SystemExit: no weather"),
        ("@hookimpl\ndef register_providers():\n    return [Nameless()]\n", "has no attribute 'id'"),
        ("@hookimpl\ndef register_frameworks():\n    return [Framework(['a'], '', '', '', ())]\n", "whose id is ['a']"),
    ],
    ids=["exit at import", "exit in a hook", "no id", "an id that is no text"],
)
def test_a_plugin_that_exits_or_forgets_an_id_is_shown_as_broken(plugin: Make, code: str, problem: str) -> None:
    nameless = (
        "from nephoscope.domain import Provider\nclass Nameless(Provider):\n    def open(self, connection): ...\n"
    )
    registry = Registry(["bad", "good"], [plugin("bad", nameless + code), plugin("good")]).load_all()
    assert problem in registry.infos["bad"].problem
    assert registry.infos["bad"].contributes == {}
    assert set(registry.rules) == {"acme.thing.on"} and not registry.infos["good"].problem


# -- What is listed --------------------------------------------------------------------------------


def test_a_plugin_that_is_not_enabled_is_listed_and_not_imported(plugin: Make) -> None:
    entry = plugin("acme", "raise SystemExit('this must not run')")
    registry = Registry([], [entry]).load_all()
    info = registry.infos["acme"]
    assert (info.enabled, info.hooks, info.contributes, info.problem) == (False, (), {}, "")
    assert info.module == entry.value
    assert registry.rules == {}


def test_a_plugin_is_listed_with_its_hooks(plugin: Make) -> None:
    veto = "@hookimpl\ndef veto_plan(plan):\n    return None\n"
    registry = Registry(["acme"], [plugin("acme", ONE_RULE + veto)])
    assert sorted(registry.infos["acme"].hooks) == ["register_rules", "veto_plan"]


# -- Vetoes ----------------------------------------------------------------------------------------


def test_a_plan_that_nobody_objects_to_passes(plugin: Make) -> None:
    silent = plugin("silent", "@hookimpl\ndef veto_plan(plan, resources):\n    return None\n")
    assert Registry(["silent"], [silent]).vetoes(PLAN, [BUCKET]) == []


def test_every_objection_is_told(plugin: Make) -> None:
    first = plugin("first", "@hookimpl\ndef veto_plan(resources):\n    return f'not {resources[0].name}'\n")
    second = plugin("second", "@hookimpl\ndef veto_plan(plan):\n    return f'not {plan.rule}'\n")
    vetoes = Registry(["first", "second"], [first, second]).vetoes(PLAN, [BUCKET])
    assert sorted(vetoes) == ["not acme.thing.on", "not website"]


def test_a_veto_that_raises_refuses_the_plan_and_is_shown_as_broken(plugin: Make) -> None:
    raising = plugin("acme", "@hookimpl\ndef veto_plan(plan):\n    raise RuntimeError('no such weather')\n")
    registry = Registry(["acme"], [raising])
    assert registry.vetoes(PLAN, [BUCKET]) == ["plugin acme could not judge the plan"]
    assert "no such weather" in registry.infos["acme"].problem


# -- Which are enabled -----------------------------------------------------------------------------


def test_unless_plugins_are_named_those_of_nephoscopes_own_package_are_enabled() -> None:
    ours = {each.name: each for each in distribution("nephoscope").entry_points if each.group == "nephoscope"}
    registry = Registry()
    assert ours
    assert {info.name: (info.module, info.enabled) for info in registry.infos.values()} == {
        name: (each.value, True) for name, each in ours.items()
    }
    assert {info.version for info in registry.infos.values()} == {distribution("nephoscope").version}


def test_exactly_what_is_named_is_enabled() -> None:
    registry = Registry(["baseline"])
    assert [info.name for info in registry.infos.values() if info.enabled] == ["baseline"]
    assert registry.rules and not registry.providers


def test_contributions_are_gathered_when_they_are_asked_for(plugin: Make) -> None:
    entry = plugin("acme", ONE_RULE + f"@hookimpl\ndef register_providers():\n    {RAISE}\n")
    registry = Registry(["acme"], [entry])
    assert set(registry.rules) == {"acme.thing.on"}
    assert registry.infos["acme"].contributes == {"rule": 1} and not registry.infos["acme"].problem
    registry.load_all()
    assert "no such weather" in registry.infos["acme"].problem


def test_other_installed_plugins_are_listed_when_all_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "acme_rules", "acme = never_imported")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry()
    assert "acme" not in registry.infos
    info = registry.load_all().infos["acme"]
    assert (info.module, info.version, info.enabled) == ("never_imported", "1.2", False)
    assert "never_imported" not in sys.modules


def test_a_package_that_takes_the_name_of_an_enabled_plugin_stops_the_start_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "impostor", "baseline = impostor")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match=r"plugin 'baseline' comes from two packages: .*impostor"):
        Registry().load_all()


def install(folder: Path, package: str, entry: str) -> None:
    """Put the metadata of a package into a folder, as pip does."""
    metadata = folder / f"{package}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(f"[console_scripts]\n{package} = x:y\n\n[nephoscope]\n{entry}\n")


def test_a_plugin_may_be_an_attribute_of_a_module(plugin: Make) -> None:
    hook = "    @hookimpl\n    def register_rules(self):\n        return [a_rule('a.b.c')]\n"
    module = plugin("acme", f"class Hooks:\n{hook}\nhooks = Hooks()\n").value
    assert set(Registry(["acme"], [EntryPoint("acme", f"{module}:hooks", "nephoscope")]).rules) == {"a.b.c"}


A_FIX = """
from nephoscope.domain import Provider, Remediation

class Cloud(Provider):
    id, name = "acme", "Acme"

    def open(self, connection):
        raise NotImplementedError

class Fix(Remediation):
    title = summary = "Fix"
    provider = "acme"
    on = reads = ()

    def __init__(self, id, group, *writes):
        self.id, self.group, self.writes = id, group, writes

    def plan(self, request, session):
        return []

    def state(self, step, session):
        return None

@hookimpl
def register_providers():
    return [Cloud()]

@hookimpl
def register_remediations():
    return FIXES
"""


def test_fixes_are_grouped_by_what_their_titles_have_of_letters_and_digits(plugin: Make) -> None:
    doors = """Fix("b", "Open doors!", "w", "x"), Fix("a", "open Doors", "x", "y")"""
    fixes = f"""FIXES = [{doors}, Fix("c", "It's 1 lock", "z")]"""
    found = Registry(["acme"], [plugin("acme", A_FIX + fixes)]).load_all().fix_groups("acme")
    assert [(each.id, each.title, each.permissions) for each in found] == [
        ("ItS1Lock", "It's 1 lock", ("z",)),
        ("OpenDoors", "open Doors", ("w", "x", "y")),
    ]


@pytest.mark.parametrize("title", ["", "!", "1 door", "Doors\\n", "Doors\\u202e", "двери"])
def test_a_group_that_could_not_be_named_stops_the_start(title: str, plugin: Make) -> None:
    entry = plugin("acme", f'{A_FIX}FIXES = [Fix("a", "{title}", "w")]')
    with pytest.raises(PluginError, match="cannot be the group of a fix"):
        Registry(["acme"], [entry]).load_all()
