"""What requests do with events: a license or a coupon code that was assigned fulfills the request for it."""

from collections.abc import Sequence

from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.services.event_schemas import COUPON_CODE_ASSIGNED, LICENSE_ASSIGNED
from enterprise_access.apps.subsidy_requests.services.fulfilling import Assigned, fulfill
from enterprise_access.events.handling import Event, handles


@handles(LICENSE_ASSIGNED)
def note_licenses(events: Sequence[Event]) -> None:
    """Fulfill requests for licenses."""
    for event in events:
        data = event.data["license"]
        columns = {"license_uuid": data.license_uuid, "plan_uuid": data.subscription_plan_uuid}
        fulfill(
            Assigned(
                subsidy_type=SubsidyType.LICENSE,
                customer_uuid=data.enterprise_customer_uuid,
                lms_user_id=data.lms_user_id,
                columns=columns,
            )
        )


@handles(COUPON_CODE_ASSIGNED)
def note_coupon_codes(events: Sequence[Event]) -> None:
    """Fulfill requests for coupon codes."""
    for event in events:
        data = event.data["coupon_code"]
        fulfill(
            Assigned(
                subsidy_type=SubsidyType.COUPON,
                customer_uuid=data.enterprise_customer_uuid,
                lms_user_id=data.lms_user_id,
                course_key=data.course_key,
                columns={"coupon_code": data.coupon_code[:128]},
            )
        )
