"""The inputs of the matrix, a line each; `tests.faithful.covering` chose them, and a test says what they cover."""

from __future__ import annotations

from tests.faithful.recipe import Recipe

TABLE = """
container video  audio    start rate  layout orientation aspect colour    scan
mov       mjpeg  mp3      0     vfr   stereo r270        4:3    untagged  progressive
mp4       mpeg2  ac3      0.7   25    5.1    r0          1:1    pal       tff
flv       h264   none     5     29.97 mono   r0          4:3    bt2020    progressive
mp4       vp9    flac     0     17.53 5.1    m0          8:9    bt709full progressive
ts        hevc   aac      3600  25    mono   r0          8:9    bt601     progressive
mkv       av1    pcm11024 3600  17.53 stereo r0          1:1    srgb      progressive
mp4       h264b  vorbis   5     vfr   stereo m180        4:3    pq        progressive
avi       mpeg4  mp2      0     25    stereo r0          8:9    untagged  progressive
asf       wmv2   pcm      0     25    mono   r0          1:1    untagged  progressive
webm      vp9    opus     0     29.97 mono   r0          1:1    srgb      progressive
mov       h264   ac3      5     17.53 5.1    m90         1:1    hlg       progressive
mp4       h264   dts      3600  vfr   stereo m270        8:9    untagged  progressive
mov       prores aac      0     25    stereo r180        1:1    pal       progressive
mp4       av1    eac3     0.7   29.97 mono   r0          1:1    bt709     progressive
mp4       hevc   aac      0.7   vfr   5.1    r90         1:1    bt601     progressive
mkv       ffv1   mp3      0.7   25    mono   r0          1:1    untagged  progressive
mov       hevc   none     3600  29.97 mono   m270        1:1    srgb      progressive
flv       flv1   mp3      5     25    mono   r0          1:1    untagged  progressive
webm      vp8    opus     5     25    5.1    r0          1:1    untagged  progressive
ts        mpeg2  opus     0.7   29.97 stereo r0          1:1    untagged  progressive
mkv       h264b  dts      0     29.97 mono   r0          4:3    untagged  progressive
ts        h264   ac3      0     25    mono   r0          1:1    pal       tff
asf       wmv2   wma      3600  17.53 mono   r0          1:1    untagged  progressive
ts        h264b  eac3     3600  17.53 stereo r0          8:9    bt709full progressive
mov       h264   pcm11024 0.7   25    mono   r90         4:3    bt709full tff
webm      av1    vorbis   0.7   17.53 stereo r0          1:1    untagged  progressive
mkv       h264   flac     5     vfr   mono   r0          8:9    pq        progressive
asf       mpeg4  none     0.7   29.97 mono   r0          1:1    untagged  progressive
mov       h264b  pcm      5     25    5.1    r180        4:3    pal       progressive
webm      av1    none     0     vfr   mono   r0          1:1    hlg       progressive
avi       mjpeg  ac3      0     29.97 stereo r0          1:1    untagged  progressive
mov       hevc   pcm      0.7   17.53 stereo r270        8:9    untagged  progressive
mp4       av1    mp2      3600  25    mono   r270        1:1    hlg       progressive
ts        h264   mp2      5     vfr   mono   r0          1:1    bt601     progressive
mp4       mpeg4  eac3     5     17.53 5.1    r180        1:1    untagged  progressive
mkv       mpeg2  eac3     0     25    stereo r0          1:1    bt2020    tff
flv       h264b  aac      3600  17.53 stereo r0          1:1    bt709full progressive
mp4       vp9    vorbis   0     25    stereo m0          1:1    bt601     progressive
mp4       av1    flac     0.7   29.97 stereo m180        8:9    hlg       progressive
mkv       vp8    mp2      0.7   vfr   mono   r0          1:1    untagged  progressive
mov       prores pcm11024 5     17.53 stereo m0          4:3    untagged  progressive
avi       h264   pcm11024 0     17.53 stereo r0          1:1    untagged  progressive
mp4       vp9    pcm      0     vfr   mono   m90         8:9    bt2020    progressive
webm      vp9    opus     3600  17.53 stereo r0          1:1    bt709     progressive
mp4       hevc   mp3      5     17.53 stereo m270        4:3    pq        progressive
mkv       hevc   aac      5     25    mono   r0          1:1    untagged  progressive
mov       prores pcm      3600  29.97 mono   m180        1:1    untagged  progressive
mp4       vp9    opus     0     29.97 stereo m90         4:3    srgb      progressive
asf       wmv2   mp3      3600  29.97 mono   r0          1:1    untagged  progressive
flv       h264   none     0     25    mono   r0          1:1    srgb      tff
asf       mpeg4  wma      0.7   29.97 stereo r0          4:3    untagged  progressive
mkv       hevc   ac3      3600  vfr   mono   r0          1:1    bt709     progressive
mkv       mjpeg  vorbis   5     17.53 stereo r0          1:1    untagged  progressive
mp4       h264b  dts      5     vfr   stereo r90         8:9    bt2020    progressive
ts        h264b  dts      0.7   25    stereo r0          4:3    untagged  progressive
asf       mpeg4  ac3      5     17.53 stereo r0          4:3    untagged  progressive
mkv       mpeg4  opus     3600  25    5.1    r0          1:1    untagged  progressive
mp4       av1    none     0.7   29.97 mono   r180        8:9    pq        progressive
mp4       h264   flac     3600  25    stereo m90         1:1    bt709full tff
mkv       vp9    none     0     25    mono   r0          1:1    bt601     progressive
"""


def recipes() -> list[Recipe]:
    """As the table says."""
    names, *rows = (line.split() for line in TABLE.strip().splitlines())
    return [Recipe(**dict(zip(names, row, strict=True))) for row in rows]
