SUMMARY = "A box that boots into the receptionist: read-only, two slots, nothing to log in to but ssh by key"
LICENSE = "Apache-2.0"

inherit core-image features_check

# Slots, state and identity come from the distro's settings.
REQUIRED_DISTRO_FEATURES = "systemd rauc"
COMPATIBLE_MACHINE = "(qemuarm64|tegra)"

IMAGE_FEATURES = "read-only-rootfs splash ssh-server-openssh"
IMAGE_LINGUAS = ""
# What a slot is filled with from a bundle.
IMAGE_FSTYPES:append = " ext4"

CORE_IMAGE_EXTRA_INSTALL = " \
    linly-edge ${LINLY_PACKS} ${LINLY_SITE} \
    linly-kiosk-system linly-kiosk-update \
    rauc rauc-mark-good rauc-service rauc-conf \
    chrony chronyc \
    kernel-image kernel-modules \
    ttf-dejavu-sans source-han-sans-cn-fonts \
"
CORE_IMAGE_EXTRA_INSTALL:append:tegra = " packagegroup-linly-kiosk-tegra"

# The kiosk owns the screen.
SYSTEMD_DEFAULT_TARGET = "linly-edge.target"

kiosk_without_consoles() {
    # Nobody logs in at the screen or a serial port; a password would open nothing either.
    for unit in getty@ serial-getty@ autovt@ console-getty; do
        ln -sf /dev/null ${IMAGE_ROOTFS}${sysconfdir}/systemd/system/$unit.service
    done
    rm -rf ${IMAGE_ROOTFS}${sysconfdir}/systemd/system/getty.target.wants
    sed -i 's/^root:[^:]*:/root:*:/' ${IMAGE_ROOTFS}${sysconfdir}/shadow
}

kiosk_mounts() {
    # The data partition is made at the first start where the factory has left it empty, and grows to its place.
    install -d ${IMAGE_ROOTFS}/data ${IMAGE_ROOTFS}/boot/efi
    printf '/dev/disk/by-partlabel/${LINLY_DATA_PARTITION} /data ext4 rw,nosuid,nodev,noatime,x-systemd.makefs,x-systemd.growfs 0 2\n' \
        >> ${IMAGE_ROOTFS}${sysconfdir}/fstab
    # Tables of config.toml that are only this device's.
    echo '/data/device/config.d /etc/linly-edge/config.d none bind,nofail,x-systemd.requires=linly-kiosk-device.service 0 0' \
        >> ${IMAGE_ROOTFS}${sysconfdir}/fstab
    printf '${LINLY_FSTAB_EXTRA}' >> ${IMAGE_ROOTFS}${sysconfdir}/fstab
}

kiosk_keys() {
    install -d ${IMAGE_ROOTFS}${sysconfdir}/ssh/authorized_keys.d
    if [ -n "${LINLY_AUTHORIZED_KEYS}" ]; then
        install -m 0644 ${LINLY_AUTHORIZED_KEYS} ${IMAGE_ROOTFS}${sysconfdir}/ssh/authorized_keys.d/root
    fi
    echo "${LINLY_RELEASE}" > ${IMAGE_ROOTFS}${sysconfdir}/linly-edge/release
}
ROOTFS_POSTPROCESS_COMMAND += "kiosk_without_consoles kiosk_mounts kiosk_keys"
do_rootfs[vardeps] += "LINLY_DATA_PARTITION LINLY_FSTAB_EXTRA LINLY_AUTHORIZED_KEYS LINLY_RELEASE"
do_rootfs[file-checksums] += "${@d.getVar('LINLY_AUTHORIZED_KEYS') + ':True' if d.getVar('LINLY_AUTHORIZED_KEYS') else ''}"
