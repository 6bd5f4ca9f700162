#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file looks as .clang-format says: format.sh CLANG_FORMAT
cd "$(dirname "$0")/.." || exit 1
exec "$1" --dry-run -Werror ./*/*.c ./*/*.h
