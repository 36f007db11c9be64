"""The broker of `make run`: no worker ever finds half a message."""

from pathlib import Path
from queue import Empty

import pytest
from attrs import frozen
from kombu import Connection

# As the settings name it.
TRANSPORT = "enterprise_access.lib.message_files:WholeFilesTransport"


@frozen
class Spy:
    """Part of a message: notes what a worker would find while the message is being written."""

    folder: Path
    found: list[list[str]]

    def __json__(self) -> str:
        self.found.append([path.name for path in self.folder.iterdir() if path.name.endswith(".msg")])
        return "written"


def test_a_message_is_found_when_all_of_it_is_written(tmp_path: Path) -> None:
    found: list[list[str]] = []
    folders = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "c")}
    with Connection("filesystem://", transport=TRANSPORT, transport_options=folders) as connection:
        channel = connection.channel()
        channel._put("interactive", {"body": Spy(folder=tmp_path, found=found)})
        channel._put("background", {"body": "second"})
        assert found == [[]]
        assert channel._get("interactive") == {"body": "written"}
        assert channel._get("background") == {"body": "second"}
        with pytest.raises(Empty):
            channel._get("interactive")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
