"""What the tables of openedx/enterprise-access mean here."""
