"""What a DESCRIBE tells: the first video track, its codec, and the addresses to SETUP and PLAY."""

from __future__ import annotations

from dataclasses import dataclass

_STATIC_PAYLOADS = {"26": "JPEG", "32": "MPV"}
"""RFC 3551; dynamic ones are named by rtpmap."""


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The first video track of a session."""

    codec: str
    """`H264`, `H265`, `JPEG` … in capitals; empty where the SDP names none."""
    setup_url: str
    play_url: str
    """The aggregate address of the whole session."""


def first_video(sdp: str, base: str) -> VideoTrack | None:
    """The first `m=video` of an SDP; None without one. `base` is Content-Base, else the asked address."""
    session_control: str | None = None
    control: str | None = None
    codec = ""
    in_video = seen_media = False
    for line in (raw.strip() for raw in sdp.splitlines()):
        if line.startswith("m="):
            if in_video:
                break
            seen_media = True
            words = line[2:].split()
            in_video = words[:1] == ["video"]
            if in_video and len(words) > 3:
                codec = _STATIC_PAYLOADS.get(words[3], "")
        elif line.startswith("a=control:"):
            value = line.removeprefix("a=control:").strip()
            if in_video:
                control = value
            elif not seen_media:
                session_control = value
        elif in_video and line.startswith("a=rtpmap:"):
            codec = line.partition(" ")[2].split("/")[0].strip().upper()
    if not in_video:
        return None
    play_url = joined(base, session_control)
    return VideoTrack(codec, joined(play_url, control), play_url)


def joined(base: str, control: str | None) -> str:
    """A control address against its base.

    RFC 2326 would drop the base's last part where it has no closing slash; cameras, and the players they
    are tested with, append.
    """
    if control is None or control in ("", "*"):
        return base
    if control.lower().startswith(("rtsp://", "rtsps://")):
        return control
    return f"{base.rstrip('/')}/{control.lstrip('/')}"
