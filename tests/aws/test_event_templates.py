"""What makes an account tell of changes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap

import cfnlint
import pytest

from nephoscope_aws import event_templates

ENDPOINT = "https://nephoscope.example/events/aws/abc_DEF-123"


@pytest.mark.parametrize("endpoint", [ENDPOINT, "http://127.0.0.1:8000/events/aws/abc"], ids=["https", "http"])
def test_the_template_has_no_lint_and_takes_an_https_address_only(endpoint: str) -> None:
    template = event_templates.cloudformation(endpoint)
    assert [match.message for match in cfnlint.lint(template, regions=["us-east-1"])] == []
    assert (endpoint in template) == endpoint.startswith("https")


def test_both_kits_run_the_same_code_on_the_same_events_and_hold_no_secret() -> None:
    stack, terraform = (kit.text for kit in event_templates.setup_templates(ENDPOINT))
    assert textwrap.indent(event_templates.CODE, " " * 10) in stack
    assert textwrap.indent(event_templates.CODE, "    ") in terraform.replace("$${", "${")
    for text, marker in ((stack, r"EventPattern:\s+"), (terraform, r"event_pattern = jsonencode\(")):
        found = re.search(marker, text)
        assert found and json.JSONDecoder().raw_decode(text, found.end())[0] == event_templates.pattern()
    assert "NoEcho: true" in stack and "sensitive   = true" in terraform


def test_who_did_it_and_from_where_stays_in_the_account() -> None:
    names: dict[str, object] = {}
    exec(event_templates.CODE, names)
    kept = names["KEPT"]
    assert isinstance(kept, tuple)
    assert not {"userIdentity", "sourceIPAddress", "userAgent"} & {*kept}


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_the_terraform_file_is_sound() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-"], input=event_templates.terraform(ENDPOINT), text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
