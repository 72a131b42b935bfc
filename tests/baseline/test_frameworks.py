"""Framework files: what is wrong in one is said with file and key, and the shipped ones are right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from nephoscope.domain import Control, Framework
from nephoscope.plugins import Registry
from nephoscope_baseline import frameworks
from nephoscope_baseline.frameworks import FrameworkError, load, read

SHIPPED = sorted((Path(frameworks.__file__).parent / "frameworks").glob("*.toml"))
HEAD = 'id = "acme"\nname = "ACME"\nprovider = "aws"\nlink = "https://acme.example"\n'
CONTROL = '[[controls]]\nid = "1"\ntitle = "Doors are shut"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "acme.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_is_read_with_covered_manual_and_open_controls(tmp_path: Path) -> None:
    more = '[[controls]]\nid = "2"\ntitle = "Guards are awake"\nmanual = true\n[[controls]]\nid = "3"\ntitle = "Moat"\n'
    framework = read(written(tmp_path, HEAD + CONTROL + 'rules = ["a.b"]\n' + more))
    assert framework == Framework(
        "acme",
        "ACME",
        "aws",
        "https://acme.example",
        (
            Control("1", "Doors are shut", ("a.b",)),
            Control("2", "Guards are awake", manual=True),
            Control("3", "Moat"),
        ),
    )
    assert load(tmp_path) == [framework]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "[[controls]\n", "acme.toml: "),
        (HEAD, "controls: is missing"),
        (HEAD + "controls = []", "controls: is empty"),
        (CONTROL, "id: is missing"),
        (HEAD.replace('"aws"', "7") + CONTROL, "provider: must be text, not 7"),
        (HEAD + 'nmae = "x"\n' + CONTROL, "nmae: is not known here"),
        (HEAD + "controls = [1]", r"controls\[0\]: must be a table"),
        (HEAD + '[[controls]]\nid = "1"\n', r"controls\[0\].title: is missing"),
        (HEAD + CONTROL + 'rule = ["a.b"]', r"controls\[0\].rule: is not known here"),
        (HEAD + CONTROL + 'rules = "a.b"', r"controls\[0\].rules: must be a list"),
        (HEAD + CONTROL + "rules = [7]", r"controls\[0\].rules\[0\]: must be the id of a rule"),
        (HEAD + CONTROL + "rules = [{length = 8}]", r"controls\[0\].rules\[0\].id: is missing"),
        (HEAD + CONTROL + 'rules = [{id = "a.b", length = "8"}]', r"controls\[0\].rules\[0\].length: must be a whole"),
        (HEAD + CONTROL + 'rules = [{id = "a.b", length = true}]', r"controls\[0\].rules\[0\].length: must be a whole"),
        (HEAD + CONTROL + 'rules = [{id = "a.b", ports = []}]', r"controls\[0\].rules\[0\].ports: must be a whole"),
        (HEAD + CONTROL + 'manual = "yes"', r"controls\[0\].manual: must be true or false"),
        (HEAD + CONTROL + 'manual = true\nrules = ["a.b"]', r"controls\[0\].manual: a control that rules answer"),
        (HEAD + CONTROL + CONTROL, r"controls\[1\].id: '1' is used twice"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FrameworkError, match=f"^acme.toml: .*{said}" if "toml" not in said else said):
        read(written(tmp_path, text))


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_bytes(b'id = "\xff"')
    with pytest.raises(FrameworkError, match=r"^acme\.toml: "):
        load(tmp_path)


def test_the_figures_of_a_control_stand_beside_its_rules(tmp_path: Path) -> None:
    rules = 'rules = ["a.b", {id = "a.c", days = 45, ports = [3389, 22]}]'
    [control] = read(written(tmp_path, HEAD + CONTROL + rules)).controls
    assert (control.rules, control.demands) == (("a.b", "a.c"), {"a.c": {"days": 45, "ports": (22, 3389)}})


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(["aws", "baseline"])


def test_every_rule_that_a_framework_names_is_registered(registry: Registry) -> None:
    missing = {
        f"{each.id}: {rule}" for each in registry.frameworks.values() for rule in each.rules - set(registry.rules)
    }
    assert not missing


def test_every_figure_is_one_that_the_rule_takes(registry: Registry) -> None:
    for framework in registry.frameworks.values():
        assert list(framework.problems(registry.rules)) == []


@pytest.mark.parametrize(
    ("framework", "figures"),
    [
        ("aws_cis_1.4", {"1.8": 14, "1.9": 24, "1.12": 45, "1.14": 90, "3.4": 1, "5.1": (22, 3389), "5.2": (22, 3389)}),
        ("aws_cis_5.0", {"1.7": 14, "1.8": 24, "1.11": 45, "1.13": 90, "5.2": (22, 3389), "5.3": (22, 3389)}),
        ("aws_pci_dss_4.0", {"8.2.6": 90, "8.3.6": 12, "8.3.7": 4}),
        ("aws_pci_dss_3.2.1", {"8.1.4": 90, "8.2.3": 7, "8.2.5": 4}),
        ("aws_fedramp_moderate_r4", {"AC-2(3)": 90, "IA-4": 90, "IA-5(1)": 12}),
        ("aws_nist_800_53_r5", {}),
    ],
)
def test_the_figures_are_those_of_the_published_text(
    registry: Registry, framework: str, figures: dict[str, object]
) -> None:
    found = {each.id: each.demands for each in registry.frameworks[framework].controls if each.demands}
    named = {id: next(iter(next(iter(demands.values())).values())) for id, demands in found.items()}
    assert named | figures == named and (figures or not named)


def test_a_control_whose_title_names_a_number_demands_it(registry: Registry) -> None:
    with_parameters = {id for id, rule in registry.rules.items() if rule.parameters}
    for framework in registry.frameworks.values():
        for control in framework.controls:
            if re.search(r"\b\d+ (days|characters)", control.title) and with_parameters & set(control.rules):
                assert control.demands, f"{framework.id} {control.id}: {control.title}"


def test_every_rule_is_part_of_a_framework_and_all_are_in_our_own(registry: Registry) -> None:
    aws = {id for id in registry.rules if id.startswith("aws.")}
    assert registry.frameworks["aws_nephoscope"].rules == aws


@pytest.mark.parametrize(
    ("framework", "controls", "manual"),
    [
        ("aws_cis_1.4", 58, 5),
        ("aws_cis_1.5", 63, 5),
        ("aws_cis_2.0", 64, 5),
        ("aws_cis_3.0", 62, 5),
        ("aws_cis_4.0", 64, 5),
        ("aws_cis_5.0", 63, 4),
        ("aws_cis_6.0", 63, 4),
    ],
)
def test_benchmarks_are_listed_in_full(registry: Registry, framework: str, controls: int, manual: int) -> None:
    listed = registry.frameworks[framework].controls
    assert len(listed) == controls
    assert sum(control.manual for control in listed) == manual


def test_frameworks_are_of_a_registered_provider_and_link_to_their_source(registry: Registry) -> None:
    for framework in registry.frameworks.values():
        assert framework.provider in registry.providers
        assert framework.link.startswith("https://")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.stem))
def test_every_control_has_a_short_title_and_says_how_it_is_answered(file: Path) -> None:
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    assert data["id"] == file.stem
    assert data["controls"]
    for control in data["controls"]:
        assert not re.search(r"\s", control["id"]), f"{control['id']!r} is the anchor on the policy's page: no spaces"
        assert 0 < len(control["title"].strip()) <= 120, control["id"]
        assert "rules" in control or control.get("manual"), f"{control['id']}: say that it is open with rules = []"
        rules = [each if isinstance(each, str) else each["id"] for each in control.get("rules", [])]
        assert len(rules) == len(set(rules)), control["id"]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.stem))
def test_controls_are_in_natural_order(file: Path) -> None:
    assert out_of_order([control.id for control in read(file).controls]) == []


@pytest.mark.parametrize(
    ("ids", "wrong"),
    [
        (["1.2", "1.10", "2.1"], []),
        (["1.10", "1.2"], ["1.2"]),
        (["AC-2", "AC-2(1)", "AC-10", "AT-1"], []),
        (["AC-2(1)", "AC-2"], ["AC-2"]),
        (["PR.1", "ID.1", "PR.2"], ["PR.2"]),
        (["1.1", "1.1"], ["1.1"]),
    ],
)
def test_natural_order_is_told_apart(ids: list[str], wrong: list[str]) -> None:
    assert out_of_order(ids) == wrong


def out_of_order(ids: list[str]) -> list[str]:
    """Return ids that stand wrongly: numbers ascend, and what begins alike stands together (letters as published)."""
    wrong, before, seen = [], [""], set[tuple[str, ...]]()
    for each in ids:
        parts = re.findall(r"\d+|\D+", each)
        same = next((n for n, (a, b) in enumerate(zip(before, parts, strict=False)) if a != b), len(before))
        falls = same < min(len(before), len(parts)) and _falls(before[same], parts[same])
        if falls or tuple(parts[: same + 1]) in seen:
            wrong.append(each)
        seen |= {tuple(parts[:n]) for n in range(1, len(parts) + 1)}
        before = parts
    return wrong


def _falls(before: str, after: str) -> bool:
    return before.isdigit() and after.isdigit() and int(before) > int(after)
