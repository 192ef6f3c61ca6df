"""The contract as an AsyncAPI 3.1 document, made from the message classes themselves.

`python -m protocol.asyncapi` prints it; `docs/asyncapi.json` is that output, and a test holds the two
equal, so the document cannot drift from the code that decodes.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from protocol.codec import MAX_BYTES, message_type
from protocol.examples import golden
from protocol.topics import FROM_NODE, ROOT, SCHEMA_VERSION, Kind

SUMMARIES = {
    Kind.STATE: "Birth, heartbeat and last will of a node",
    Kind.TELEMETRY: "Samples of the poles a node serves",
    Kind.EVENT: "What can't wait: supply lost, door open, lamp failed",
    Kind.RECEIPT: "What became of a lamp command, with the measured effect",
    Kind.STORED: "The hub's word that samples are committed; only then the node forgets them",
    Kind.COMMAND: "One lamp command with an expiry",
    Kind.CONFIG: "The configuration the hub wants in force",
}

RETAINED = (Kind.STATE, Kind.CONFIG)

DESCRIPTION = (
    "Nodes on poles and the hub speak JSON over MQTT 5, QoS 1. A node writes and reads only under its own "
    "name: the broker takes name and client id from the node's certificate. A PUBACK is not storage; a "
    "node deletes only what a `stored` message names. Everything is idempotent by (node, epoch, seq). Unknown "
    "fields are ignored; a wrong type, a value outside its limits, a wrong unit or an implausible time is "
    f"refused and kept aside. A payload holds at most {MAX_BYTES} bytes."
)


def document() -> dict[str, Any]:
    """The whole AsyncAPI document as plain JSON values."""
    types = {kind: message_type(kind) for kind in Kind}
    _, components = msgspec.json.schema_components(
        types.values(), ref_template="#/components/schemas/{name}"
    )
    examples = golden()
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Ngọn Đèn wire contract",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "127.0.0.1:8883",
                "protocol": "mqtts",
                "protocolVersion": "5.0",
                "description": "TLS with client certificates; no anonymous listener, no passwords.",
                "security": [{"$ref": "#/components/securitySchemes/clientCertificate"}],
            }
        },
        "channels": {kind.value: _channel(kind) for kind in Kind},
        "operations": {_operation_name(kind): _operation(kind) for kind in Kind},
        "components": {
            "securitySchemes": {
                "clientCertificate": {
                    "type": "X509",
                    "description": "Issued by `ngonden provision node`; its common name is the node.",
                }
            },
            "messages": {
                types[kind].__name__: {
                    "name": types[kind].__name__,
                    "title": SUMMARIES[kind],
                    "contentType": "application/json",
                    "payload": {"$ref": f"#/components/schemas/{types[kind].__name__}"},
                    "examples": [
                        {"name": name, "payload": payload}
                        for name, (of_kind, payload) in examples.items()
                        if of_kind is kind
                    ],
                }
                for kind in Kind
            },
            "schemas": components,
        },
    }


def _operation_name(kind: Kind) -> str:
    return f"{'receive' if kind in FROM_NODE else 'send'}_{kind.value}"


def _operation(kind: Kind) -> dict[str, Any]:
    return {
        # Seen from the hub: it receives what nodes say and sends what they read.
        "action": "receive" if kind in FROM_NODE else "send",
        "channel": {"$ref": f"#/channels/{kind.value}"},
        "summary": SUMMARIES[kind],
        "bindings": {"mqtt": {"qos": 1, "retain": kind in RETAINED, "bindingVersion": "0.2.0"}},
    }


def _channel(kind: Kind) -> dict[str, Any]:
    name = message_type(kind).__name__
    return {
        "address": f"{ROOT}/{{commune}}/{{node}}/{kind.value}",
        "title": SUMMARIES[kind],
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {
            "commune": {"description": "Lower-case name of the commune, such as tram-than."},
            "node": {"description": "Lower-case name of the node, the common name of its certificate."},
        },
    }


def text() -> str:
    """The document as it stands in docs/asyncapi.json."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
