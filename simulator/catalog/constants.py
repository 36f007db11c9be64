"""The parts of catalog records that are the same for every course: present because the real records have them."""

from __future__ import annotations

from typing import Any

MODIFIED = "2026-01-15T10:20:30.123456Z"
CONTENT_MODIFIED = "2026-01-20T08:30:15.123456Z"
CUSTOMER_MODIFIED = "2026-02-03T04:05:06.000007Z"
CATALOG_MODIFIED = "2026-01-18T09:00:00.654321Z"
RESTRICTION = "custom-b2b-enterprise"
SKILLS = [{"name": "Python (Programming Language)", "description": "A programming language."}]

SYNCED_COURSE: dict[str, Any] = {
    "excluded_from_seo": False,
    "excluded_from_search": False,
    "level_type": "Introductory",
    "prerequisites": [],
    "prerequisites_raw": "",
    "expected_learning_items": [],
    "video": None,
    "sponsors": [],
    "modified": MODIFIED,
    "syllabus_raw": "",
    "outcome": "<p>You will know more.</p>",
    "original_image": None,
    "extra_description": None,
    "additional_information": "",
    "faq": "",
    "learner_testimonials": "",
    "enrollment_count": 1204,
    "recent_enrollment_count": 37,
    "topics": [],
    "partner": 1,
    "key_for_reruns": "",
    "url_slug_history": [],
    "url_redirects": [],
    "editors": [],
    "collaborators": [],
    "organization_short_code_override": "",
    "organization_logo_override_url": None,
    "geolocation": None,
    "location_restriction": None,
    "in_year_value": None,
    "data_modified_timestamp": MODIFIED,
    "watchers": [],
    "programs": [],
    "editable": False,
}

NESTED_RUN: dict[str, Any] = {
    "short_description": "",
    "go_live_date": None,
    "weeks_to_complete": 8,
    "full_description": "",
    "announcement": None,
    "video": None,
    "content_language": "en-us",
    "license": "",
    "outcome": "",
    "transcript_languages": ["en-us"],
    "instructors": [],
    "staff": [],
    "min_effort": 2,
    "max_effort": 6,
    "modified": MODIFIED,
    "level_type": "Introductory",
    "mobile_available": True,
    "hidden": False,
    "reporting_type": "mooc",
    "eligible_for_financial_aid": True,
    "has_ofac_restrictions": False,
    "ofac_comment": "",
    "enrollment_count": 1204,
    "recent_enrollment_count": 37,
    "expected_program_type": None,
    "expected_program_name": "",
    "estimated_hours": 32,
    "content_language_search_facet_name": "English",
    "enterprise_subscription_inclusion": True,
    "transcript_languages_search_facet_names": ["English"],
    "ai_languages": None,
}

RUN_RECORD: dict[str, Any] = {
    "content_type": "courserun",
    "language": "English",
    "level_type": "Introductory",
    "max_effort": 6,
    "min_effort": 2,
    "mobile_available": True,
    "partner": "edx",
    "program_types": [],
    "skill_names": [skill["name"] for skill in SKILLS],
    "skills": SKILLS,
    "staff_uuids": [],
    "transcript_languages": ["English"],
    "weeks_to_complete": 8,
    "content_last_modified": CONTENT_MODIFIED,
}

OWNER: dict[str, Any] = {
    "auto_generate_course_run_keys": True,
    "certificate_logo_image_url": None,
    "organization_hex_color": "",
    "description": "",
    "homepage_url": None,
    "tags": [],
    "banner_image_url": None,
    "enterprise_subscription_inclusion": True,
}

EXEC_ED_ENTITLEMENT: dict[str, Any] = {
    "mode": "paid-executive-education",
    "price": "2900.00",
    "currency": "USD",
    "sku": "E0E0E0E",
    "expires": None,
}

EXEC_ED_METADATA: dict[str, Any] = {
    "external_identifier": "5130ad00-0000-4000-8000-00000000ec2d",
    "external_url": "https://www.exec-ed.example.com/course",
    "lead_capture_form_url": "https://www.exec-ed.example.com/lead",
    "facts": [{"heading": "60%", "blurb": "<p>of leaders say so.</p>"}],
    "certificate_info": {"heading": "About the certificate", "blurb": "<p>It is a good one.</p>"},
    "organic_url": "https://www.exec-ed.example.com/organic",
    "course_term_override": "Course",
    "product_status": "published",
    "product_meta": None,
    "external_course_marketing_type": "short_course",
    "display_on_org_page": True,
    "taxi_form": None,
}
