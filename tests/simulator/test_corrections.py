"""Where moto answers differently from AWS, the simulator answers as AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.simulator.documents import ACCOUNT, ROOT, days_since, document, refused, report, trust

from nephoscope_aws_simulator.company.buckets import BUCKETS
from nephoscope_aws_simulator.testing import Simulator


def test_the_credential_report_has_root_ages_and_quotes(simulator: Simulator) -> None:
    rows = report(simulator)
    assert rows["<root_account>"]["mfa_active"] == "false"
    assert days_since(rows["<root_account>"]["password_last_used"]) == 4
    assert rows["victor,extern+agency@northwind.example"]["arn"].endswith("/victor,extern+agency@northwind.example")
    dave = rows["dave.oconnor"]
    assert (days_since(dave["access_key_1_last_rotated"]), days_since(dave["access_key_1_last_used_date"])) == (410, 3)
    assert rows["grace.lee"]["access_key_1_last_used_date"] == "N/A"
    assert rows["niaj.rahman"]["password_last_used"] == "no_information"
    assert rows["trent.moss"]["password_last_used"] == "N/A"


def test_the_root_user_can_be_given_mfa(simulator: Simulator) -> None:
    iam = simulator.client("iam")
    simulator.control("patch", [{"kind": "root", "mfa": True, "access_key": True, "used_days": None}])
    try:
        summary = iam.get_account_summary()["SummaryMap"]
        assert (summary["AccountMFAEnabled"], summary["AccountAccessKeysPresent"]) == (1, 1)
        root = report(simulator)["<root_account>"]
        assert (root["mfa_active"], root["access_key_1_active"]) == ("true", "true")
        assert root["password_last_used"] == "no_information"
        devices = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
        assert ROOT in {device["User"]["Arn"] for device in devices}
    finally:
        simulator.control("patch", [{"kind": "root", "mfa": False, "access_key": False, "used_days": 4}])


def test_the_bulk_read_lists_only_those_policies_of_aws_that_are_in_use(simulator: Simulator) -> None:
    details = simulator.client("iam").get_account_authorization_details()
    of_aws = {policy["PolicyName"] for policy in details["Policies"] if ":iam::aws:" in policy["Arn"]}
    assert "AdministratorAccess" in of_aws
    assert len(of_aws) < 30


def test_a_role_of_a_stack_has_the_policies_of_its_template_also_after_an_update(simulator: Simulator) -> None:
    def template(action: str, managed: str) -> str:
        own = {"PolicyName": "own", "PolicyDocument": document(action)}
        properties = {"RoleName": "of-a-stack", "AssumeRolePolicyDocument": trust(), "Policies": [own]}
        properties["ManagedPolicyArns"] = [f"arn:aws:iam::aws:policy/{managed}"]
        return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}})

    def expect(action: str, managed: str) -> None:
        details = simulator.client("iam").get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
        role = next(role for role in details if role["RoleName"] == "of-a-stack")
        assert [one["PolicyDocument"]["Statement"][0]["Action"] for one in role["RolePolicyList"]] == [action]
        assert [one["PolicyName"] for one in role["AttachedManagedPolicies"]] == [managed]

    stacks, named = simulator.client("cloudformation"), ["CAPABILITY_NAMED_IAM"]
    stacks.create_stack(StackName="s", TemplateBody=template("s3:Get*", "SecurityAudit"), Capabilities=named)
    expect("s3:Get*", "SecurityAudit")
    stacks.update_stack(StackName="s", TemplateBody=template("s3:List*", "ReadOnlyAccess"), Capabilities=named)
    expect("s3:List*", "ReadOnlyAccess")


def test_server_certificates_have_dates_of_their_own(simulator: Simulator) -> None:
    found = simulator.client("iam").list_server_certificates()["ServerCertificateMetadataList"]
    expired = {one["ServerCertificateName"]: one["Expiration"] < datetime.now(UTC) for one in found}
    assert expired == {"northwind-legacy-vpn": True, "northwind-shop-2026": False}


def test_a_new_bucket_is_blocked_owner_enforced_and_encrypted(simulator: Simulator) -> None:
    s3 = simulator.client("s3")
    s3.create_bucket(Bucket="fresh-bucket")
    assert all(s3.get_public_access_block(Bucket="fresh-bucket")["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_encryption(Bucket="fresh-bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    everybody = document("s3:GetObject", "arn:aws:s3:::fresh-bucket/*", Principal="*")
    assert refused(s3.put_bucket_policy, Bucket="fresh-bucket", Policy=json.dumps(everybody))["Code"] == "AccessDenied"
    error = refused(s3.put_bucket_acl, Bucket="fresh-bucket", ACL="public-read")
    assert error["Code"] == "AccessControlListNotSupported"


def test_buckets_are_listed_in_pages_with_their_regions(simulator: Simulator) -> None:
    s3 = simulator.client("s3")
    pages = list(s3.get_paginator("list_buckets").paginate(Prefix="northwind-", PaginationConfig={"PageSize": 10}))
    regions = {bucket["Name"]: bucket["BucketRegion"] for page in pages for bucket in page["Buckets"]}
    assert len(pages) == 3
    assert regions == {bucket.name: bucket.region for bucket in BUCKETS}


def test_a_default_security_group_admits_itself_until_somebody_empties_it(simulator: Simulator) -> None:
    filters = [{"Name": "group-name", "Values": ["default"]}]
    groups = simulator.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert sorted(len(group["IpPermissions"]) for group in groups) == [0, 1]


def test_changing_one_metadata_option_leaves_the_others(simulator: Simulator) -> None:
    ec2 = simulator.client("ec2")
    ids = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, MetadataOptions={"HttpPutResponseHopLimit": 2}
    )
    instance = ids["Instances"][0]["InstanceId"]
    answer = ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required")
    changed = answer["InstanceMetadataOptions"]
    assert (changed["HttpTokens"], changed["HttpPutResponseHopLimit"]) == ("required", 2)
    assert changed["HttpEndpoint"] == "enabled"
    ec2.terminate_instances(InstanceIds=[instance])


def test_an_instance_has_the_groups_of_its_primary_interface(simulator: Simulator) -> None:
    ec2 = simulator.client("ec2")
    named = [{"Name": "tag:Name", "Values": ["bastion"]}]
    instance = ec2.describe_instances(Filters=named)["Reservations"][0]["Instances"][0]
    interface = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    before = [group["GroupId"] for group in instance["SecurityGroups"]]
    assert [group["GroupName"] for group in instance["SecurityGroups"]] == ["ssh-open", "ssh-open-v6"]
    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=before[:1])
    groups = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]["Groups"]
    assert [group["GroupName"] for group in groups] == ["ssh-open"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=before)
    instance = ec2.describe_instances(Filters=named)["Reservations"][0]["Instances"][0]
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == before


def test_a_multi_region_trail_is_seen_from_every_region(simulator: Simulator) -> None:
    trail = simulator.client("cloudtrail", "ap-southeast-2")
    names = {one["Name"]: one["HomeRegion"] for one in trail.describe_trails()["trailList"]}
    assert names == {"northwind-audit": "us-east-1", "northwind-pacific-old": "ap-southeast-2"}
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/northwind-audit"
    status = trail.get_trail_status(Name=arn)
    assert status["IsLogging"] and "LatestCloudWatchLogsDeliveryTime" in status
    assert trail.get_event_selectors(TrailName=arn)["EventSelectors"][0]["ReadWriteType"] == "All"


def test_keys_say_what_they_are(simulator: Simulator) -> None:
    kms = simulator.client("kms")
    aliases = kms.list_aliases()["Aliases"]
    found = {one["AliasName"]: one["TargetKeyId"] for one in aliases if "northwind" in one["AliasName"]}
    described = {name: kms.describe_key(KeyId=key)["KeyMetadata"] for name, key in found.items()}
    assert described["alias/northwind-orders"]["MultiRegion"] is False
    assert described["alias/northwind-orders"]["KeyUsage"] == "ENCRYPT_DECRYPT"
    assert described["alias/northwind-retired-2021"]["KeyState"] == "PendingDeletion"
    assert kms.get_key_rotation_status(KeyId=found["alias/northwind-orders"])["KeyRotationEnabled"] is True
    assert kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["KeyManager"] == "AWS"


def test_macie_refuses_everything_until_it_is_turned_on(simulator: Simulator) -> None:
    macie = simulator.client("macie2", "eu-north-1")
    error = refused(macie.get_macie_session)
    assert (error["Code"], error["Message"]) == ("AccessDeniedException", "Macie is not enabled")
    macie.enable_macie(status="PAUSED")
    assert macie.get_macie_session()["status"] == "PAUSED"


def test_analyzers_are_there_until_they_are_deleted(simulator: Simulator) -> None:
    analyzer = simulator.client("accessanalyzer", "eu-north-1")
    assert analyzer.list_analyzers()["analyzers"] == []
    made = analyzer.create_analyzer(analyzerName="outside", type="ACCOUNT")["arn"]
    [found] = analyzer.list_analyzers()["analyzers"]
    assert (found["arn"], found["name"], found["type"], found["status"]) == (made, "outside", "ACCOUNT", "ACTIVE")
    again = refused(lambda: analyzer.create_analyzer(analyzerName="outside", type="ACCOUNT"))
    assert again["Code"] == "ConflictException"
    assert simulator.client("accessanalyzer", "eu-west-3").list_analyzers()["analyzers"] == []
    analyzer.delete_analyzer(analyzerName="outside")
    assert refused(lambda: analyzer.delete_analyzer(analyzerName="outside"))["Code"] == "ResourceNotFoundException"
    assert refused(analyzer.get_analyzer, analyzerName="outside")["Code"] == "NotImplemented"


def test_a_running_instance_reports_to_systems_manager_when_its_role_lets_it(simulator: Simulator) -> None:
    iam, ec2, ssm = (simulator.client(service, "eu-north-1") for service in ("iam", "ec2", "ssm"))
    iam.create_instance_profile(InstanceProfileName="reports")
    iam.add_role_to_instance_profile(InstanceProfileName="reports", RoleName="webshop-ec2")
    able, not_able, stopped = (
        ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"] for _ in "123"
    )
    assert ssm.describe_instance_information()["InstanceInformationList"] == []
    for each in (able, stopped):
        ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": "reports"}, InstanceId=each)
    ec2.stop_instances(InstanceIds=[stopped])
    [machine] = ssm.describe_instance_information()["InstanceInformationList"]
    assert (machine["InstanceId"], machine["PingStatus"]) == (able, "Online")
    only = [{"Key": "InstanceIds", "Values": [not_able]}]
    assert ssm.describe_instance_information(Filters=only)["InstanceInformationList"] == []
    assert ssm.list_resource_compliance_summaries()["ResourceComplianceSummaryItems"] == []
    ec2.terminate_instances(InstanceIds=[able, not_able, stopped])


def test_what_moto_cannot_do_is_said_in_the_protocol_of_the_service(simulator: Simulator) -> None:
    error = refused(simulator.client("ec2").describe_ipam_pools)
    assert (error["Code"], "is not simulated" in error["Message"]) == ("NotImplemented", True)


def test_emr_blocks_everything_but_ssh_until_a_region_says_otherwise(simulator: Simulator) -> None:
    here, there = simulator.client("emr"), simulator.client("emr", "eu-north-1")
    off = {"BlockPublicSecurityGroupRules": False, "PermittedPublicSecurityGroupRuleRanges": []}
    there.put_block_public_access_configuration(BlockPublicAccessConfiguration=off)
    said = [each.get_block_public_access_configuration()["BlockPublicAccessConfiguration"] for each in (here, there)]
    ssh = [{"MinRange": 22, "MaxRange": 22}]
    assert said == [{"BlockPublicSecurityGroupRules": True, "PermittedPublicSecurityGroupRuleRanges": ssh}, off]


def test_a_family_is_its_latest_active_revision_and_none_without_one(simulator: Simulator) -> None:
    ecs = simulator.client("ecs", "eu-north-1")
    for _ in range(2):
        ecs.register_task_definition(family="web", containerDefinitions=[{"name": "c", "image": "i", "memory": 128}])
    ecs.deregister_task_definition(taskDefinition="web:2")
    assert ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["revision"] == 1
    ecs.deregister_task_definition(taskDefinition="web:1")
    assert ecs.list_task_definition_families(status="ACTIVE")["families"] == []
    assert refused(ecs.describe_task_definition, taskDefinition="web")["Code"] == "ClientException"


def test_a_secret_tells_its_schedule_and_the_day_of_its_last_retrieval(simulator: Simulator) -> None:
    secrets = simulator.client("secretsmanager", "eu-north-1")
    secrets.create_secret(Name="db", SecretString="s")
    secrets.rotate_secret(SecretId="db", RotationRules={"ScheduleExpression": "rate(10 days)"})
    simulator.control("patch", [{"kind": "secret", "region": "eu-north-1", "name": "db", "used_days": 3}])
    listed = secrets.list_secrets()["SecretList"][0]
    assert (listed["RotationEnabled"], listed["RotationRules"]) == (True, {"ScheduleExpression": "rate(10 days)"})
    assert days_since(listed["LastAccessedDate"].isoformat()) == 3
    secrets.cancel_rotate_secret(SecretId="db")
    assert secrets.describe_secret(SecretId="db")["RotationEnabled"] is False


def test_a_machine_reports_what_it_was_told_to(simulator: Simulator) -> None:
    ssm, told = simulator.client("ssm", "eu-north-1"), {"kind": "machine", "region": "eu-north-1", "id": "mi-1"}
    simulator.control("patch", [{**told, "ping": "ConnectionLost", "patches": "NON_COMPLIANT"}])
    machines = ssm.describe_instance_information()["InstanceInformationList"]
    assert [(each["InstanceId"], each["PingStatus"]) for each in machines] == [("mi-1", "ConnectionLost")]
    patches = ssm.list_resource_compliance_summaries()["ResourceComplianceSummaryItems"]
    assert [(each["ResourceId"], each["Status"]) for each in patches] == [("mi-1", "NON_COMPLIANT")]
