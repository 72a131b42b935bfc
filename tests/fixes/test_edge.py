"""What fixes of CloudFront distributions and OpenSearch domains refuse, and what cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from tests.fixes.buckets import CONNECTION, PROVIDER
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds.cloudfront import bucket, distribution, server
from tests.fixes.rounds.opensearch import NEW, domain
from tests.fixes.test_meta import REGISTRY

from nephoscope import surgery
from nephoscope.domain import LiveSession, Plan, Writer
from nephoscope.testing import Notes
from nephoscope_aws_fixes.opensearch import EncryptAtRest
from nephoscope_aws_simulator.testing import Cloud

HTTPS = ("aws.cloudfront.redirect_to_https", "aws.cloudfront.https")
ORIGIN = ("aws.cloudfront.origin_https", "aws.cloudfront.origin_https")
SSL3 = ("aws.cloudfront.refuse_sslv3", "aws.cloudfront.tls_origin")
DOMAIN_HTTPS = ("aws.opensearch.require_https", "aws.opensearch.https")
DOMAIN_POLICY = ("aws.opensearch.remove_public_access", "aws.opensearch.public_policy")
AT_REST = ("aws.opensearch.encrypt_at_rest", "aws.opensearch.encrypted")
BETWEEN_NODES = ("aws.opensearch.encrypt_between_nodes", "aws.opensearch.node_tls")
RIGHT = {
    "DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": NEW},
    "EncryptionAtRestOptions": {"Enabled": True},
    "NodeToNodeEncryptionOptions": {"Enabled": True},
}


@contextmanager
def _writer(plan: Plan) -> Iterator[Writer]:
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        yield writer


# -- CloudFront ------------------------------------------------------------------------------------


def test_headers_that_may_hold_secrets_never_stand_in_a_plan(simulator: Cloud, session: LiveSession) -> None:
    header = {"HeaderName": "X-Origin-Secret", "HeaderValue": "generated-word"}
    origin = server("TLSv1.2", CustomHeaders={"Quantity": 1, "Items": [header]})
    made = distribution(simulator, "with-headers", origin, viewers=("allow-all",))
    assert refused(session, *HTTPS, made) == (
        "origin o0 has custom headers, which may hold secrets that must not stand in a plan: change it manually."
    )


def test_the_website_of_a_bucket_has_no_https(simulator: Cloud, session: LiveSession) -> None:
    website = {**server("TLSv1.2", policy="http-only"), "DomainName": "site.s3-website.eu-central-1.amazonaws.com"}
    made = distribution(simulator, "website", website)
    assert refused(session, *ORIGIN, made).startswith("origin o0 is the website of a bucket, which only speaks HTTP")


def test_a_distribution_that_is_right_or_gone_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = distribution(simulator, "right", bucket(), server("TLSv1.2"))
    gone = replace(made, id=made.id.rpartition("/")[0] + "/EGONE", name="EGONE")
    for fix in (HTTPS, ORIGIN, SSL3):
        assert refused(session, *fix, made) == "it is so already."
        assert refused(session, *fix, gone) == "it does not exist any more."


def test_cloudfront_refuses_what_was_planned_for_an_earlier_version(simulator: Cloud, session: LiveSession) -> None:
    made = distribution(simulator, "changed-and-back", bucket(), viewers=("allow-all",))
    plan = planned(session, *HTTPS, made)
    client = simulator.client("cloudfront")
    now = client.get_distribution_config(Id=made.name)
    client.update_distribution(Id=made.name, DistributionConfig=now["DistributionConfig"], IfMatch=now["ETag"])
    notes = Notes()
    with _writer(plan) as writer:
        assert not surgery.apply(REGISTRY.remediations[HTTPS[0]], plan.steps, session, writer, notes)
    assert "PreconditionFailed" in notes[0]
    assert made.state() == now["DistributionConfig"]


def test_a_distribution_that_was_changed_since_is_not_put_back(simulator: Cloud, session: LiveSession) -> None:
    made = distribution(simulator, "changed-since", bucket(), viewers=("allow-all",))
    plan, fix, notes = planned(session, *HTTPS, made), REGISTRY.remediations[HTTPS[0]], Notes()
    client = simulator.client("cloudfront")
    with _writer(plan) as writer:
        assert surgery.apply(fix, plan.steps, session, writer, notes)
        now = client.get_distribution_config(Id=made.name)
        changed = {**now["DistributionConfig"], "Comment": "by somebody else"}
        client.update_distribution(Id=made.name, DistributionConfig=changed, IfMatch=now["ETag"])
        with pytest.raises(surgery.StaleError):
            surgery.undo(fix, plan.steps, [0], notes.kept, session, writer, notes)


# -- OpenSearch ------------------------------------------------------------------------------------


def test_a_domain_that_is_right_or_gone_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = domain(simulator, "right", **RIGHT)
    gone = replace(made, id=made.id.replace("right", "gone"), name="gone")
    for fix in (DOMAIN_HTTPS, AT_REST, BETWEEN_NODES):
        assert refused(session, *fix, made) == "it is so already."
        assert refused(session, *fix, gone) == "it does not exist any more."
    assert refused(session, *DOMAIN_POLICY, made) == "it has no policy any more."


def test_another_change_of_a_domain_is_waited_out(simulator: Cloud, session: LiveSession) -> None:
    made = domain(simulator, "changing")
    where = {"account": simulator.account, "region": "us-east-1", "of": "opensearch.domains", "id": "changing"}
    simulator.control("patch", {"kind": "status", **where, "member": "processing", "status": True})
    for fix in (DOMAIN_HTTPS, DOMAIN_POLICY, AT_REST, BETWEEN_NODES):
        assert refused(session, *fix, made) == "another change of it is under way; plan again when it is done."


@pytest.mark.parametrize(("version", "can"), [("6.5", False), ("6.7", True), ("7.10", True)])
def test_old_elasticsearch_cannot_be_encrypted(simulator: Cloud, session: LiveSession, version: str, can: bool) -> None:
    name = f"es-{version.replace('.', '-')}"
    made = domain(simulator, name)
    simulator.client("opensearch").delete_domain(DomainName=name)
    simulator.client("opensearch").create_domain(DomainName=name, EngineVersion=f"Elasticsearch_{version}")
    for fix in (AT_REST, BETWEEN_NODES):
        if can:
            assert planned(session, *fix, made).steps
        else:
            assert refused(session, *fix, made).startswith("it runs Elasticsearch_6.5, and a domain can be encrypted")


def test_encryption_of_a_domain_is_for_good_and_its_plan_says_so(simulator: Cloud, session: LiveSession) -> None:
    made = domain(simulator, "for-good")
    for fix in (AT_REST, BETWEEN_NODES):
        plan = planned(session, *fix, made)
        assert not plan.reversible
        assert "This change cannot be undone." in plan.warnings
    assert planned(session, *DOMAIN_HTTPS, made).reversible


def test_the_key_that_a_domain_is_given_is_no_other_state() -> None:
    fix = REGISTRY.remediations[AT_REST[0]]
    assert isinstance(fix, EncryptAtRest)
    assert fix.same({"Enabled": True, "KmsKeyId": "0d9c7a9e"}, {"Enabled": True})
    assert not fix.same({"Enabled": False}, {"Enabled": True})
    assert not fix.same(None, {"Enabled": True})
