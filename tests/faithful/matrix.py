"""The inputs of the matrix, a line each; `tests.faithful.covering` chose them, and a test says what they cover."""

from __future__ import annotations

from tests.faithful.inputs import Recipe

TABLE = """
container video  audio    start rate  layout orientation aspect colour    scan
mov       mjpeg  mp3      0     vfr   stereo r270        4:3    untagged  progressive
mkv       mpeg2  flac     0.7   25    5.1    r0          1:1    untagged  tff
ts        h264   opus     3600  29.97 mono   r0          4:3    bt2020    progressive
mp4       hevc   mp2      0     25    stereo r90         8:9    bt709full progressive
webm      av1    vorbis   5     17.53 stereo r0          1:1    untagged  progressive
mov       h264b  ac3      0.7   25    5.1    m270        8:9    hlg       progressive
mov       prores pcm      3600  25    5.1    m0          4:3    bt601     progressive
flv       h264b  none     0     17.53 mono   r0          4:3    pal       progressive
mov       h264b  pcm11024 0     29.97 mono   r180        4:3    srgb      progressive
mp4       h264b  dts      5     29.97 mono   m180        1:1    srgb      progressive
mp4       vp9    pcm      0.7   17.53 mono   r180        1:1    bt709     progressive
asf       mpeg4  ac3      0     29.97 stereo r0          1:1    untagged  progressive
flv       h264   mp3      5     25    mono   r0          8:9    bt709full tff
mp4       av1    aac      0.7   vfr   stereo m270        1:1    bt2020    progressive
mkv       ffv1   pcm      0     17.53 stereo r0          8:9    untagged  progressive
mkv       h264   aac      5     vfr   mono   r0          4:3    pq        progressive
avi       mpeg4  ac3      0     25    mono   r0          1:1    untagged  progressive
ts        mpeg2  eac3     0     25    5.1    r0          1:1    srgb      progressive
mkv       vp9    dts      3600  25    stereo r0          1:1    bt709full progressive
mov       h264   aac      0     25    5.1    m90         8:9    bt709     tff
webm      vp8    vorbis   0.7   29.97 stereo r0          1:1    untagged  progressive
ts        hevc   mp2      0.7   vfr   stereo r0          4:3    bt709     progressive
mp4       h264   mp2      3600  17.53 stereo r180        8:9    pal       progressive
asf       wmv2   wma      0     17.53 stereo r0          1:1    untagged  progressive
mov       hevc   none     5     29.97 mono   r0          1:1    pq        progressive
webm      av1    opus     0     25    stereo r0          1:1    srgb      progressive
ts        h264b  mp3      0.7   17.53 stereo r0          8:9    bt601     progressive
mp4       mpeg2  flac     0.7   25    stereo r270        8:9    untagged  tff
flv       flv1   aac      5     17.53 mono   r0          1:1    untagged  progressive
mov       hevc   pcm11024 0.7   17.53 stereo r270        1:1    untagged  progressive
webm      vp9    none     0     vfr   mono   r0          1:1    bt2020    progressive
mkv       av1    vorbis   5     29.97 stereo r0          1:1    bt601     progressive
mp4       av1    eac3     3600  29.97 stereo m180        4:3    pal       progressive
asf       mpeg4  pcm      5     17.53 mono   r0          8:9    untagged  progressive
mp4       h264b  mp3      3600  vfr   mono   r90         1:1    bt601     progressive
mp4       vp9    vorbis   0     17.53 stereo r90         4:3    untagged  progressive
ts        mpeg2  mp2      5     29.97 mono   r0          1:1    untagged  progressive
mp4       hevc   none     3600  29.97 mono   m0          1:1    untagged  progressive
avi       h264   mp3      0     29.97 stereo r0          1:1    bt709     progressive
flv       h264b  none     0.7   29.97 mono   r0          4:3    bt2020    progressive
asf       wmv2   wma      3600  17.53 mono   r0          1:1    untagged  progressive
mkv       h264b  eac3     5     29.97 5.1    r0          8:9    hlg       progressive
mp4       av1    ac3      5     25    mono   m90         1:1    pq        progressive
mp4       hevc   opus     5     29.97 5.1    m90         4:3    hlg       progressive
ts        h264   aac      3600  25    mono   r0          1:1    bt601     tff
mp4       vp9    eac3     5     17.53 mono   m270        4:3    bt2020    progressive
asf       wmv2   mp3      0.7   25    stereo r0          1:1    untagged  progressive
ts        h264b  ac3      3600  17.53 5.1    r0          8:9    untagged  progressive
mkv       mpeg4  mp2      0     25    mono   r0          1:1    untagged  progressive
webm      av1    vorbis   3600  25    stereo r0          1:1    bt709full progressive
mkv       mjpeg  ac3      0     29.97 5.1    r0          1:1    untagged  progressive
mov       mjpeg  pcm      0     17.53 5.1    m180        8:9    untagged  progressive
mp4       h264   flac     5     29.97 mono   r270        1:1    srgb      progressive
ts        h264   dts      0.7   25    mono   r0          8:9    untagged  progressive
mkv       vp8    pcm11024 3600  25    mono   r0          1:1    untagged  progressive
mov       prores none     0     29.97 mono   r270        1:1    bt709     progressive
mkv       vp9    aac      3600  29.97 stereo r0          4:3    srgb      progressive
mkv       ffv1   mp3      0.7   25    mono   r0          1:1    untagged  progressive
mp4       h264b  flac     0     25    5.1    m0          8:9    hlg       progressive
mp4       mpeg4  flac     3600  29.97 stereo r0          1:1    untagged  progressive
"""


def recipes() -> list[Recipe]:
    """As the table says."""
    names, *rows = (line.split() for line in TABLE.strip().splitlines())
    return [Recipe(**dict(zip(names, row, strict=True))) for row in rows]
