#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build the Debian packages from the commit that is checked out, into build-deb/.
set -eu
cd "$(dirname "$0")/.."
echo "build-deb: builds ipledger's Debian packages into build-deb/ (a minute); needs devscripts' debhelper" >&2
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
rm -rf build-deb
mkdir -p "build-deb/ipledger-$version"
git archive HEAD | tar -x -C "build-deb/ipledger-$version"
cd "build-deb/ipledger-$version"
cp -r packaging/debian debian
cp packaging/ipledger.sysusers debian/ipledger.sysusers
dpkg-buildpackage --build=binary --no-sign
cd ..
ls -l ./*.deb
