"""The rules of default enrollments. Pure: no Django, no network, no clock."""
