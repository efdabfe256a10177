#!/bin/sh
# The real rauc reads our configurations, and trusts a bundle that our key has signed and no other: what the updater
# believes of it. Nothing is installed.
set -eu
if ! command -v rauc >/dev/null || ! command -v mksquashfs >/dev/null; then
    echo "skipped: yocto/tests/rauc.sh, because rauc or mksquashfs is missing: apt-get install rauc squashfs-tools"
    exit 0
fi
layer=$(cd "$(dirname "$0")/.." && pwd)/meta-linly-edge
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT
bad=0
fails() { echo "rauc: $*" >&2; bad=1; }

for who in ours another; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$who" -keyout "$w/$who.key" -out "$w/$who.pem" 2>/dev/null
done
bundle() { # bundle NAME KEY FORMAT
    mkdir "$w/$1"
    head -c 200000 /dev/urandom >"$w/$1/rootfs.ext4"
    printf '[update]\ncompatible=linly-kiosk-x\nversion=0.2.0\n[bundle]\nformat=%s\n[image.rootfs]\nfilename=rootfs.ext4\n' "$3" \
        >"$w/$1/manifest.raucm"
    rauc bundle --cert "$w/$2.pem" --key "$w/$2.key" "$w/$1" "$w/$1.raucb" >/dev/null 2>&1 || fails "$1 is not made"
}
bundle good ours verity
bundle foreign another verity
bundle plain ours plain
head -c 100000 "$w/good.raucb" >"$w/cut.raucb"

# What the updater calls is the real one, with the configuration of the machine at hand.
mkdir "$w/bin" "$w/state"
cat >"$w/bin/rauc" <<RAUC
#!/bin/sh
case \$1 in
    info) exec $(command -v rauc) --conf="$w/system.conf" "\$@" ;;
    status) echo "RAUC_SYSTEM_BOOTED_BOOTNAME='A'" ;;
    install) for last; do :; done; echo "\$last" >>"$w/installed" ;;
esac
RAUC
printf '#!/bin/sh\n' >"$w/bin/systemctl"
chmod +x "$w/bin"/*
echo 0.1.0 >"$w/release"
export LINLY_UPDATE_STATE="$w/state" LINLY_RELEASE_FILE="$w/release" PATH="$w/bin:$PATH"
for conf in "$layer"/recipes-core/rauc/files/*/system.conf; do
    sed -e 's/@MACHINE@/x/' -e "s|^path=.*|path=$w/ours.pem|" "$conf" >"$w/system.conf"
    : >"$w/installed"
    rm -f "$w/state"/*
    for name in good foreign plain cut; do
        "$layer/recipes-kiosk/linly-kiosk/files/update" "$w/$name.raucb" >"$w/out" 2>&1 || true
        if [ "$name" = good ]; then
            [ "$(cat "$w/installed")" = "$w/good.raucb" ] || fails "$conf: a bundle of ours is not installed: $(cat "$w/out")"
        else
            grep -q "no bundle that is trusted" "$w/out" || fails "$conf: $name: $(cat "$w/out")"
            grep -q result=refused "$w/state/last" || fails "$conf: $name: $(cat "$w/state/last")"
        fi
    done
    [ "$(wc -l <"$w/installed")" = 1 ] || fails "$conf: installed: $(cat "$w/installed")"
done
[ "$bad" = 0 ] && echo "ok  the real rauc trusts our bundles and no others"
exit "$bad"
