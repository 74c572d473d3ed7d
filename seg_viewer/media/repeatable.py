"""What makes an encoder give the same bits for the same pictures, in every run."""

from __future__ import annotations

import platform

import cv2

_AVX_512F = 13  # OpenCV's CV_CPU_AVX_512F; Python has no name for it


def x264_options() -> dict[str, str]:
    """Options of libx264 that another encoder must not get.

    With AVX-512, x264's mb-tree takes memory into account that nobody wrote, at most widths that are no multiple of 128
    pixels: measured with the build in PyAV 18.1, twelve runs over the same 25 pictures of 960×540 gave nine results;
    with AVX2 one, for the same time within 3 %. A processor that has AVX-512 has AVX2.
    """
    if platform.machine().lower() not in ("x86_64", "amd64") or not cv2.checkHardwareSupport(_AVX_512F):
        return {}
    return {"x264-params": "asm=avx2,fma3,bmi1,bmi2,lzcnt"}
