#!/bin/sh
# Takes out of a virtual environment what the emulator never uses, and compiles the rest.
#   usage: trim.sh VENV
set -eu
cd "$1"/lib/python3.*/site-packages

# Languages: what is drawn is Chinese, and English is what Faker falls back on.
find faker/providers -mindepth 2 -maxdepth 2 -type d -name '??_*' ! -name zh_CN ! -name en_US -exec rm -rf {} +

# Pillow reads the headers of JPEG, PNG and BMP; its drivers of other formats, fonts and colours bring libraries along.
rm -f PIL/_avif.* PIL/_webp.* PIL/_imagingft.* PIL/_imagingcms.* PIL/_imagingtk.*
rm -f pillow.libs/libavif-* pillow.libs/libwebp* pillow.libs/libharfbuzz-* pillow.libs/libfreetype-* \
      pillow.libs/liblcms2-* pillow.libs/libpng16-* pillow.libs/libbrotli* pillow.libs/libsharpyuv-*

# Sources and headers of compiled parts, types, tests, and names for debuggers.
find . -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.c' -o -name '*.h' \) -delete
find . -type d -name tests -prune -exec rm -rf {} +
find . -type f \( -name '*.so' -o -name '*.so.*' \) -exec strip --strip-unneeded {} +

# Nothing writes beside the code later on, so it is compiled now, and need never be compared with its source.
"$1"/bin/python -m compileall -q --invalidation-mode unchecked-hash .

# What was taken out is really not used.
"$1"/bin/emulator check
"$1"/bin/python - <<'PY'
import ssl

import trustme
from faker import Faker
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin  # noqa: F401

Image.core.zip_decoder
assert Faker("zh_CN").name() and Faker("zh_CN").city() and Faker("zh_CN").company()
trustme.CA().issue_cert("localhost").configure_cert(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
PY
