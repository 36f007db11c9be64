"""What the tests of imports share."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.moving_in.tests import peer

Import = Callable[..., str]


@pytest.fixture
def take_over(tmp_path: Path) -> Import:
    """Return a function that imports rows, and returns what the command printed, the error included."""

    def import_rows(rows: list[dict[str, Any]], *, write: Callable[..., str] = peer.dumped, commit: bool = True) -> str:
        out = StringIO()
        try:
            call_command("import_enterprise_access", write(rows, tmp_path), commit=commit, stdout=out)
        except CommandError as error:
            out.write(f"error: {error}")
        return out.getvalue()

    return import_rows
