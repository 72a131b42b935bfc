"""Rules on SageMaker notebook instances."""

from __future__ import annotations

from nephoscope.domain import Severity, View, rule

NOTEBOOK = "AWS::SageMaker::NotebookInstance"

OFF = "Disabled"
"""How both switches are off; they are on unless that is said.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html"""


@rule(
    "aws.sagemaker.notebook_internet",
    on=NOTEBOOK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/sagemaker/latest/dg/appendix-notebook-and-internet-access.html",
    fix="""
        1. The setting cannot be changed: save the notebooks of the instance to S3 or a Git repository first.
        2. In the SageMaker AI console open Notebooks, Create notebook instance, choose under Network a VPC, a private
           subnet and a security group, and Direct internet access: Disable.
        3. By command line: aws sagemaker create-notebook-instance --notebook-instance-name NAME
           --instance-type TYPE --role-arn ROLE_ARN --subnet-id SUBNET_ID --security-group-ids GROUP_ID
           --direct-internet-access Disabled
        4. Give the subnet VPC endpoints for SageMaker and S3, or a NAT gateway, so that training still works.
        5. Delete the old one: aws sagemaker delete-notebook-instance --notebook-instance-name OLD_NAME
        """,
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

    What a notebook reads can leave by a way that no firewall, endpoint policy or flow log of yours sees. Code that
    somebody pastes or installs can fetch more from anywhere.
    """
    return bool(notebook["DirectInternetAccess"] == OFF)


@rule(
    "aws.sagemaker.notebook_root",
    on=NOTEBOOK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-root-access.html",
    fix="""
        1. Move what needs root, as system packages, to a lifecycle configuration: that always runs as root.
        2. In the SageMaker AI console open Notebooks, choose the instance, Actions, Stop, and then Edit.
        3. Under Permissions and encryption set Root access to Disable, save, and start the instance.
        4. By command line: aws sagemaker stop-notebook-instance --notebook-instance-name NAME
        5. Then: aws sagemaker update-notebook-instance --notebook-instance-name NAME --root-access Disabled
        6. And: aws sagemaker start-notebook-instance --notebook-instance-name NAME
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
    """SageMaker notebook gives its users root.

    As root, a user or a hostile package changes the system below the notebook, turns off what watches it, and stays.
    Notebooks need that for nothing that a lifecycle configuration cannot do for them.
    """
    return bool(notebook["RootAccess"] == OFF)
