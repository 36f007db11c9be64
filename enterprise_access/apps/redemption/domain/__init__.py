"""The rules of redeeming learner credit. Pure: no Django, no network, no clock."""
