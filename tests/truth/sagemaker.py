"""Notebook instances: their way to the internet, and root."""

from __future__ import annotations

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds

ALL = "notebook_internet notebook_root"


def _made(truth: Truth, name: str, region: str = HOME, **settings: str) -> None:
    role = f"arn:aws:iam::{truth.cloud.account}:role/research"
    truth.client("sagemaker", region).create_notebook_instance(
        NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role, **settings
    )


@holds(regions=ALL_THREE)
def notebooks(truth: Truth) -> None:
    """Notebooks by both settings, on, off and as they are by default; in the other region they are hidden."""
    closed = {"DirectInternetAccess": "Disabled", "SubnetId": "subnet-0a1b2c3d"}
    for name, settings, fails in [
        ("closed", closed | {"RootAccess": "Disabled"}, ""),
        ("root", closed | {"RootAccess": "Enabled"}, "notebook_root"),
        ("root-by-default", closed, "notebook_root"),
        ("connected", {"DirectInternetAccess": "Enabled", "RootAccess": "Disabled"}, "notebook_internet"),
        ("connected-by-default", {"RootAccess": "Disabled"}, "notebook_internet"),
        ("connected-in-vpc", {"SubnetId": "subnet-0a1b2c3d", "RootAccess": "Disabled"}, "notebook_internet"),
        ("default", {}, ALL),
    ]:
        _made(truth, name, **settings)
        truth.judged(name, fails=fails, passes=" ".join(each for each in ALL.split() if each not in fails.split()))
    _made(truth, "hidden", ABROAD, **closed)
    truth.cloud.control("deny", actions=["sagemaker:DescribeNotebookInstance"], regions=[ABROAD])
    truth.judged("hidden", unknown=ALL)
    truth.cloud.control("deny", actions=["sagemaker:ListNotebookInstances"], regions=[FAR])
    truth.judged(f"All AWS::SageMaker::NotebookInstance in {FAR}", unknown=ALL)
