"""What apps above are told about learners (docs/decisions/0038)."""

from django.dispatch import Signal

# Learners of one active customer were seen: `customer_uuid`, `lms_user_ids` (a list), `seen_by` (domain.SeenBy), `at`
# (aware UTC). Connected in an app's `ready`, to a service that uses the database only.
#
# A login is sent until every receiver returned: its record is settled afterwards. So a receiver must be safe to repeat.
# A page sends when it has read the learner's customers from the LMS, in the transaction that keeps the copies.
learner_seen = Signal()
