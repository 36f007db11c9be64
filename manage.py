#!/usr/bin/env python
"""Run one of the service's management commands, with local settings unless the environment says otherwise."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_access.settings.local")
    execute_from_command_line(sys.argv)
