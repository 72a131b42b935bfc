"""ECS: families of task definitions without an active revision."""

from __future__ import annotations

from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend


def apply() -> None:
    """moto takes revisions that were deregistered for active ones.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html,
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitionFamilies.html
    """
    from moto.ecs.exceptions import TaskDefinitionNotFoundException
    from moto.ecs.models import EC2ContainerServiceBackend as Backend
    from moto.ecs.responses import EC2ContainerServiceResponse as Response

    def active(self: Any, family: str) -> list[int]:
        revisions = self.task_definitions.get(family, {})
        return [number for number, each in revisions.items() if each.status == "ACTIVE"]

    @extend(Backend, "describe_task_definition")
    def describe_task_definition(moto: Any, self: Any, task_definition_str: str) -> Any:
        family = task_definition_str.rpartition("/")[2]
        if ":" in family:
            return moto(self, task_definition_str)
        if not (revisions := active(self, family)):
            raise TaskDefinitionNotFoundException
        return moto(self, f"{family}:{max(revisions)}")

    @extend(Response, "list_task_definition_families")
    def list_task_definition_families(moto: Any, self: Any) -> Any:
        found = moto(self)
        if self._get_param("status") == "ACTIVE":
            found.result["families"] = [each for each in found.result["families"] if active(self.ecs_backend, each)]
        return found
