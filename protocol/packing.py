"""Payloads packed for a link that is paid by the kilobyte: one byte of format, then deflate.

A packed payload begins with FORMAT_1, which no JSON text begins with; the rest is a raw deflate stream
(RFC 1951, window of 32 kB) with a preset dictionary of the contract's own words. A batch of 20 samples
shrinks to a tenth. Whoever decodes calls `unpack` once at the door: what is not packed passes as it is.

The dictionary is frozen: a byte changed in it makes every packed message unreadable to the other side. Better
words go into a new dictionary under a new format byte. `protocol/vectors/` holds examples for other
implementations.
"""

from __future__ import annotations

import zlib

from protocol.codec import MAX_BYTES, DecodeError

FORMAT_1 = 0x01
_FORMATS = range(0x01, 0x09)
"""First bytes that are kept for formats; no text of JSON begins with one."""

# What comes last is found at the shortest distance, so telemetry, of which there is most, stands at the end.
DICTIONARY_1 = (
    b'"detail":{"agent_version":"error":"reason":"cause":"for_s":lamp_failure lamp_unexpected_on '
    b"cycling_failure lamp_power_too_low lamp_power_too_high relay_failure power_factor_too_low "
    b"supply_voltage_too_low supply_voltage_too_high power_tapping meter_stale feeder_loss phase_open "
    b"supply_loss cabinet_door_open high_temperature device_reset board_silent camera_offline "
    b"camera_stream_lost camera_frozen camera_dark camera_covered camera_defocused camera_moved "
    b"camera_clock_drift recording_gap camera_power_cycled clock_corrected link_stalled modem_reset "
    b"node_reboot maintenance_mode outbox_overflow lamp_output_lost lamp_output_back "
    b'"command":"status":"accepted","applied","rejected","expired","superseded","level":"power_w":'
    b'"session":"status":"online","lost","stopped","connected_at":"heartbeat_s":600,"epoch":"queued":'
    b'"agent_version":"0.1.0","config_version":1,"poles":["'
    b'"cabinet":{"temperature_c":"door_open":false,"supply_present":true,"phases":[{"lamps_w":'
    b'"unknown_poles":"battery":{"battery_v":"charge_share":"panel_w":"load_w":'
    b'"counters":{"burning_s":"switches":"energy_wh":"supply_losses":'
    b'"faults":["time_corrected":true,"commanded_level":0.5,"override_until":"2026-'
    b'"reason":"override"maintenance"motion"fail_lit"output_fault"sun","stream":"no_media'
    b'unauthorised not_found refused no_answer","picture":"frozen dark covered defocused moved unreadable'
    b'"reachable":false,"dark":false,"clock":"unsynced","events":[{"seq":"kind":"active":true,'
    b'{"v":1,"node":"epoch":"sent_at":"2026-11-21T12:00:00.000000Z","samples":[{"seq":1,"pole":"TG-0'
    b'","time":"2026-11-21T12:00:00.000000Z","clock":"synced","historical":true,"lamp":{"effect_level":0.0,'
    b'"reason":"photocell","due":false},"meter":{"power_w":0.4,"voltage_v":220.0,"current_a":0.001,'
    b'"power_factor":0.95,"energy_wh":1000.0,"frequency_hz":50.0},"dark":true,"cameras":[{"camera":"CAM-0'
    b'","reachable":true,"latency_ms":10.0,"stream":"live","picture":"ok","clock_offset_s":0.1,'
    b'"recording_age_s":10.0,"powered":true}],"boot":"00000000-0000-4000-8000-000000000000","mono_s":10000.0'
    b'},{"seq":2,"pole":"TG-0'
)


def pack(payload: bytes) -> bytes:
    """The payload packed in format 1, or as it is where packing would not make it smaller."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY_1)
    packed = bytes([FORMAT_1]) + packer.compress(payload) + packer.flush()
    return packed if len(packed) < len(payload) else payload


def unpack(payload: bytes) -> bytes:
    """The JSON text of a payload, packed or not; never more than MAX_BYTES are unpacked.

    Raises DecodeError: `bad_packing` for an unknown format or a damaged stream, `too_large`.
    """
    if not payload or payload[0] not in _FORMATS:
        return payload
    if payload[0] != FORMAT_1:
        raise DecodeError("bad_packing", f"the first byte is {payload[0]:#04x}: no format that is known")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, DICTIONARY_1)
    try:
        text = unpacker.decompress(payload[1:], MAX_BYTES + 1)
    except zlib.error as error:
        raise DecodeError("bad_packing", str(error)) from None
    if len(text) > MAX_BYTES:
        raise DecodeError("too_large", f"unpacks to more than the {MAX_BYTES} bytes that are taken")
    if not unpacker.eof:
        raise DecodeError("bad_packing", "the packed text breaks off")
    if unpacker.unused_data:
        raise DecodeError("bad_packing", f"{len(unpacker.unused_data)} bytes stand behind the packed text")
    return text
