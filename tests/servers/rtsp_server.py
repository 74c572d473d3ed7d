"""An RTSP server whose pictures tell their own time: run by the system's Python, which has GStreamer's bindings.

    python3 rtsp_server.py [--port N] [--size WxH] [--rate N] [--codec h264|hevc]
        [--gop PICTURES] [--sdp-only 1] [--user NAME --password WORD] [--stall-after N]
        [--sound aac|alaw|mulaw|opus|mp3] [--flash 1]

Prints "ready PORT" once it listens at rtsp://127.0.0.1:PORT/live. Each picture is one colour of a cycle below a strip
of 32 bars, white for 1, black for 0, the highest bit first: the milliseconds of the monotonic clock when it was made.
With --flash, pictures are white for 0.12 s from each full second on, as long as the sound beeps, and dark otherwise.
"""

import argparse
import math
import struct
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

BITS = 32
RATES = {"aac": 44100, "alaw": 8000, "mulaw": 8000, "opus": 48000, "mp3": 44100}
# grey, green, blue, red as Y, U, V
CYCLE = ((90, 128, 128), (118, 61, 44), (37, 218, 112), (59, 102, 218))


def picture(width: int, height: int, number: int) -> bytes:
    """I420 bytes."""
    stamp = int(time.monotonic() * 1000) % (1 << BITS)
    luma, blue, red = CYCLE[number % 4]
    bar = width // BITS
    row = b"".join(bytes([235 if stamp >> (BITS - 1 - i) & 1 else 16]) * bar for i in range(BITS))
    row += bytes([16]) * (width - len(row))
    strip = height // 4 // 2 * 2
    chroma = width // 2
    planes = row * strip + bytes([luma]) * (width * (height - strip))
    for value in (blue, red):
        planes += bytes([128]) * (chroma * strip // 2) + bytes([value]) * (chroma * (height - strip) // 2)
    return planes


def tone(first: int, count: int, rate: int) -> bytes:
    """Samples of 16 bits: 1 kHz for 0.12 s from each full second on."""
    loud = [round(20000 * math.sin(2 * math.pi * 1000 * i / rate)) if i % rate < 0.12 * rate else 0
            for i in range(first, first + count)]  # fmt: skip
    return struct.pack(f"<{count}h", *loud)


def sound(a: argparse.Namespace) -> str:
    """The pipeline of the sound; empty without."""
    if not a.sound:
        return ""
    ways = {
        "aac": "voaacenc ! aacparse ! rtpmp4gpay",
        "alaw": "alawenc ! rtppcmapay",
        "mulaw": "mulawenc ! rtppcmupay",
        "opus": "opusenc ! rtpopuspay",
        "mp3": "lamemp3enc ! mpegaudioparse ! rtpmpapay",
    }
    return (
        f" appsrc name=sound is-live=true format=time max-buffers=100 caps=audio/x-raw,format=S16LE,layout=interleaved,"
        f"rate={RATES[a.sound]},channels=1 ! audioconvert ! {ways[a.sound]} name=pay1 pt=97"
    )


def encoder(a: argparse.Namespace) -> str:
    """From the encoder to the payloader. Parameter sets in each key frame, or in the SDP alone."""
    gop = a.gop or a.rate
    often = 0 if a.sdp_only else -1
    if a.codec == "mjpeg":
        return "jpegenc ! rtpjpegpay"
    if a.codec == "hevc":
        return (
            f"x265enc tune=zerolatency speed-preset=ultrafast bitrate={a.bitrate} key-int-max={gop}"
            f" option-string=repeat-headers=0:log-level=none ! h265parse config-interval={often}"
            f" ! video/x-h265,stream-format={'hvc1' if a.sdp_only else 'byte-stream'} ! rtph265pay config-interval=0"
        )
    return (
        f"x264enc tune=zerolatency speed-preset=ultrafast bitrate={a.bitrate} key-int-max={gop}"
        f" ! h264parse config-interval={often} ! video/x-h264,stream-format={'avc' if a.sdp_only else 'byte-stream'}"
        f" ! rtph264pay config-interval=0"
    )


class Factory(GstRtspServer.RTSPMediaFactory):
    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__()
        self.arguments = arguments
        self.set_shared(True)

    def do_create_element(self, _url: object) -> Gst.Element:
        a = self.arguments
        width, height = (int(side) for side in a.size.split("x"))
        bin_ = Gst.parse_launch(
            f"( appsrc name=pictures is-live=true do-timestamp={'false' if a.flash else 'true'} format=time"
            f" max-buffers=2 leaky-type=downstream"
            f" caps=video/x-raw,format=I420,width={width},height={height},framerate={a.rate}/1"
            f" ! {encoder(a)} name=pay0 pt={26 if a.codec == 'mjpeg' else 96}{sound(a)} )"
        )
        source, beeps = bin_.get_by_name("pictures"), bin_.get_by_name("sound")
        sent = [0]
        if a.flash:
            self.flash(source, beeps)
            return bin_

        def push() -> bool:
            if a.stall_after and sent[0] >= a.stall_after:
                return False
            ended = source.emit("push-buffer", Gst.Buffer.new_wrapped(picture(width, height, sent[0])))
            sent[0] += 1
            return ended in (Gst.FlowReturn.OK, Gst.FlowReturn.FLUSHING)

        GLib.timeout_add(1000 // a.rate, push)
        return bin_

    def flash(self, pictures: Gst.Element, beeps: "Gst.Element | None") -> None:
        """Push pictures and sound as they are due, with their own times."""
        a = self.arguments
        width, height = (int(side) for side in a.size.split("x"))
        start, sent = time.monotonic(), [0, 0]

        def timed(data: bytes, at: float, length: float) -> Gst.Buffer:
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts, buffer.duration = round(at * Gst.SECOND), round(length * Gst.SECOND)
            return buffer

        def push() -> bool:
            while sent[0] / a.rate <= time.monotonic() - start:
                luma = 235 if sent[0] % a.rate < 0.12 * a.rate else 40
                data = bytes([luma]) * (width * height) + bytes([128]) * (width * height // 2)
                ended = pictures.emit("push-buffer", timed(data, sent[0] / a.rate, 1 / a.rate))
                sent[0] += 1
                rate = RATES.get(a.sound, 0)
                while beeps is not None and sent[1] / rate < sent[0] / a.rate:
                    beeps.emit("push-buffer", timed(tone(sent[1], rate // 50, rate), sent[1] / rate, 1 / 50))
                    sent[1] += rate // 50
                if ended not in (Gst.FlowReturn.OK, Gst.FlowReturn.FLUSHING):
                    return False
            return True

        GLib.timeout_add(10, push)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--size", default="320x192")
    parser.add_argument("--rate", type=int, default=25)
    parser.add_argument("--bitrate", type=int, default=2000)
    parser.add_argument("--codec", default="h264", choices=("h264", "hevc", "mjpeg"))
    parser.add_argument("--gop", type=int, default=0)
    parser.add_argument("--sdp-only", type=int, default=0)
    parser.add_argument("--sound", choices=sorted(RATES))
    parser.add_argument("--flash", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--stall-after", type=int, default=0)
    arguments = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=arguments.port)
    factory = Factory(arguments)
    if arguments.user:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", arguments.user)

        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(arguments.user, arguments.password), token)
        server.set_auth(auth)
        structure = Gst.Structure.new_empty(arguments.user)
        for permission in ("media.factory.access", "media.factory.construct"):
            structure.set_value(permission, True)
        factory.add_role_from_structure(structure)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit("the port is taken")
    print("ready", server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
