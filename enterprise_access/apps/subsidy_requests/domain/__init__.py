"""The rules of subsidy requests. Pure: no Django, no network, no clock."""
