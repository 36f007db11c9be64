"""Licenses: which can be used for some content, which the learner portal shows, and what is still to be done."""

from enterprise_access.apps.licenses.domain.own import (
    Activate,
    Agreement,
    AutoApply,
    OwnLicense,
    OwnLicenses,
    OwnPlan,
    by_status,
    choose_shown_license,
    in_order_of_showing,
    next_step,
)
from enterprise_access.apps.licenses.domain.problems import LicenseProblem, ProblemCode
from enterprise_access.apps.licenses.domain.usable import (
    License,
    LicenseRefusal,
    LicenseStatus,
    Plan,
    SomeLicenses,
    choose_license,
)

__all__ = [
    "Activate",
    "Agreement",
    "AutoApply",
    "License",
    "LicenseProblem",
    "LicenseRefusal",
    "LicenseStatus",
    "OwnLicense",
    "OwnLicenses",
    "OwnPlan",
    "Plan",
    "ProblemCode",
    "SomeLicenses",
    "by_status",
    "choose_license",
    "choose_shown_license",
    "in_order_of_showing",
    "next_step",
]
