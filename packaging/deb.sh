#!/bin/sh
# Makes linly-edge_VERSION_ARCH.deb of a program that was built with the profile `dist`.
#
#     packaging/deb.sh target/dist/linly-edge out/packages
#
# The same input gives the same package, byte for byte: times are those of the last commit (or
# SOURCE_DATE_EPOCH), owners are root, and the order of files is fixed by dpkg-deb.
set -eu
umask 022
export LC_ALL=C TZ=UTC

program=$1
out=$2
cd "$(dirname "$0")/.."
here=packaging/debian
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n1)${LINLY_DEB_REVISION:-}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

case $(od -An -t x1 -j 18 -N 1 "$program" | tr -d ' ') in
    3e) arch=amd64 triplet=x86_64-linux-gnu ;;
    b7) arch=arm64 triplet=aarch64-linux-gnu ;;
    *) echo "$program is neither for amd64 nor for arm64" >&2; exit 1 ;;
esac
tool() { if [ "$arch" = "$(dpkg --print-architecture)" ]; then echo "$1"; else echo "$triplet-$1"; fi; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
put() { install -D -m "$1" "$2" "$root/$3"; } # put MODE FILE PATH
name=linly-edge_${version}_$arch
mkdir -p "$out"

# The program without its symbols, and those beside it: `perf` and `gdb` find them by build id.
put 755 "$program" usr/bin/linly-edge
"$(tool objcopy)" --only-keep-debug "$root/usr/bin/linly-edge" "$out/$name.debug"
"$(tool strip)" --strip-all --remove-section=.comment --remove-section=.note "$root/usr/bin/linly-edge"

for unit in systemd/*.service systemd/*.target; do put 644 "$unit" "usr/lib/systemd/system/$(basename "$unit")"; done
put 644 systemd/sysusers.d/linly-edge.conf usr/lib/sysusers.d/linly-edge.conf
put 644 systemd/tmpfiles.d/linly-edge.conf usr/lib/tmpfiles.d/linly-edge.conf
put 644 systemd/udev/70-linly-edge.rules usr/lib/udev/rules.d/70-linly-edge.rules
put 644 systemd/linly-edge.catalog usr/lib/systemd/catalog/linly-edge.catalog
for script in healthy after-failure update; do put 755 "systemd/$script" "usr/lib/linly-edge/$script"; done

put 644 config/linly-edge.toml etc/linly-edge/config.toml
put 644 config/site.toml etc/linly-edge/site.toml
(cd "$root" && find etc -type f | sort | sed 's|^|/|') >"$root.conffiles"

# What the program needs to run: all that is committed in these folders but what makes it.
git ls-files models/starter avatar | grep -v '\.py$' | while read -r file; do
    put 644 "$file" "usr/share/linly-edge/$file"
done

# The pages and completions come from the program itself; another machine's runs under an emulator.
run=""
[ "$arch" = "$(dpkg --print-architecture)" ] || run=qemu-aarch64-static
mkdir -p "$root/usr/share/man/man1"
$run "$program" manual "$root/usr/share/man/man1"
gzip -9n "$root"/usr/share/man/man1/*.1
complete() { mkdir -p "$root/$(dirname "$2")" && $run "$program" completions "$1" >"$root/$2"; }
complete bash usr/share/bash-completion/completions/linly-edge
complete zsh usr/share/zsh/vendor-completions/_linly-edge
complete fish usr/share/fish/vendor_completions.d/linly-edge.fish

doc=usr/share/doc/linly-edge
put 644 "$here/copyright" "$doc/copyright"
for page in README.md README.zh-CN.md docs/appliance.md docs/hardware.md docs/security.md docs/runbook.md; do
    put 644 "$page" "$doc/$(basename "$page")"
done
put 644 CHANGELOG.md "$doc/CHANGELOG.md"
{
    printf 'linly-edge (%s) stable; urgency=medium\n\n  * CHANGELOG.md tells what has changed.\n\n' "$version"
    printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' "$here/control")" "$(date -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$root/$doc/changelog.gz"
put 644 "$here/lintian-overrides" usr/share/lintian/overrides/linly-edge
python3 packaging/licences.py --target "$arch" | gzip -9n >"$root/$doc/third-party.txt.gz"
chmod 644 "$root/$doc"/*

mkdir "$root/DEBIAN"
mv "$root.conffiles" "$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 755 "$here/$script" "$root/DEBIAN/$script"; done
libraries=$(packaging/libraries.sh "$program" "$arch")
size=$(du -k --apparent-size -s "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" -e "s/@LIBRARIES@/$libraries/" \
    "$here/control" >"$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -print0 | xargs -0 touch --no-dereference --date="@$SOURCE_DATE_EPOCH"

dpkg-deb --root-owner-group -Zxz --build "$root" "$out/$name.deb" >/dev/null
echo "$out/$name.deb"
