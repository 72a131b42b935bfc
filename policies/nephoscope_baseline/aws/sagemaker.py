"""Rules on SageMaker notebook instances."""

from __future__ import annotations

from nephoscope.domain import Severity, View, rule

NOTEBOOK = "AWS::SageMaker::NotebookInstance"

OFF = "Disabled"
"""The value with which both settings are off; they are on by default.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html"""


@rule(
    "aws.sagemaker.notebook_internet",
    on=NOTEBOOK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/sagemaker/latest/dg/appendix-notebook-and-internet-access.html",
    fix="""
        1. The setting cannot be changed: first save the notebooks of the instance to S3 or a Git repository.
        2. In the SageMaker AI console, choose Notebooks, Create notebook instance; under Network, select a VPC, a
           private subnet and a security group, and set Direct internet access to Disable.
        3. Add VPC endpoints for SageMaker and S3 to the subnet, or a NAT gateway, so that training still works.
        4. Delete the old one.
    """,
    commands="""
        aws sagemaker create-notebook-instance --region={region} --notebook-instance-name={NEW_NAME}
          --instance-type={InstanceType} --role-arn={RoleArn} --subnet-id={SUBNET_ID}
          --security-group-ids={GROUP_ID} --direct-internet-access=Disabled
    """,
    inputs={
        "NEW_NAME": "the name of the new instance",
        "SUBNET_ID": "a private subnet",
        "GROUP_ID": "a security group",
    },
    good=[
        {"DirectInternetAccess": "Disabled", "SubnetId": "subnet-0a1b2c3d"},
        {"NotebookInstanceName": "research", "DirectInternetAccess": "Disabled", "RootAccess": "Enabled"},
    ],
    bad=[
        {"DirectInternetAccess": "Enabled"},
        {"DirectInternetAccess": "Enabled", "SubnetId": "subnet-0a1b2c3d"},
        {"DirectInternetAccess": None, "SubnetId": None},
        {"InstanceType": "ml.t3.medium"},
    ],
)
def notebook_internet(notebook: View) -> bool:
    """SageMaker notebook has direct internet access.

    Data can leave the notebook on a path that your firewalls, endpoint policies and flow logs do not see. Pasted or
    installed code can download more from anywhere.
    """
    return bool(notebook["DirectInternetAccess"] == OFF)


@rule(
    "aws.sagemaker.notebook_root",
    on=NOTEBOOK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-root-access.html",
    fix="""
        1. Move what needs root, such as system packages, to a lifecycle configuration, which always runs as root.
        2. In the SageMaker AI console, choose Notebooks, select the instance, Actions, Stop, and then Edit.
        3. Under Permissions and encryption, set Root access to Disable, save, and start the instance.
    """,
    commands="""
        aws sagemaker stop-notebook-instance --region={region} --notebook-instance-name={name}
        aws sagemaker wait notebook-instance-stopped --region={region} --notebook-instance-name={name}
        aws sagemaker update-notebook-instance --region={region} --notebook-instance-name={name} --root-access=Disabled
        aws sagemaker wait notebook-instance-stopped --region={region} --notebook-instance-name={name}
        aws sagemaker start-notebook-instance --region={region} --notebook-instance-name={name}
    """,
    good=[
        {"RootAccess": "Disabled"},
        {"RootAccess": "Disabled", "DirectInternetAccess": "Enabled", "LifecycleConfigName": "setup"},
    ],
    bad=[
        {"RootAccess": "Enabled"},
        {"RootAccess": None, "DirectInternetAccess": "Disabled"},
        {"RootAccess": "", "LifecycleConfigName": "setup"},
        {},
    ],
)
def notebook_root(notebook: View) -> bool:
    """SageMaker notebook root access is on.

    As root, a user or a malicious package can change the underlying system, turn off monitoring, and persist. What
    needs root can run in a lifecycle configuration instead.
    """
    return bool(notebook["RootAccess"] == OFF)
