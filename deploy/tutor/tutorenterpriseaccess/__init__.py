"""The Tutor plugin of enterprise-access."""
