"""A real RTSP server: Debian's gst-rtsp-server, run by the system's Python (it holds the bindings).

    /usr/bin/python3 rtsp_server_main.py [--auth basic|digest]

Prints its port on loopback, and `playing` whenever /every-second begins; serves until it is ended.
User `watch`, password `dem-trang`.
"""

import argparse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions come first

USER, PASSWORD = "watch", "dem-trang"
SIZE = "video/x-raw,width=320,height=240,framerate={rate}/1"
H264 = "openh264enc gop-size=10 ! h264parse ! rtph264pay name=pay0 pt=96"
H265 = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! h265parse ! rtph265pay name=pay0 pt=96"
MOUNTS = {
    "/live-h264": f"videotestsrc is-live=true pattern=ball ! {SIZE.format(rate=15)} ! {H264}",
    "/live-h265": f"videotestsrc is-live=true pattern=ball ! {SIZE.format(rate=15)} ! {H265}",
    "/black": f"videotestsrc is-live=true pattern=black ! {SIZE.format(rate=15)} ! {H264}",
    "/noise": f"videotestsrc is-live=true pattern=snow ! {SIZE.format(rate=15)} ! {H264}",
    "/frozen": (
        f"videotestsrc num-buffers=1 pattern=smpte ! {SIZE.format(rate=15)} ! imagefreeze is-live=true ! "
        f"{SIZE.format(rate=15)} ! {H264}"
    ),
    "/every-second": f"videotestsrc is-live=true pattern=ball ! {SIZE.format(rate=1)} ! {H264}",
    "/silent": f"videotestsrc is-live=true pattern=ball ! {SIZE.format(rate=1)} ! {H264}",
    "/sound-only": "audiotestsrc is-live=true ! audio/x-raw,rate=8000 ! alawenc ! rtppcmapay name=pay0 pt=8",
}


def fall_silent(_: object, media: GstRtspServer.RTSPMedia) -> None:
    """Send nothing once it plays: the server describes a stream and answers PLAY only while there is one."""
    pad = media.get_element().get_by_name("pay0").get_static_pad("sink")

    def drop(*_: object) -> Gst.PadProbeReturn:
        return Gst.PadProbeReturn.DROP

    def on_state(_: object, state: int) -> None:
        if state == int(Gst.State.PLAYING):
            pad.add_probe(Gst.PadProbeType.BUFFER, drop)

    media.connect("new-state", on_state)


def say_when_playing(_: object, media: GstRtspServer.RTSPMedia) -> None:
    def on_state(_: object, state: int) -> None:
        if state == int(Gst.State.PLAYING):
            print("playing", flush=True)

    media.connect("new-state", on_state)


def guard(server: GstRtspServer.RTSPServer, method: str) -> None:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "watcher")
    if method == "basic":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(USER, PASSWORD), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(USER, PASSWORD, token)
    server.set_auth(auth)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--auth", choices=["basic", "digest"])
    method = parser.parse_args().auth
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if method:
        guard(server, method)
    for path, launch in MOUNTS.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {launch} )")
        if method:
            permissions = GstRtspServer.RTSPPermissions()
            for right in ("media.factory.access", "media.factory.construct"):
                permissions.add_permission_for_role("watcher", right, True)
            factory.set_permissions(permissions)
        if path == "/silent":
            factory.connect("media-configure", fall_silent)
        if path == "/every-second":
            factory.connect("media-configure", say_when_playing)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
