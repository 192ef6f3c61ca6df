"""The wire contract between a node on a pole and the hub.

Everything that crosses MQTT is defined here and nowhere else: topics, messages, their limits, and the
codec that refuses what does not fit. This room imports nothing else of the project.
"""

from protocol.codec import (
    DecodeError,
    Envelope,
    decode,
    decode_envelope,
    decode_sample,
    encode,
    message_type,
    seq_of,
)
from protocol.messages import (
    CameraReading,
    Command,
    Config,
    Event,
    EventMessage,
    LampReading,
    Message,
    MeterReading,
    NodeState,
    PoleConfig,
    Range,
    Receipt,
    Sample,
    SetAside,
    Stored,
    Telemetry,
)
from protocol.plausibility import EARLIEST, FUTURE_TOLERANCE, TimeVerdict, judge_time
from protocol.topics import FROM_NODE, SCHEMA_VERSION, TO_NODE, Kind, Topic, TopicError, parse_topic, topic

__all__ = [
    "EARLIEST",
    "FROM_NODE",
    "FUTURE_TOLERANCE",
    "SCHEMA_VERSION",
    "TO_NODE",
    "CameraReading",
    "Command",
    "Config",
    "DecodeError",
    "Envelope",
    "Event",
    "EventMessage",
    "Kind",
    "LampReading",
    "Message",
    "MeterReading",
    "NodeState",
    "PoleConfig",
    "Range",
    "Receipt",
    "Sample",
    "SetAside",
    "Stored",
    "Telemetry",
    "TimeVerdict",
    "Topic",
    "TopicError",
    "decode",
    "decode_envelope",
    "decode_sample",
    "encode",
    "judge_time",
    "message_type",
    "parse_topic",
    "seq_of",
    "topic",
]
