#!/bin/sh
# Removes from the environment what no process of ours reads: the packages' own tests, C sources and type stubs.
exec find /opt/venv -depth \( -type d -name tests -o -type f \
  \( -name '*.c' -o -name '*.h' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' \) \) -exec rm -r {} +
