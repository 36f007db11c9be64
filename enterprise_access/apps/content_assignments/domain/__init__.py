"""The rules of assignments. Pure: no Django, no network, no clock."""
