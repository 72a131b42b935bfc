"""Rules on what CloudTrail logs and how it keeps its files. Those on its bucket are in :mod:`.cloudtrail_bucket`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nephoscope.domain import Fail, Inventory, NotKnown, Parameter, ResourceView, Severity, Unknown, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import is_on
from nephoscope_aws.times import age_days
from nephoscope_baseline.aws.trails import (
    DATA_EVENTS,
    OBJECTS,
    OF_TRAIL,
    READ,
    WRITE,
    records,
    shortfall,
    unlogged,
)

ACCOUNT = "AWS::::Account"
TRAIL = "AWS::CloudTrail::Trail"

DELIVERED = Parameter("days", "Maximum days since the last delivery to CloudWatch Logs", "days", 1, "lower", most=90)

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
            problems.append(f"Trail '{trail.name}': {problem}")
    except NotKnown as hidden:
        gap = gap or hidden
    if gap:
        raise gap
    return Fail(listed(problems) or "The account has no trail")


def listed(items: list[str]) -> str:
    """Return the first few of many."""
    more = [f"and {len(items) - _MAX_NAMED} more"] if len(items) > _MAX_NAMED else []
    return "; ".join(items[:_MAX_NAMED] + more)


def _lacks_objects(read_only: str) -> Callable[[View], str]:
    problem = f"{'read' if read_only == READ else 'write'} events are not logged for all S3 objects"
    return lambda trail: "" if records(trail, {**OBJECTS, "readOnly": read_only}) else problem


# -- Examples ----------------------------------------------------------------------------------------------------

WATCHING = {"TrailName": "main", "S3BucketName": "logs", "IsMultiRegionTrail": True, "IsLogging": True}
TO_LOGS = {**WATCHING, "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*"}
REFUSED = {"LatestCloudWatchLogsDeliveryTime": None, "LatestCloudWatchLogsDeliveryError": "AccessDenied"}


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


def _both(*kinds: str) -> dict[str, Any]:
    """An example's trail with several classic selectors."""
    return {**WATCHING, "EventSelectors": [each for kind in kinds for each in _classic(kind)["EventSelectors"]]}


def _leaving_out(*sources: str) -> dict[str, Any]:
    """An example's trail with a classic selector that leaves out these sources."""
    [selector] = _classic("All")["EventSelectors"]
    return {**WATCHING, "EventSelectors": [{**selector, "ExcludeManagementEventSources": list(sources)}]}


def _selecting(**fields: Any) -> dict[str, Any]:
    """An example's trail with one advanced selector; ``resources_type`` stands for resources.type."""
    chosen = [
        {"Field": name.replace("_", "."), **(how if isinstance(how, dict) else {"Equals": [how]})}
        for name, how in fields.items()
    ]
    return {**WATCHING, "EventSelectors": [], "AdvancedEventSelectors": [{"Name": "chosen", "FieldSelectors": chosen}]}


def _selectors(*selectors: dict[str, Any]) -> dict[str, Any]:
    """An example's trail with several advanced selectors, each with its fields as in :func:`_selecting`."""
    advanced = [each for one in selectors for each in _selecting(**one)["AdvancedEventSelectors"]]
    return {**WATCHING, "EventSelectors": [], "AdvancedEventSelectors": advanced}


KMS, RDS_DATA = "kms.amazonaws.com", "rdsdata.amazonaws.com"
MANAGED: dict[str, Any] = {"eventCategory": "Management"}
EVERY_OBJECT = {"eventCategory": "Data", "resources_type": "AWS::S3::Object"}


# -- The account's trails ----------------------------------------------------------------------------------------


@rule(
    "aws.cloudtrail.multi_region",
    on=ACCOUNT,
    severity=Severity.HIGH,
    needs=(TRAIL,),
    live_only=True,
    fix="""
        1. In the CloudTrail console, choose Trails, Create trail. Trails created in the console apply to all regions.
        2. Select management events, with both Read and Write.
        3. Start its logging.
        4. Or change an existing trail so that it applies to all regions.
    """,
    commands="""
        aws cloudtrail create-trail --region={HOME_REGION} --name={TRAIL_NAME} --s3-bucket-name={LOG_BUCKET}
          --is-multi-region-trail
        aws cloudtrail start-logging --region={HOME_REGION} --name={TRAIL_NAME}
    """,
    inputs={
        "HOME_REGION": "the home region of the new trail",
        "TRAIL_NAME": "the name of the new trail",
        "LOG_BUCKET": "a bucket that CloudTrail may write to",
    },
    link=f"{USER_GUIDE}/cloudtrail-create-and-update-a-trail.html",
    remediations=("aws.cloudtrail.extend_to_all_regions",),
    good=[
        _account(WATCHING),
        _account({**WATCHING, "IsLogging": False}, _classic("All")),
        _account(_classic("ReadOnly"), _selecting(**MANAGED)),
        _account(_both("ReadOnly", "WriteOnly")),
        _account(_leaving_out(KMS), _leaving_out()),
        _account(_selectors({**MANAGED, "readOnly": "true"}, {**MANAGED, "readOnly": "false"})),
        _account(_selectors({**MANAGED, "eventSource": {"NotEquals": [KMS]}}, {**MANAGED, "eventSource": KMS})),
        _account(
            _selectors(
                {**MANAGED, "eventName": {"StartsWith": ["Put", "Get"]}},
                {**MANAGED, "eventName": {"NotStartsWith": ["Put", "Get"]}},
            )
        ),
        _account(_selectors({**MANAGED, "readOnly": "false"}, MANAGED, EVERY_OBJECT)),
    ],
    bad=[
        _account(),
        _account({**WATCHING, "IsMultiRegionTrail": False}),
        _account({**WATCHING, "IsLogging": False}),
        _account(_classic("WriteOnly")),
        _account(_classic("All", management=False)),
        _account(_selecting(**MANAGED, readOnly="false")),
        _account(_selecting(**EVERY_OBJECT)),
        _account(_selectors({"readOnly": "true"}, {"readOnly": "false"})),
        _account(_leaving_out(KMS)),
        _account(_leaving_out(RDS_DATA)),
        _account(_selecting(**MANAGED, eventSource={"NotEquals": [KMS]})),
        _account(_selecting(**MANAGED, eventSource={"NotStartsWith": ["rdsdata."]})),
        _account(_selecting(**MANAGED, eventName={"NotEquals": ["Decrypt"]})),
        _account(
            _selecting(**MANAGED, userIdentity_arn={"NotStartsWith": ["arn:aws:sts::123456789012:assumed-role/"]})
        ),
        _account(_selecting(**MANAGED, sessionCredentialFromConsole="true")),
        _account(_selecting(**MANAGED, eventType="AwsApiCall")),
        _account(
            _selectors(
                {**MANAGED, "eventSource": {"NotEquals": [KMS]}},
                {**MANAGED, "eventSource": KMS, "readOnly": "false"},
            )
        ),
    ],
)
def multi_region(account: View, inventory: Inventory) -> bool | Fail:
    """No multi-region trail logs all management events.

    Without a complete record nobody can tell what an intruder did, when, and with whose credentials. Attackers prefer
    unused regions, where a single-region trail sees nothing.
    """
    return _some_trail(inventory, unlogged)


DATA_EVENTS_FIX = """
    1. In the CloudTrail console, choose a multi-region trail, then Edit under Data events.
    2. Add the data event type S3 and log all {kind} events of all current and future buckets.
    3. Data events are charged per event: check the request count of large buckets first.
    4. The command below replaces the event selectors that the trail has.
    """


@rule(
    "aws.cloudtrail.s3_write_events",
    on=ACCOUNT,
    severity=Severity.LOW,
    needs=(TRAIL,),
    live_only=True,
    fix=DATA_EVENTS_FIX.format(kind="write"),
    commands=DATA_EVENTS,
    inputs=OF_TRAIL,
    link=f"{USER_GUIDE}/logging-data-events-with-cloudtrail.html",
    good=[
        _account(_classic("All", "arn:aws:s3")),
        _account(WATCHING, _classic("WriteOnly", "arn:aws:s3:::", management=False)),
        _account(_selecting(**EVERY_OBJECT)),
        _account(_selecting(**EVERY_OBJECT, readOnly="false")),
        _account(_selectors(MANAGED, {**EVERY_OBJECT, "eventName": "PutObject"}, EVERY_OBJECT)),
        _account(_leaving_out(KMS), _classic("All", "arn:aws:s3")),
        _account(
            _selectors(
                {**EVERY_OBJECT, "resources_ARN": {"StartsWith": ["arn:aws:s3:::logs/"]}},
                {**EVERY_OBJECT, "resources_ARN": {"NotStartsWith": ["arn:aws:s3:::logs/"]}},
            )
        ),
    ],
    bad=[
        _account(),
        _account(WATCHING),
        _account(_classic("ReadOnly", "arn:aws:s3")),
        _account(_selecting(**EVERY_OBJECT, resources_ARN={"NotStartsWith": ["arn:aws:s3:::logs/"]})),
        _account(_selecting(**EVERY_OBJECT, resources_ARN={"NotEndsWith": [".tmp"]})),
        _account(_selecting(**EVERY_OBJECT, userIdentity_arn={"NotEquals": ["arn:aws:iam::123456789012:role/backup"]})),
        _account(_classic("All", "arn:aws:s3:::one-bucket/")),
        _account({**_classic("All", "arn:aws:s3"), "IsLogging": False}),
        _account(_selecting(**EVERY_OBJECT, eventName="PutObject")),
        _account(_selecting(**EVERY_OBJECT, resources_ARN={"StartsWith": ["arn:aws:s3:::one-bucket/"]})),
    ],
)
def s3_write_events(account: View, inventory: Inventory) -> bool | Fail:
    """CloudTrail does not log S3 object writes.

    By default trails do not log object-level calls, so deleted or overwritten data leaves no trace. After ransomware or
    sabotage, these events are the only way to find out which objects were affected.
    """
    return _some_trail(inventory, _lacks_objects(WRITE))


@rule(
    "aws.cloudtrail.s3_read_events",
    on=ACCOUNT,
    severity=Severity.LOW,
    needs=(TRAIL,),
    live_only=True,
    fix=DATA_EVENTS_FIX.format(kind="read"),
    commands=DATA_EVENTS,
    inputs=OF_TRAIL,
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
    """CloudTrail does not log S3 object reads.

    By default trails do not log who downloaded which object. After a leak, these events are the only way to tell what
    was taken and who must be notified.
    """
    return _some_trail(inventory, _lacks_objects(READ))


# -- Each trail --------------------------------------------------------------------------------------------------


@rule(
    "aws.cloudtrail.validation",
    on=TRAIL,
    severity=Severity.MEDIUM,
    fix="""
        1. In the CloudTrail console, choose the trail, then Edit under General details.
        2. Under Additional settings, enable Log file validation and save.
    """,
    commands="""
        aws cloudtrail update-trail --region={region} --name={id} --enable-log-file-validation
    """,
    link=f"{USER_GUIDE}/cloudtrail-log-file-validation-enabling.html",
    remediations=("aws.cloudtrail.validate_files",),
    good=[{**WATCHING, "EnableLogFileValidation": True}, {**WATCHING, "EnableLogFileValidation": "true"}],
    bad=[{**WATCHING, "EnableLogFileValidation": False}, WATCHING],
)
def validation(trail: View) -> bool:
    """CloudTrail log file validation is off.

    Anyone who can write to the log bucket can erase their tracks. With validation on, CloudTrail signs a digest every
    hour, which reveals changed or missing files.
    """
    return is_on(trail["EnableLogFileValidation"])


@rule(
    "aws.cloudtrail.kms",
    on=TRAIL,
    severity=Severity.MEDIUM,
    fix="""
        1. Create a symmetric KMS key in the region of the log bucket, and allow CloudTrail to use it in the key policy.
        2. In the CloudTrail console, choose the trail, then Edit under General details, and select the key under Log
           file SSE-KMS encryption.
    """,
    commands="""
        aws cloudtrail update-trail --region={region} --name={id} --kms-key-id={KEY_ARN}
    """,
    inputs={"KEY_ARN": "the ARN of the KMS key"},
    link=f"{USER_GUIDE}/encrypting-cloudtrail-log-files-with-aws-kms.html",
    remediations=("aws.cloudtrail.encrypt",),
    good=[{**WATCHING, "KMSKeyId": "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"}],
    bad=[{**WATCHING, "KMSKeyId": None}, {**WATCHING, "KMSKeyId": ""}, WATCHING],
)
def kms(trail: View) -> bool | Fail:
    """CloudTrail logs are not encrypted with a KMS key.

    The logs name every user, role and IP address in the account. With your own KMS key, reading them requires
    permission to use the key as well as the bucket, and every use of the key is logged.
    """
    return bool(trail["KMSKeyId"]) or Fail("The trail has no KMS key", "KMSKeyId")


@rule(
    "aws.cloudtrail.cloudwatch",
    on=TRAIL,
    severity=Severity.LOW,
    parameters=[DELIVERED],
    fix="""
        1. In the CloudTrail console, choose the trail, then Edit under CloudWatch Logs.
        2. Enable it, and choose or create a log group and the role that CloudTrail uses to write to it.
        3. If it is enabled but nothing arrives, check LatestCloudWatchLogsDeliveryError in the trail's status: the
           first command below shows it.
    """,
    commands="""
        aws cloudtrail get-trail-status --region={region} --name={id}

        aws cloudtrail update-trail --region={region} --name={id} --cloud-watch-logs-log-group-arn={LOG_GROUP_ARN}
          --cloud-watch-logs-role-arn={ROLE_ARN}
    """,
    inputs={
        "LOG_GROUP_ARN": "the ARN of the log group",
        "ROLE_ARN": "the ARN of the role that CloudTrail uses to write to it",
    },
    link=f"{USER_GUIDE}/send-cloudtrail-events-to-cloudwatch-logs.html",
    remediations=("aws.cloudtrail.send_to_logs",),
    good=[TO_LOGS, {**TO_LOGS, "Observed": {"LatestCloudWatchLogsDeliveryTime": "2026-01-15T11:50:00Z"}}],
    bad=[
        {**WATCHING, "CloudWatchLogsLogGroupArn": None, "Observed": {"LatestCloudWatchLogsDeliveryTime": None}},
        {**TO_LOGS, "Observed": {"LatestCloudWatchLogsDeliveryTime": "2026-01-13T11:50:00Z"}},
        {**TO_LOGS, "Observed": {"LatestCloudWatchLogsDeliveryTime": None}},
        {**TO_LOGS, "Observed": {**REFUSED, "StartLoggingTime": "2026-01-15T11:50:00Z"}},
        WATCHING,
    ],
)
def cloudwatch(trail: ResourceView, *, days: int) -> bool | Fail:
    """Trail does not send events to CloudWatch Logs.

    Log files in a bucket are only read after the fact. In CloudWatch Logs, events can be searched at once and can
    trigger an alarm while an attack is under way.
    """
    if not trail["CloudWatchLogsLogGroupArn"]:
        return Fail("The trail has no log group", "CloudWatchLogsLogGroupArn")
    if "Observed" not in trail:
        return True
    when = "Observed.LatestCloudWatchLogsDeliveryTime"
    age = age_days(trail[when], trail.now, when)
    if age is not None and age <= days:
        return True
    if _just_started(trail):
        raise NotKnown(when, Unknown("logging started less than a day ago, and nothing has been delivered since"))
    if age is None:
        return Fail("Nothing has ever been delivered to the log group", when)
    since = f"{trail[when]}, more than {days} {'day' if days == 1 else 'days'} ago"
    return Fail(f"Nothing delivered to the log group since {since}", when)


def _just_started(trail: ResourceView) -> bool:
    """Tell whether a trail may not have had time to deliver, and has met no error either."""
    if not is_on(trail["IsLogging"]) or trail["Observed.LatestCloudWatchLogsDeliveryError"]:
        return False
    started = age_days(trail["Observed.StartLoggingTime"], trail.now, "Observed.StartLoggingTime")
    return started is not None and started < 1
