"""The resource of a call that names it in one parameter: by its ARN or by its name.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from urllib.parse import unquote

from nephoscope_aws_simulator.wire import Call

_NAMED: dict[str, dict[str, str]] = {
    "cloudfront": {"Id": "arn:aws:cloudfront::{account}:distribution/{name}"},
    "ecr": {"repositoryName": "arn:aws:ecr:{region}:{account}:repository/{name}"},
    "es": {"DomainName": "arn:aws:es:{region}:{account}:domain/{name}"},
    "lambda": {"FunctionName": "arn:aws:lambda:{region}:{account}:function:{name}"},
    "secretsmanager": {"SecretId": ""},
    "sns": {"TopicArn": "arn:aws:sns:{region}:{account}:{name}"},
    "sqs": {"QueueUrl": "arn:aws:sqs:{region}:{account}:{name}"},
}
"""By service: the parameter that names a resource, and the ARN of what it names; that of a secret ends at random."""


def named(call: Call, account: str) -> list[str | None]:
    """Return the ARN of what a call names, None where that cannot be told."""
    for parameter, form in _NAMED.get(call.service, {}).items():
        if isinstance(given := call.params.get(parameter), str) and given:
            name = unquote(given)
            if name.startswith("arn:"):
                return [name]
            # The address of a queue ends with its name.
            last = name.rpartition("/")[2] if parameter == "QueueUrl" else name
            return [form.format(region=call.region, account=account, name=last) or None]
    return [None]
