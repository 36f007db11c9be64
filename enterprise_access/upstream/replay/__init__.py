"""Recorded conversations with upstream services, held again with our clients: do we still ask and read alike?"""

from enterprise_access.upstream.replay.recording import NotARecording, Recording, find_recordings, read_recording
from enterprise_access.upstream.replay.result import Comparison, Result
from enterprise_access.upstream.replay.run import replay

__all__ = ["Comparison", "NotARecording", "Recording", "Result", "find_recordings", "read_recording", "replay"]
