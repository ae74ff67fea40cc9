#!/bin/sh
# Installs the peers under $PERF_PEERS (default .peers): pip, npm and cargo packages, and, as root on Debian, packages
# of the system. No service of theirs is started.
set -e
cd "$(dirname "$0")"
P=${PERF_PEERS:-.peers}
mkdir -p "$P"
if [ "$(id -u)" = 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ruby-foreman runit s6 libyaml-dev gcc make
fi
python3 -m venv "$P/pyv"
"$P/pyv/bin/pip" install supervisor==4.3.0 honcho==2.0.0 circus==0.19.0
mkdir -p "$P/npm" && (cd "$P/npm" && npm init -y >/dev/null && npm i pm2@7.0.4)
for c in horust@0.1.14 mprocs@0.9.6; do cargo install --root "$P/cargo" "$c"; done
make all build/yamlscan
