"""Celery's messages as files, for `make run`: kombu's transport, with messages that appear whole.

kombu creates the file of a message, and then writes into it. A worker that finds the file in between reads an empty
message, and ends with an error.
"""

import os
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """A channel that renames a message to its name when all of it is written."""

    def _put(self, queue: str, payload: Any, **_options: Any) -> None:  # type: ignore[override]
        # Readers take the files in the order of their names, and find the queue after the first dot.
        name = f"{round(time.monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        whole = Path(self.data_folder_out) / name
        partial = whole.with_name(f"{name}.partial")
        partial.write_text(dumps(payload))  # type: ignore[no-untyped-call]
        os.replace(partial, whole)


class WholeFilesTransport(filesystem.Transport):
    """The transport `filesystem`, with that channel."""

    Channel = Channel
