"""The rules of budgets. Pure: no Django, no network, no clock."""
