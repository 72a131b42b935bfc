"""What every registered rule must have: an id of its module, words, examples, and only properties that exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from nephoscope.domain import Framework, NotKnown, Recorder, Resource, ResourceView, Rule
from nephoscope.domain.examples import parts
from nephoscope.engine import BoundInventory, Defaults, Neighbours
from nephoscope.plugins import Registry
from nephoscope.testing import ACCOUNT, NOW, judge_example, resource
from nephoscope_aws.collectors import ALL
from nephoscope_baseline import plugin

SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
"""The CloudFormation schemas that AWS publishes, as cfn-lint carries them."""

SYNTHETIC: dict[str, set[str]] = {}
"""The properties, as their collectors name them, that a published schema does not have, by type: what is a type of its
own in CloudFormation and lives here on the resource that it belongs to, and all of a type that no template can have."""
for each in ALL.values():
    for type, names in getattr(sys.modules[each.collect.__module__], "SYNTHETIC", {}).items():
        SYNTHETIC.setdefault(type, set()).update(names)

REGISTRY = Registry(["aws", "baseline"])
RULES = list(REGISTRY.rules.values())
DEFAULTS: Defaults = {
    type: table for provider in REGISTRY.providers.values() for type, table in provider.defaults.items()
}
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)

ODD = re.compile(
    r"\b(is told|are told|knows (no|passwords|who)|stands? (in|between|before)|keeps? no|taken? on|in (the )?clear"
    r"|machines?|looked for|dealt with|put right|is ruled|by themselves|weakness(es)?|powerful|plain HTTP)\b",
    re.IGNORECASE,
)
"""Words that an engineer stops at where AWS, GitHub or Stripe would say notified, monitored, plaintext, instance …"""


def test_the_built_in_plugins_come_in_by_their_entry_points_and_work() -> None:
    REGISTRY.load_all()
    assert {name: REGISTRY.infos[name].problem for name in ("aws", "baseline")} == {"aws": "", "baseline": ""}
    assert len(RULES) == len(plugin.register_rules())


def test_importing_the_rules_pulls_neither_a_client_of_a_cloud_nor_django() -> None:
    code = (
        "import sys; from nephoscope_baseline import plugin; plugin.register_rules();"
        "print(*{name.split('.')[0] for name in sys.modules} & {'boto3', 'botocore', 'django', 'requests'})"
    )
    shelves = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": shelves}, capture_output=True)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


@every_rule
def test_an_id_names_the_module_of_its_rule(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z0-9]+)(\.[a-z0-9_]+)", rule.id)
    cloud, service, name = rule.id.split(".")
    module = rule.check.__module__
    home = f"nephoscope_baseline.{cloud}.{service}"
    assert module == home or module.startswith(f"{home}_"), "a service with many rules may have SERVICE_TOPIC.py"
    assert rule.check.__name__ == name


@every_rule
def test_a_rule_says_what_is_wrong_why_it_matters_and_how_to_fix_it(rule: Rule) -> None:
    assert len(rule.title) <= 72
    assert rule.title[0].isupper() and not rule.title.endswith(".")
    assert rule.why.endswith(".") and rule.why.count(". ") >= 1, "two sentences on why"
    steps = [int(found) for found in re.findall(r"^(\d+)\. ", rule.fix, re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1)) and len(steps) >= 2, "steps are numbered from 1"
    assert rule.link.startswith("https://docs.aws.amazon.com/")


def test_no_two_rules_of_a_service_have_the_same_title() -> None:
    titles = Counter((rule.id.rpartition(".")[0], rule.title) for rule in RULES)
    assert [title for title, times in titles.items() if times > 1] == []


@every_rule
def test_a_rule_is_written_in_the_words_of_engineers(rule: Rule) -> None:
    messages = (judge_example(rule, example, DEFAULTS).message for example in rule.bad)
    said = (rule.title, rule.why, rule.fix, *(each.label for each in rule.parameters), *messages)
    assert [text for text in said if ODD.search(text)] == []


@pytest.mark.parametrize("framework", REGISTRY.frameworks.values(), ids=lambda each: each.id)
def test_controls_are_written_in_the_words_of_engineers(framework: Framework) -> None:
    titles = [control.title for control in framework.controls]
    assert [title for title in titles if not title[0].isupper() or title.endswith(".") or ODD.search(title)] == []


@pytest.mark.parametrize("text", ["Nobody is told of changes", "Instance knows passwords only", "Bucket keeps no log"])
def test_odd_words_are_found(text: str) -> None:
    assert ODD.search(text)


@every_rule
def test_a_rule_has_good_and_bad_examples(rule: Rule) -> None:
    assert rule.good
    assert rule.bad


@every_rule
def test_a_rule_reads_only_properties_that_exist(rule: Rule) -> None:
    read = reads_of(rule)
    assert any(path for _, path in read) or rule.needs, "its examples make it read something"
    assert not sorted(unreal(read))


# -- What a rule reads -------------------------------------------------------------------------------------------


def reads_of(rule: Rule) -> set[tuple[str, str]]:
    """The (type, path) pairs that the rule reads in its examples."""
    return {read for given in (*rule.good, *rule.bad) for read in _reads(rule, given)}


def _reads(rule: Rule, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found = parts(given)
    subject = resource(rule.on[0], found["properties"], name=found["name"], region=found["region"])
    assert subject.account == ACCOUNT
    yield from reads_on(rule, subject, Neighbours.fixed(found["neighbours"]))


def reads_on(rule: Rule, subject: Resource, neighbours: Neighbours) -> Iterator[tuple[str, str]]:
    """Yield the (type, path) pairs that the rule reads of this resource and of its neighbours."""
    recorder = Recorder()
    view = ResourceView(subject, recorder, DEFAULTS.get(subject.type, {}), NOW)
    arguments: list[Any] = [view]
    if rule.needs:
        arguments.append(BoundInventory(rule, neighbours, recorder, DEFAULTS, NOW))
    try:
        rule.check(*arguments, **rule.defaults)
    except NotKnown as gap:
        recorder.note("", gap.path, None)
    for label, path in recorder.reads:
        yield label.split(" ")[0] or subject.type, re.sub(r"\[\d+\]", "", path)


REGIONAL = {type for each in ALL.values() if each.service.regional for type in each.service.types}


@pytest.mark.parametrize("rule", [each for each in RULES if each.needs], ids=lambda rule: rule.id)
def test_a_rule_says_in_which_region_it_looks_for_what_is_regional(rule: Rule) -> None:
    """Without one, whatever it does not find is unknown: it may be in a region that is not scanned."""
    asked: list[str] = []

    def beyond(type: str, region: str) -> None:
        asked.extend([type] if type in REGIONAL and not region else [])

    for given in (*rule.good, *rule.bad):
        there = parts(given)["neighbours"]
        neighbours = Neighbours(lambda type, there=there: [each for each in there if each.type == type], beyond)
        list(reads_on(rule, resource(rule.on[0], parts(given)["properties"]), neighbours))
    assert not asked


def unreal(reads: Iterable[tuple[str, str]]) -> Iterator[str]:
    for type, path in reads:
        names = [name for name in path.split(".") if name]
        if not names or names[0] == "Observed" or names[0] in SYNTHETIC.get(type, ()):
            continue
        schema = schema_of(type)
        if not schema or not exists(schema, schema, names):
            yield f"{type} has no {path}"


# -- The published schemas ---------------------------------------------------------------------------------------


@cache
def schema_of(type: str) -> dict[str, Any]:
    files = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    if type not in files:
        return {}
    schema: dict[str, Any] = json.loads((SCHEMAS / "resources" / f"{files[type]}.json").read_text(encoding="utf-8"))
    return schema


def exists(root: dict[str, Any], node: dict[str, Any], names: list[str]) -> bool:
    """Tell whether a path can be followed; below an object without named members (a policy document) all can."""
    if not names:
        return True
    if "$ref" in node:
        return exists(root, _at(root, node["$ref"]), names)
    if choices := [each for key in ("oneOf", "anyOf", "allOf") for each in node.get(key, ()) if _says_more(each)]:
        return any(exists(root, each, names) for each in [*choices, {**node, "oneOf": [], "anyOf": [], "allOf": []}])
    if "items" in node:
        return exists(root, node["items"], names)
    members = node.get("properties")
    if members is not None:
        return names[0] in members and exists(root, members[names[0]], names[1:])
    return node.get("format") == "json" or "object" in node.get("type", ())


def _says_more(choice: dict[str, Any]) -> bool:
    return any(key in choice for key in ("$ref", "properties", "items", "type"))


def _at(root: dict[str, Any], reference: str) -> dict[str, Any]:
    node = root
    for name in reference.removeprefix("#/").split("/"):
        node = node[name]
    return node


@pytest.mark.parametrize(
    ("type", "path", "real"),
    [
        ("AWS::EC2::SecurityGroup", "SecurityGroupIngress.CidrIp", True),
        ("AWS::EC2::SecurityGroup", "SecurityGroupIngress.Cidr", False),
        ("AWS::EC2::Instance", "MetadataOptions.HttpTokens", True),
        ("AWS::EC2::Instance", "PublicIp", True),
        ("AWS::EC2::Instance", "InstanceId.Name", False),
        ("AWS::IAM::Role", "AssumeRolePolicyDocument.Statement.Principal", True),
        ("AWS::IAM::ManagedPolicy", "PolicyDocument.Statement", True),
        ("AWS::S3::Bucket", "Policy.Statement", True),
        ("AWS::S3::Bucket", "BucketPolicy", False),
        ("AWS::S3::Bucket", "Observed.Anything", True),
    ],
)
def test_the_schema_is_followed_to_the_dot(type: str, path: str, real: bool) -> None:
    assert (not list(unreal([(type, path)]))) is real
