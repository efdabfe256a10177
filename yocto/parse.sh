#!/bin/sh
# Lets a real bitbake parse this layer with real OE-core, and resolve all that image and bundle need:
#
#     yocto/parse.sh LAYERS [MACHINE] [BUILD-FOLDER]      ALONE=1: only what this layer has or changes
#
# LAYERS holds bitbake, openembedded-core, meta-openembedded and meta-rauc, as `kas checkout` makes it; with meta-tegra
# and meta-tegra-community in it, machines of Jetsons can be parsed too. Nothing is fetched and nothing is built.
set -eu
layers=${1:-}
machine=${2:-qemuarm64}
here=$(cd "$(dirname "$0")" && pwd)
for need in bitbake openembedded-core meta-openembedded meta-rauc; do
    if [ -z "$layers" ] || [ ! -d "$layers/$need" ]; then
        echo "skipped: bitbake parses nothing without ${layers:-LAYERS}/$need"
        exit 0
    fi
done
layers=$(cd "$layers" && pwd)
build=${3:-$(mktemp -d)}
mkdir -p "$build/conf"

cat >"$build/conf/bblayers.conf" <<CONF
LCONF_VERSION = "7"
BBPATH = "\${TOPDIR}"
BBFILES ?= ""
BBLAYERS = "$layers/openembedded-core/meta \
    $layers/meta-openembedded/meta-oe $layers/meta-openembedded/meta-python \
    $layers/meta-openembedded/meta-networking $layers/meta-rauc $here/meta-linly-edge"
CONF
for extra in meta-tegra meta-tegra-community; do
    [ ! -d "$layers/$extra" ] || echo "BBLAYERS += \"$layers/$extra\"" >>"$build/conf/bblayers.conf"
done
cat >"$build/conf/local.conf" <<CONF
MACHINE = "$machine"
DISTRO = "linly-kiosk"
BB_NO_NETWORK = "1"
BB_NUMBER_PARSE_THREADS = "${PARSE_THREADS:-2}"
CONF
case $machine in
    qemu*)
        # Thousands of recipes, of which this image needs these.
        cat >>"$build/conf/local.conf" <<CONF
BBMASK = "/meta-openembedded/(?!meta-oe/recipes-graphics/ttf-fonts/|meta-oe/recipes-support/pps-tools/|meta-networking/recipes-support/chrony/)"
CONF
        ;;
esac
# Whoever is root may parse; only building as root is dangerous.
[ "$(id -u)" != 0 ] || : >"$build/conf/sanity.conf"

export LC_ALL=en_US.UTF-8 BUILDDIR="$build" BBPATH="$build"
export PATH="$layers/bitbake/bin:$layers/openembedded-core/scripts:$PATH"
unset TEMPLATECONF
cd "$build"

# Each by itself first: that takes seconds, and finds most of what is wrong.
own=$here/meta-linly-edge
case $machine in
    qemu*) folders="$own/recipes-*" ;;
    *) folders="$own/recipes-* $own/dynamic-layers" ;;
esac
# shellcheck disable=SC2086
set -- $(find $folders -name '*.bb' | sort)
# What is only appended to is parsed with what we append.
# shellcheck disable=SC2086
for append in $(find $folders -name '*.bbappend' | sort); do
    name=$(basename "$append" .bbappend | tr % '*').bb
    set -- "$@" "$(find -L "$layers"/meta-* "$layers/openembedded-core/meta" -name "$name" | head -n1)+$append"
done
python3 "$here/parse.py" "$@"
[ -z "${ALONE:-}" ] || exit 0

bitbake -g linly-kiosk-image linly-kiosk-bundle
echo "parsed for $machine: $(grep -c ' \[label=' task-depends.dot) tasks, $(wc -l <pn-buildlist) recipes"
