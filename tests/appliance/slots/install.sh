#!/bin/sh
# Called with the root that is being made: the kiosk of `make image-qemu`, and over it what the layer's recipes
# install, from the layer's own files.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$1
layer=$here/../../../yocto/meta-linly-edge
"$here/../../../packaging/image/install.sh" "$root"

# linly-kiosk-system.bb
files=$layer/recipes-kiosk/linly-kiosk/files
units=$root/usr/lib/systemd/system
mkdir -p "$root/usr/lib/linly-kiosk" "$root/etc/linly-kiosk" "$root/etc/rauc"
for name in device provision stick update; do install -m 755 "$files/$name" "$root/usr/lib/linly-kiosk/"; done
install -m 644 "$files"/*.service "$files"/*.timer "$units/"
install -D -m 644 "$files/linly-edge-kiosk.conf" "$units/linly-edge.service.d/10-kiosk.conf"
install -D -m 644 "$files/journald.conf" "$root/usr/lib/systemd/journald.conf.d/10-kiosk.conf"
install -m 644 "$files/80-linly-kiosk-stick.rules" "$root/usr/lib/udev/rules.d/"
install -m 644 "$files/web-config.yml" "$root/etc/linly-edge/web-config.yml"
: >"$root/etc/linly-kiosk/site-updater"
chroot "$root" systemctl enable linly-kiosk-device.service linly-kiosk-update.timer linly-kiosk-update-result.timer \
    linly-kiosk-trial.timer

# rauc-conf.bbappend, and the unit of meta-rauc that tells a good boot
sed -e "s/@MACHINE@/$LINLY_SLOTS_MACHINE/" "$layer/recipes-core/rauc/files/qemuarm64/system.conf" >"$root/etc/rauc/system.conf"
install -m 644 "$LINLY_SLOTS_KEYRING" "$root/etc/rauc/ca.cert.pem"
cat >"$units/rauc-mark-good.service" <<'UNIT'
[Unit]
Description=The slot that runs is good
ConditionKernelCommandLine=|rauc.slot
Requires=boot-complete.target
After=boot-complete.target
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/rauc status mark-good
[Install]
WantedBy=multi-user.target
UNIT
chroot "$root" systemctl enable rauc-mark-good.service

# linly-kiosk-image.bb and linly-kiosk.conf: a root that is never written, and what lies on the data partition
mkdir -p "$root/data" "$root/boot/efi"
echo "$LINLY_SLOTS_RELEASE" >"$root/etc/linly-edge/release"
cat >"$root/etc/fstab" <<'FSTAB'
/dev/disk/by-partlabel/data /data ext4 rw,nosuid,nodev,noatime,x-systemd.makefs,x-systemd.growfs 0 2
/data/device/config.d /etc/linly-edge/config.d none bind,nofail,x-systemd.requires=linly-kiosk-device.service 0 0
/dev/disk/by-partlabel/efi /boot/efi vfat rw,nosuid,nodev,noexec,sync,umask=0077 0 0
tmpfs /tmp tmpfs defaults 0 0
tmpfs /var/tmp tmpfs defaults 0 0
tmpfs /var/log tmpfs defaults 0 0
FSTAB
# As OE-core's volatile binds do it.
cat >"$units/data-overlay@.service" <<'UNIT'
[Unit]
Description=What lasts of /var/%i
DefaultDependencies=no
RequiresMountsFor=/data
Before=local-fs.target systemd-random-seed.service linly-kiosk-device.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mkdir -p /data/var/%i /data/var/.%i-work
ExecStart=/bin/mount -t overlay overlay -o lowerdir=/var/%i,upperdir=/data/var/%i,workdir=/data/var/.%i-work /var/%i
[Install]
WantedBy=local-fs.target
UNIT
chroot "$root" systemctl enable data-overlay@lib.service data-overlay@cache.service
# Tables of the device lie over config.d, so that the emulated devices are named below them.
mv "$root/etc/linly-edge/config.d/image.toml" "$root/etc/linly-edge/config.toml"
echo loop >>"$root/etc/modules-load.d/kiosk.conf"
