"""Finding learners: what is asked, and what is answered."""

from rest_framework import serializers

from enterprise_access.lib.api import StrictSerializer, TextField, UuidTextField


class FindLearnersSerializer(StrictSerializer):
    """Who is looked for, and at which customer."""

    learner = TextField(max_length=254, help_text="An LMS user id, a username or an email address.")
    enterprise_customer_uuid = UuidTextField(
        required=False, help_text="Finds learners of this customer alone. Admins have to name one of theirs."
    )


class FoundLearnerSerializer(serializers.Serializer):
    """A learner of one customer."""

    lms_user_id = serializers.IntegerField()
    username = serializers.CharField()
    enterprise_customer_uuid = serializers.UUIDField(source="customer_uuid")
    enterprise_customer_name = serializers.CharField(
        source="customer_name", help_text="Empty where the customer has not been added here."
    )


class FoundLearnersSerializer(serializers.Serializer):
    """Who was found: one row for each customer that a learner is linked to, by rising LMS user id; 100 at most."""

    learners = FoundLearnerSerializer(many=True)
    is_from_copies = serializers.BooleanField(
        help_text="Whether the LMS did not answer, so that the learner may have been linked or unlinked since."
    )
    is_incomplete = serializers.BooleanField(
        help_text="Whether a row of the LMS's answer could not be read, so that a learner who is missing is unknown."
    )
