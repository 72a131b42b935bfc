"""Kits that make an account tell Nephoscope of changes: a CloudFormation template and a Terraform file.

Each is for one region: a rule of EventBridge picks the writes of the services that are collected, a small function
signs each and posts it. What cannot be delivered is tried again and then kept in a queue for two weeks.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

from nephoscope.domain import SetupTemplate
from nephoscope_aws.event_table import SOURCES
from nephoscope_aws.names import home_of

HOME_REGION = f"{home_of('aws')} (China: {home_of('aws-cn')}, GovCloud: {home_of('aws-us-gov')})"
"""Where the events of services that belong to the whole account arrive: IAM, CloudFront, the account itself.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
"""

MAX_PATTERN = 2_048
"""Characters of a rule's pattern: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""

RUNTIME = "python3.13"

CODE = '''\
import hashlib, hmac, json, os, time, urllib.request

KEPT = ("eventID", "eventName", "eventSource", "awsRegion", "recipientAccountId", "readOnly", "errorCode",
        "managementEvent", "eventCategory", "requestParameters", "responseElements")


def handler(event, context):
    """Sign what of an event says where to look, and post it; what is not taken is raised, to be tried again."""
    detail = {name: event["detail"][name] for name in KEPT if name in event["detail"]}
    body = json.dumps({"account": event["account"], "detail": detail}, separators=(",", ":")).encode()
    now = str(int(time.time()))
    signed = hmac.new(os.environ["NEPHOSCOPE_SECRET"].encode(), now.encode() + b"." + body, hashlib.sha256)
    headers = {"Content-Type": "application/json", "Nephoscope-Signature": f"t={now},v1={signed.hexdigest()}"}
    request = urllib.request.Request(os.environ["NEPHOSCOPE_ENDPOINT"], body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status
'''
"""What runs in the account: Python's standard library alone. Who did it, and from where, does not leave the account."""


def pattern() -> dict[str, Any]:
    """Return which events the rule picks: writes that went well, of the services that are collected."""
    return {
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": [f"{source}.amazonaws.com" for source in sorted(SOURCES)],
            "readOnly": [False, {"exists": False}],
            "errorCode": [{"exists": False}],
        },
    }


def setup_templates(endpoint: str) -> list[SetupTemplate]:
    """Return what posts events to ``endpoint``. The secret is entered when they are used, and is in neither."""
    where = (
        f"once in each region that is scanned, and in {HOME_REGION} in any case: events of IAM and other services "
        "without a region arrive there. CloudTrail has to be on, with a trail that logs management events"
    )
    return [
        SetupTemplate(
            "cloudformation",
            "CloudFormation",
            "nephoscope-events.yaml",
            "yaml",
            cloudformation(endpoint),
            f"Create a stack from this template {where}; for many regions, a stack set over the regions of "
            "this account. It asks for the secret. Acknowledge that it creates an IAM role.",
        ),
        SetupTemplate(
            "terraform",
            "Terraform",
            "nephoscope-events.tf",
            "hcl",
            terraform(endpoint),
            f"Use this file as a module {where}. Give it the secret in TF_VAR_nephoscope_secret; Terraform keeps it in "
            "its state, which is to be protected.",
        ),
    ]


def cloudformation(endpoint: str) -> str:
    """Return a CloudFormation template in YAML; the pattern in it is JSON, which YAML contains."""
    default = f"\n    Default: {json.dumps(endpoint)}" if endpoint.startswith("https://") else ""
    return f"""\
AWSTemplateFormatVersion: "2010-09-09"
Description: Tells Nephoscope of changes in this region, so that it looks at what was changed within seconds.
Parameters:
  NephoscopeEndpoint:
    Type: String
    Description: Where Nephoscope takes this account's events; it is shown there.
    AllowedPattern: "https://[^/]+/.*events/aws/[A-Za-z0-9_-]+"{default}
  NephoscopeSecret:
    Type: String
    NoEcho: true
    Description: The secret that Nephoscope showed for this account.
    AllowedPattern: "[0-9a-f]{{64}}"
Resources:
  Undelivered:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      MessageRetentionPeriod: 1209600
      SqsManagedSseEnabled: true
  UndeliveredPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Undelivered]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {{Service: events.amazonaws.com}}
            Action: sqs:SendMessage
            Resource: !GetAtt Undelivered.Arn
            Condition: {{ArnEquals: {{"aws:SourceArn": !GetAtt Changes.Arn}}}}
  Logs:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      RetentionInDays: 14
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: Lets the function that tells Nephoscope of changes write its log, and keep what it could not deliver
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {{Service: lambda.amazonaws.com}}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: nephoscope-events
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: [logs:CreateLogStream, logs:PutLogEvents]
                Resource: !GetAtt Logs.Arn
              - Effect: Allow
                Action: sqs:SendMessage
                Resource: !GetAtt Undelivered.Arn
  Sender:
    Type: AWS::Lambda::Function
    Properties:
      Description: Tells Nephoscope of changes
      Runtime: {RUNTIME}
      Handler: index.handler
      Role: !GetAtt Role.Arn
      MemorySize: 128
      Timeout: 15
      LoggingConfig: {{LogGroup: !Ref Logs}}
      DeadLetterConfig: {{TargetArn: !GetAtt Undelivered.Arn}}
      Environment:
        Variables:
          NEPHOSCOPE_ENDPOINT: !Ref NephoscopeEndpoint
          NEPHOSCOPE_SECRET: !Ref NephoscopeSecret
      Code:
        ZipFile: |
{textwrap.indent(CODE, " " * 10)}
  SenderRetries:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref Sender
      Qualifier: $LATEST
      MaximumRetryAttempts: 2
      MaximumEventAgeInSeconds: 3600
  Changes:
    Type: AWS::Events::Rule
    Properties:
      Description: Writes to what Nephoscope looks at
      EventPattern:
{_json(pattern(), 8)}
      Targets:
        - Id: sender
          Arn: !GetAtt Sender.Arn
          RetryPolicy: {{MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 3600}}
          DeadLetterConfig: {{Arn: !GetAtt Undelivered.Arn}}
  ChangesMaySend:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Sender
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !GetAtt Changes.Arn
Outputs:
  UndeliveredQueue:
    Description: Holds for two weeks what could not be delivered.
    Value: !Ref Undelivered
"""


def terraform(endpoint: str) -> str:
    """Return a Terraform file for one region."""
    default = f"\n  default     = {json.dumps(endpoint)}" if endpoint.startswith("https://") else ""
    return f"""\
# Tells Nephoscope of changes in this region, so that it looks at what was changed within seconds.
terraform {{
  required_providers {{
    aws     = {{ source = "hashicorp/aws" }}
    archive = {{ source = "hashicorp/archive" }}
  }}
}}

variable "nephoscope_endpoint" {{
  type        = string
  description = "Where Nephoscope takes this account's events; it is shown there."{default}
  validation {{
    condition     = startswith(var.nephoscope_endpoint, "https://")
    error_message = "The endpoint is reached by https alone."
  }}
}}

variable "nephoscope_secret" {{
  type        = string
  sensitive   = true
  description = "The secret that Nephoscope showed for this account."
}}

data "archive_file" "nephoscope_events" {{
  type                    = "zip"
  output_path             = "${{path.module}}/nephoscope-events.zip"
  source_content_filename = "index.py"
  source_content          = <<-CODE
{textwrap.indent(CODE.replace("${", "$${"), "    ")}  CODE
}}

resource "aws_sqs_queue" "nephoscope_events" {{
  name_prefix               = "nephoscope-events-"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}}

resource "aws_sqs_queue_policy" "nephoscope_events" {{
  queue_url = aws_sqs_queue.nephoscope_events.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ Service = "events.amazonaws.com" }}
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.nephoscope_events.arn
      Condition = {{ ArnEquals = {{ "aws:SourceArn" = aws_cloudwatch_event_rule.nephoscope_events.arn }} }}
    }}]
  }})
}}

resource "aws_cloudwatch_log_group" "nephoscope_events" {{
  name_prefix       = "nephoscope-events-"
  retention_in_days = 14
}}

resource "aws_iam_role" "nephoscope_events" {{
  name_prefix = "nephoscope-events-"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Principal = {{ Service = "lambda.amazonaws.com" }}, Action = "sts:AssumeRole" }}]
  }})
}}

resource "aws_iam_role_policy" "nephoscope_events" {{
  name = "nephoscope-events"
  role = aws_iam_role.nephoscope_events.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [
      {{
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${{aws_cloudwatch_log_group.nephoscope_events.arn}}:*"
      }},
      {{ Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.nephoscope_events.arn }},
    ]
  }})
}}

resource "aws_lambda_function" "nephoscope_events" {{
  function_name    = "nephoscope-events"
  description      = "Tells Nephoscope of changes"
  runtime          = "{RUNTIME}"
  handler          = "index.handler"
  role             = aws_iam_role.nephoscope_events.arn
  memory_size      = 128
  timeout          = 15
  filename         = data.archive_file.nephoscope_events.output_path
  source_code_hash = data.archive_file.nephoscope_events.output_base64sha256
  environment {{
    variables = {{
      NEPHOSCOPE_ENDPOINT = var.nephoscope_endpoint
      NEPHOSCOPE_SECRET   = var.nephoscope_secret
    }}
  }}
  logging_config {{
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.nephoscope_events.name
  }}
  dead_letter_config {{
    target_arn = aws_sqs_queue.nephoscope_events.arn
  }}
}}

resource "aws_lambda_function_event_invoke_config" "nephoscope_events" {{
  function_name                = aws_lambda_function.nephoscope_events.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600
}}

resource "aws_cloudwatch_event_rule" "nephoscope_events" {{
  name        = "nephoscope-events"
  description = "Writes to what Nephoscope looks at"
  event_pattern = jsonencode({_json(pattern(), 2).lstrip()})
}}

resource "aws_cloudwatch_event_target" "nephoscope_events" {{
  rule = aws_cloudwatch_event_rule.nephoscope_events.name
  arn  = aws_lambda_function.nephoscope_events.arn
  retry_policy {{
    maximum_retry_attempts       = 5
    maximum_event_age_in_seconds = 3600
  }}
  dead_letter_config {{
    arn = aws_sqs_queue.nephoscope_events.arn
  }}
}}

resource "aws_lambda_permission" "nephoscope_events" {{
  function_name = aws_lambda_function.nephoscope_events.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.nephoscope_events.arn
}}
"""


def _json(document: dict[str, Any], indent: int) -> str:
    return textwrap.indent(json.dumps(document, indent=2), " " * indent)
