"""Rules on what CloudTrail records and how its log is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nephoscope.domain import Fail, Inventory, NotKnown, Parameter, Resource, ResourceView, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import bucket_exposure, is_on
from nephoscope_aws.times import age_days
from nephoscope_baseline.trails import EVERYTHING, READ, WRITE, management_events, object_events, shortfall

ACCOUNT = "AWS::::Account"
TRAIL = "AWS::CloudTrail::Trail"
BUCKET = "AWS::S3::Bucket"

DELIVERED = Parameter("days", "Days since the latest delivery to CloudWatch Logs", "days", 1, "lower", most=90)

_MAX_NAMED = 5

USER_GUIDE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide"


def _some_trail(inventory: Inventory, lacks: Callable[[View], str]) -> bool | Fail:
    """Pass if one trail of the account lacks nothing; otherwise say what each lacks.

    One good trail outweighs another that could not be read. Raises NotKnown when only such a one could be good.
    """
    problems: list[str] = []
    gap: NotKnown | None = None
    try:
        for trail in inventory.of(TRAIL):
            try:
                problem = shortfall(trail) or lacks(trail)
            except NotKnown as unread:
                gap = gap or unread
                continue
            if not problem:
                return True
            problems.append(f"trail '{trail.name}': {problem}")
    except NotKnown as hidden:
        gap = gap or hidden
    if gap:
        raise gap
    return Fail(_listed(problems) or "The account has no trail")


def _listed(items: list[str]) -> str:
    more = [f"and {len(items) - _MAX_NAMED} more"] if len(items) > _MAX_NAMED else []
    return "; ".join(items[:_MAX_NAMED] + more)


def _lacks_objects(kind: str) -> Callable[[View], str]:
    return lambda trail: "" if kind in object_events(trail) else f"it does not record the {kind}s of all objects"


# -- Examples ----------------------------------------------------------------------------------------------------

WATCHING = {"TrailName": "main", "S3BucketName": "logs", "IsMultiRegionTrail": True, "IsLogging": True}


def _account(*trails: Mapping[str, Any]) -> dict[str, Any]:
    """An example: an account with these trails."""
    return example(
        {},
        region="global",
        neighbours=[resource(TRAIL, each, name=f"trail-{number}") for number, each in enumerate(trails, 1)],
    )


def _classic(kind: str, *values: str, management: bool = True) -> dict[str, Any]:
    data = [{"Type": "AWS::S3::Object", "Values": list(values)}] if values else []
    selector = {"ReadWriteType": kind, "IncludeManagementEvents": management, "DataResources": data}
    return {**WATCHING, "EventSelectors": [selector], "AdvancedEventSelectors": []}


def _selecting(**fields: Any) -> dict[str, Any]:
    """An example's trail with one advanced selector; ``resources_type`` stands for resources.type."""
    chosen = [
        {"Field": name.replace("_", "."), **(how if isinstance(how, dict) else {"Equals": [how]})}
        for name, how in fields.items()
    ]
    return {**WATCHING, "EventSelectors": [], "AdvancedEventSelectors": [{"Name": "chosen", "FieldSelectors": chosen}]}


def _logs(**properties: Any) -> list[Resource]:
    """An example's neighbour: the bucket of the trail."""
    return [resource(BUCKET, {"BucketName": "logs", **properties}, name="logs")]


EVERY_OBJECT = {"eventCategory": "Data", "resources_type": "AWS::S3::Object"}
ALL_BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
READABLE_BY_ALL = {
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"}]
}
CLOSED_BUCKET: dict[str, Any] = {
    "PublicAccessBlockConfiguration": ALL_BLOCKED,
    "Policy": None,
    "Observed": {"AclGrants": [], "AccountPublicAccessBlock": None},
}
OPEN_BUCKET = {**CLOSED_BUCKET, "PublicAccessBlockConfiguration": None, "Policy": READABLE_BY_ALL}


# -- The account's trails ----------------------------------------------------------------------------------------


@rule(
    "aws.cloudtrail.multi_region",
    on=ACCOUNT,
    severity=Severity.HIGH,
    needs=(TRAIL,),
    live_only=True,
    fix="""
        1. In the CloudTrail console choose Trails, Create trail; trails made there cover all regions.
        2. Choose management events with both Read and Write.
        3. By command line: aws cloudtrail create-trail --name NAME --s3-bucket-name BUCKET --is-multi-region-trail
        4. Start it: aws cloudtrail start-logging --name NAME
        5. For a trail that exists: aws cloudtrail update-trail --name NAME --is-multi-region-trail
        """,
    link=f"{USER_GUIDE}/cloudtrail-create-and-update-a-trail.html",
    good=[
        _account(WATCHING),
        _account({**WATCHING, "IsLogging": False}, _classic("All")),
        _account(_classic("ReadOnly"), _selecting(eventCategory="Management")),
        _account(_selecting(eventCategory="Management", eventSource={"NotEquals": ["kms.amazonaws.com"]})),
    ],
    bad=[
        _account(),
        _account({**WATCHING, "IsMultiRegionTrail": False}),
        _account({**WATCHING, "IsLogging": False}),
        _account(_classic("WriteOnly")),
        _account(_classic("All", management=False)),
        _account(_selecting(eventCategory="Management", readOnly="false")),
        _account(_selecting(**EVERY_OBJECT)),
    ],
)
def multi_region(account: View, inventory: Inventory) -> bool | Fail:
    """CloudTrail does not record all regions.

    Without a complete record nobody can tell what an intruder did, when and with whose credentials. Intruders prefer
    regions that the owner does not use, just where a trail of one region sees nothing.
    """
    return _some_trail(
        inventory, lambda trail: "" if management_events(trail) == EVERYTHING else "it leaves out management events"
    )


DATA_EVENTS_FIX = """
    1. In the CloudTrail console choose a trail that covers all regions, then Edit under Data events.
    2. Add the data event type S3 and choose to log all {kind} events of all current and future buckets.
    3. By command line: aws cloudtrail put-event-selectors --trail-name NAME --event-selectors
       '[{{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":
       [{{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}}]}}]'
    4. Data events are charged by number: look at the request count of large buckets first.
    """


@rule(
    "aws.cloudtrail.s3_write_events",
    on=ACCOUNT,
    severity=Severity.LOW,
    needs=(TRAIL,),
    live_only=True,
    fix=DATA_EVENTS_FIX.format(kind="write"),
    link=f"{USER_GUIDE}/logging-data-events-with-cloudtrail.html",
    good=[
        _account(_classic("All", "arn:aws:s3")),
        _account(WATCHING, _classic("WriteOnly", "arn:aws:s3:::", management=False)),
        _account(_selecting(**EVERY_OBJECT)),
        _account(_selecting(**EVERY_OBJECT, readOnly="false")),
    ],
    bad=[
        _account(),
        _account(WATCHING),
        _account(_classic("ReadOnly", "arn:aws:s3")),
        _account(_classic("All", "arn:aws:s3:::one-bucket/")),
        _account({**_classic("All", "arn:aws:s3"), "IsLogging": False}),
        _account(_selecting(**EVERY_OBJECT, eventName="PutObject")),
        _account(_selecting(**EVERY_OBJECT, resources_ARN={"StartsWith": ["arn:aws:s3:::one-bucket/"]})),
    ],
)
def s3_write_events(account: View, inventory: Inventory) -> bool | Fail:
    """CloudTrail does not record writes to objects in S3.

    Trails leave out what happens to objects unless told otherwise, so deleted or replaced data leaves no trace. After
    ransomware or sabotage this record is the only way to find out which objects were touched.
    """
    return _some_trail(inventory, _lacks_objects(WRITE))


@rule(
    "aws.cloudtrail.s3_read_events",
    on=ACCOUNT,
    severity=Severity.LOW,
    needs=(TRAIL,),
    live_only=True,
    fix=DATA_EVENTS_FIX.format(kind="read"),
    link=f"{USER_GUIDE}/logging-data-events-with-cloudtrail.html",
    good=[
        _account(_classic("All", "arn:aws-us-gov:s3")),
        _account(_classic("ReadOnly", "arn:aws:s3:::")),
        _account(_selecting(**EVERY_OBJECT, readOnly="true")),
        _account(_selecting(**EVERY_OBJECT, resources_ARN={"StartsWith": ["arn:aws:s3:::"]})),
    ],
    bad=[
        _account(),
        _account(_classic("WriteOnly", "arn:aws:s3")),
        _account(_selecting(**EVERY_OBJECT, readOnly="false")),
        _account(_selecting(eventCategory="Data", resources_type="AWS::Lambda::Function")),
    ],
)
def s3_read_events(account: View, inventory: Inventory) -> bool | Fail:
    """CloudTrail does not record reads of objects in S3.

    Trails leave out who downloaded which object unless told otherwise. After a leak this record is the only way to
    tell what was taken, and from whom it has to be reported.
    """
    return _some_trail(inventory, _lacks_objects(READ))


# -- Each trail --------------------------------------------------------------------------------------------------


@rule(
    "aws.cloudtrail.validation",
    on=TRAIL,
    severity=Severity.MEDIUM,
    fix="""
        1. In the CloudTrail console choose the trail, then Edit under General details.
        2. Under Additional settings enable Log file validation and save.
        3. By command line: aws cloudtrail update-trail --name NAME --enable-log-file-validation
        """,
    link=f"{USER_GUIDE}/cloudtrail-log-file-validation-enabling.html",
    good=[{**WATCHING, "EnableLogFileValidation": True}, {**WATCHING, "EnableLogFileValidation": "true"}],
    bad=[{**WATCHING, "EnableLogFileValidation": False}, WATCHING],
)
def validation(trail: View) -> bool:
    """Trail does not protect its log files from tampering.

    Whoever can write to the log bucket can remove the traces of what they did. With validation CloudTrail signs a
    digest every hour, and a changed or missing file shows.
    """
    return is_on(trail["EnableLogFileValidation"])


@rule(
    "aws.cloudtrail.kms",
    on=TRAIL,
    severity=Severity.MEDIUM,
    fix="""
        1. Create a symmetric KMS key in the region of the log bucket, and let CloudTrail use it in the key policy.
        2. In the CloudTrail console choose the trail, then Edit under General details, and choose that key under Log
           file SSE-KMS encryption.
        3. By command line: aws cloudtrail update-trail --name NAME --kms-key-id KEY_ARN
        """,
    link=f"{USER_GUIDE}/encrypting-cloudtrail-log-files-with-aws-kms.html",
    good=[{**WATCHING, "KMSKeyId": "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"}],
    bad=[{**WATCHING, "KMSKeyId": None}, {**WATCHING, "KMSKeyId": ""}, WATCHING],
)
def kms(trail: View) -> bool:
    """Trail does not encrypt its log files with a KMS key.

    The log names every user, role and address in the account. With a key of one's own, reading it takes the right to
    use the key besides the right to the bucket, and every use of the key is recorded.
    """
    return bool(trail["KMSKeyId"])


@rule(
    "aws.cloudtrail.cloudwatch",
    on=TRAIL,
    severity=Severity.LOW,
    parameters=[DELIVERED],
    fix="""
        1. In the CloudTrail console choose the trail, then Edit under CloudWatch Logs.
        2. Enable it, and choose or create a log group and the role with which CloudTrail writes to it.
        3. By command line: aws cloudtrail update-trail --name NAME --cloud-watch-logs-log-group-arn LOG_GROUP_ARN
           --cloud-watch-logs-role-arn ROLE_ARN
        4. If nothing is delivered although it is enabled, look at LatestCloudWatchLogsDeliveryError in:
           aws cloudtrail get-trail-status --name NAME
        """,
    link=f"{USER_GUIDE}/send-cloudtrail-events-to-cloudwatch-logs.html",
    good=[
        {
            **WATCHING,
            "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*",
            "Observed": {"LatestCloudWatchLogsDeliveryTime": "2026-01-15T11:50:00Z"},
        },
        {**WATCHING, "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*"},
    ],
    bad=[
        {**WATCHING, "CloudWatchLogsLogGroupArn": None, "Observed": {"LatestCloudWatchLogsDeliveryTime": None}},
        {
            **WATCHING,
            "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*",
            "Observed": {"LatestCloudWatchLogsDeliveryTime": "2026-01-13T11:50:00Z"},
        },
        {
            **WATCHING,
            "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*",
            "Observed": {"LatestCloudWatchLogsDeliveryTime": None},
        },
        WATCHING,
    ],
)
def cloudwatch(trail: ResourceView, *, days: int) -> bool | Fail:
    """Trail does not deliver to CloudWatch Logs.

    Files in a bucket are read after the fact. Only what reaches CloudWatch Logs can be searched at once and can raise
    an alarm while something is going on.
    """
    if not trail["CloudWatchLogsLogGroupArn"]:
        return False
    if "Observed" not in trail:
        return True
    when = "Observed.LatestCloudWatchLogsDeliveryTime"
    age = age_days(trail[when], trail.now)
    if age is None:
        return Fail("Nothing has ever been delivered to its log group", when)
    since = f"{trail[when]}, for more than {days} {'day' if days == 1 else 'days'}"
    return age <= days or Fail(f"Nothing has been delivered to its log group since {since}", when)


@rule(
    "aws.cloudtrail.bucket_public",
    on=TRAIL,
    severity=Severity.CRITICAL,
    needs=(BUCKET,),
    fix="""
        1. In the S3 console choose the trail's bucket, then Permissions, and enable all four settings of Block public
           access.
        2. By command line: aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration
           BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
        3. Remove what made it public from the bucket policy and the access control list as well.
        """,
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    good=[
        example(WATCHING, neighbours=_logs(**CLOSED_BUCKET)),
        example(WATCHING, neighbours=[]),
        example(WATCHING, neighbours=_logs(**{**OPEN_BUCKET, "PublicAccessBlockConfiguration": ALL_BLOCKED})),
    ],
    bad=[example(WATCHING, neighbours=_logs(**OPEN_BUCKET))],
)
def bucket_public(trail: View, inventory: Inventory) -> bool | Fail | None:
    """Trail writes its log to a public bucket.

    The log tells a stranger every user name, role, address and habit of the account. A bucket that belongs to another
    account cannot be looked at from here and is judged there.
    """
    bucket = inventory.get(BUCKET, trail["S3BucketName"])
    if bucket is None:
        return None
    exposures = bucket_exposure(bucket)
    if not exposures:
        return True
    ways = _listed([exposure.message for exposure in exposures])
    return Fail(f"Bucket '{bucket.name}': {ways}", *(exposure.at for exposure in exposures))


@rule(
    "aws.cloudtrail.bucket_logging",
    on=TRAIL,
    severity=Severity.LOW,
    needs=(BUCKET,),
    fix="""
        1. Choose another bucket in the same region for the access logs, and let logging.s3.amazonaws.com write to it.
        2. In the S3 console choose the trail's bucket, then Properties, Server access logging, Edit, and enable it.
        3. By command line: aws s3api put-bucket-logging --bucket BUCKET --bucket-logging-status
           '{"LoggingEnabled":{"TargetBucket":"OTHER_BUCKET","TargetPrefix":"BUCKET/"}}'
        """,
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
    good=[
        example(WATCHING, neighbours=_logs(LoggingConfiguration={"DestinationBucketName": "access-logs"})),
        example(WATCHING, neighbours=[]),
    ],
    bad=[
        example(WATCHING, neighbours=_logs(LoggingConfiguration=None)),
        example(WATCHING, neighbours=_logs()),
    ],
)
def bucket_logging(trail: View, inventory: Inventory) -> bool | Fail | None:
    """Access to a trail's bucket is not logged.

    Reading or deleting the log of the account should itself leave a trace outside of that log. A bucket that belongs
    to another account cannot be looked at from here and is judged there.
    """
    bucket = inventory.get(BUCKET, trail["S3BucketName"])
    if bucket is None:
        return None
    if bucket["LoggingConfiguration"] is not None:
        return True
    return Fail(f"Bucket '{bucket.name}' does not log access", "LoggingConfiguration")
