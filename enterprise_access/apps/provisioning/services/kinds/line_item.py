"""The workflow that sets the Salesforce opportunity line item of a plan: one step."""

from typing import ClassVar
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.provisioning.services.workflows.steps import (
    RunningStep,
    SoFar,
    Step,
    WorkflowKind,
    register,
)
from enterprise_access.upstream.license_manager import creating


@frozen(kw_only=True)
class LineItemInput:
    """Which plan of which customer gets which line item."""

    customer_uuid: UUID
    plan_uuid: UUID
    line_item: str


@frozen(kw_only=True)
class LineItemOutput:
    """The plan with its line item."""

    plan_uuid: UUID
    line_item: str


class LineItemStep(Step[LineItemInput, LineItemOutput]):
    """Look whether the plan has the line item, or set it."""

    name = "line_item"
    title = "Line item of the plan"
    input_class = LineItemInput
    output_class = LineItemOutput
    correctable: ClassVar = frozenset({"line_item"})

    def make_input(self, so_far: SoFar) -> LineItemInput:
        asked: LineItemInput = so_far.asked
        return asked

    def find(self, given: LineItemInput, running: RunningStep) -> LineItemOutput | None:
        plans = creating.from_settings().list_plans(customer_uuid=given.customer_uuid)
        has_it = any((plan.uuid, plan.line_item) == (given.plan_uuid, given.line_item) for plan in plans)
        return LineItemOutput(plan_uuid=given.plan_uuid, line_item=given.line_item) if has_it else None

    def create(self, given: LineItemInput, running: RunningStep) -> LineItemOutput:
        running.about_to_write("")
        creating.from_settings().set_line_item(plan_uuid=given.plan_uuid, line_item=given.line_item)
        return LineItemOutput(plan_uuid=given.plan_uuid, line_item=given.line_item)


SET_LINE_ITEM = register(
    WorkflowKind(
        name="set_line_item",
        title="Set the line item of a plan",
        input_class=LineItemInput,
        steps=(LineItemStep(),),
        # The line item may have been changed to another one meanwhile.
        is_repeated=True,
    )
)
