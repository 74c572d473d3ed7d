# Generated from the sources of pycuda-2026.1.tar.gz by tests/engines/nvidia/record_pycuda.py; do not edit.
