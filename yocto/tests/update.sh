#!/bin/sh
# The updater against a rauc that is played: what is newer is installed, what did not hold is not tried again, and
# what has become of a bundle is told. And the device's identity and certificate, with the real openssl.
set -eu
files=$(cd "$(dirname "$0")/.." && pwd)/meta-linly-edge/recipes-kiosk/linly-kiosk/files
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT
mkdir "$w/bin" "$w/state"
export LINLY_UPDATE_STATE="$w/state" LINLY_DEVICE="$w/own" LINLY_RELEASE_FILE="$w/release" LINLY_SITE_FILE="$w/site"
export LINLY_BOOT_FILE="$w/boot"
export PATH="$w/bin:$PATH"

boots() { echo "$1" >"$w/booted"; echo "$2" >"$w/release"; date +%N >"$w/boot"; } # boots SLOT RELEASE
boots A 1.2.0
cat >"$w/bin/rauc" <<'RAUC'
#!/bin/sh
w=$(dirname "$(dirname "$0")")
echo "rauc $*" >>"$w/calls"
case "$1" in
    status)
        [ "$2" != --output-format=shell ] || printf "RAUC_SYSTEM_COMPATIBLE='linly-kiosk-x'\nRAUC_SYSTEM_BOOTED_BOOTNAME='%s'\n" "$(cat "$w/booted")"
        ;;
    info) for last; do :; done; [ -f "$last" ] && printf "RAUC_MF_COMPATIBLE='linly-kiosk-x'\nRAUC_MF_VERSION='%s'\n" "$(cat "$last")" ;;
    install) for last; do :; done; ! grep -q broken "$last" ;;
esac
RAUC
cat >"$w/bin/systemctl" <<'CTL'
#!/bin/sh
w=$(dirname "$(dirname "$0")")
echo "systemctl $*" >>"$w/calls"
case "$*" in *is-active*) [ -e "$w/healthy" ] ;; esac
CTL
cat >"$w/bin/hostname" <<'CTL'
#!/bin/sh
CTL
chmod +x "$w/bin"/*

bad=0
fails() { echo "update: $*" >&2; bad=1; }
update() { : >"$w/calls"; "$files/update" "$@" >"$w/out" 2>&1; }
installs() { grep -q '^rauc install' "$w/calls"; }
reboots() { grep -q 'systemctl --no-block reboot' "$w/calls"; }
last() { grep -qx "$1" "$w/state/last" || fails "last has no $1"; }

for version in 1.1.0 1.2.0 1.10.0; do echo $version >"$w/$version.raucb"; done

# Neither what is older, nor what is there; what is newer by number and not by letter.
update "$w/1.1.0.raucb" && ! installs || fails "an older bundle is installed"
update "$w/1.2.0.raucb" && ! installs || fails "the same bundle is installed again"
update "$w/1.10.0.raucb" && installs && reboots || fails "a newer bundle is not installed"
grep -qx 'from=A' "$w/state/pending" || fails "nothing tells where to go back to"

# Not started anew yet: nothing is told, and nothing else is installed meanwhile.
update --result && [ -e "$w/state/pending" ] && [ ! -e "$w/state/last" ] || fails "told before the boot"
update "$w/1.10.0.raucb" && ! installs || fails "installed twice"

# The new slot is up but not healthy yet: nothing is told.
boots B 1.10.0
update --result && [ -e "$w/state/pending" ] || fails "told too early"
# Too late: back it goes.
update --trial && grep -q 'rauc status mark-bad booted' "$w/calls" && grep -q 'mark-active other' "$w/calls" && reboots \
    || fails "a bundle that is not healthy is kept"
# The slot before is up again, and its stick is still in.
boots A 1.2.0; : >"$w/healthy"
update "$w/1.10.0.raucb" && ! installs || fails "a stick brings again what did not hold"
last result=rolled-back; last version=1.10.0
update "$w/1.10.0.raucb" && ! installs || fails "what did not hold is tried again"
update --force "$w/1.10.0.raucb" && installs || fails "--force does not force"
# This time it holds, and the late look changes nothing.
boots B 1.10.0
update --trial && ! reboots || fails "a healthy bundle is taken back"
update --result; last result=installed; [ ! -e "$w/state/rolled-back" ] || fails "an old failure is remembered"

# What is not trusted, and what breaks on the way.
update "$w/missing.raucb" && fails "a bundle that is not trusted is taken"; last result=refused
printf '1.11.0-broken' >"$w/broken.raucb"
update "$w/broken.raucb" && fails "a broken bundle succeeds"; last result=failed
[ ! -e "$w/state/pending" ] && [ ! -e "$w/state/coming" ] || fails "a broken bundle is on trial"

# The power fails while a slot is written: nothing has changed. It fails after that: the other slot is on trial.
echo 1.12.0 >"$w/1.12.0.raucb"
for booted in B A; do
    printf 'version=1.12.0\nfrom=B\nboot=none\n' >"$w/state/coming"
    boots $booted 1.10.0
    rm -f "$w/healthy"
    update --result
    [ "$booted" = A ] || [ ! -e "$w/state/pending" ] || fails "what was never chosen is on trial"
    [ "$booted" = B ] || [ -e "$w/state/pending" ] || fails "what was chosen is not on trial"
    [ ! -e "$w/state/coming" ] || fails "an installation is remembered for ever"
done
: >"$w/healthy"
update --result; last version=1.12.0; last result=installed

# The device makes a key and a request once, and takes a certificate for that key only.
"$files/device"; first=$(cat "$w/own/tls/server.key" "$w/own/name" "$w/own/tls/server.csr" | sha256sum)
"$files/device"; [ "$first" = "$(cat "$w/own/tls/server.key" "$w/own/name" "$w/own/tls/server.csr" | sha256sum)" ] || fails "identity changes"
[ "$(stat -c %a "$w/own/tls/server.key")" = 640 ] || fails "the key is not kept close"
mkdir "$w/good" "$w/other"
ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -keyout "$1.key" -out "$1" -subj /CN=ca 2>/dev/null; }
ca "$w/kiosks.crt"; ca "$w/good/clients-ca.crt"; cp "$w/good/clients-ca.crt" "$w/other"
openssl x509 -req -in "$w/own/tls/server.csr" -CA "$w/kiosks.crt" -CAkey "$w/kiosks.crt.key" -CAcreateserial -days 9 -out "$w/good/server.crt" 2>/dev/null
cp "$w/kiosks.crt" "$w/other/server.crt"; echo canary >"$w/good/group"
! "$files/provision" "$w/other" 2>/dev/null || fails "another's certificate is taken"
[ ! -e "$w/own/config.d/50-metrics.toml" ] || fails "metrics are open without a certificate"
"$files/provision" "$w/good" >/dev/null || fails "the device's certificate is refused"
grep -q 'address = "0.0.0.0:9090"' "$w/own/config.d/50-metrics.toml" || fails "metrics stay closed"

# A canary asks its own group's folder, with its own certificate.
echo https://updates.example >"$w/site"
cat >"$w/bin/curl" <<'CURL'
#!/bin/sh
w=$(dirname "$(dirname "$0")")
echo "curl $*" >>"$w/calls"
for last; do :; done
case "$last" in https://updates.example/canary/linly-kiosk-x/version) echo 1.12.0 ;; *) exit 22 ;; esac
CURL
chmod +x "$w/bin/curl"
update --site || true
grep -q 'curl .*--cert .*/own/tls/server.crt .*canary/linly-kiosk-x/version' "$w/calls" || fails "the group's folder is not asked"
grep -q 'rauc info .*--tls-cert=.* https://updates.example/canary/linly-kiosk-x/kiosk.raucb' "$w/calls" || fails "the bundle is not streamed"

[ "$bad" = 0 ] && echo "updates, identity and certificates: good"
exit "$bad"
