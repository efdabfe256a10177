SUMMARY = "What makes a system a kiosk: identity of the device, ssh by key, splash, updates"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

# The first paths are ${PN}'s, the second linly-kiosk-update's.
SRC_URI = " \
    file://device \
    file://provision \
    file://journald.conf \
    file://linly-edge-kiosk.conf \
    file://linly-kiosk-device.service \
    file://sshd.conf \
    file://system.conf \
    file://web-config.yml \
    \
    file://80-linly-kiosk-stick.rules \
    file://linly-kiosk-stick@.service \
    file://linly-kiosk-trial.service \
    file://linly-kiosk-trial.timer \
    file://linly-kiosk-update-result.service \
    file://linly-kiosk-update-result.timer \
    file://linly-kiosk-update.service \
    file://linly-kiosk-update.timer \
    file://stick \
    file://update \
"

S = "${UNPACKDIR}"
INHIBIT_DEFAULT_DEPS = "1"

inherit allarch systemd

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${systemd_system_unitdir} ${D}${nonarch_libdir}/linly-kiosk
    install -m 0644 ${S}/*.service ${S}/*.timer ${D}${systemd_system_unitdir}
    install -m 0755 ${S}/device ${S}/provision ${S}/stick ${S}/update ${D}${nonarch_libdir}/linly-kiosk
    install -D -m 0644 ${S}/linly-edge-kiosk.conf ${D}${systemd_system_unitdir}/linly-edge.service.d/10-kiosk.conf
    install -D -m 0644 ${S}/system.conf ${D}${nonarch_libdir}/systemd/system.conf.d/10-kiosk.conf
    install -D -m 0644 ${S}/journald.conf ${D}${nonarch_libdir}/systemd/journald.conf.d/10-kiosk.conf
    install -D -m 0644 ${S}/80-linly-kiosk-stick.rules ${D}${nonarch_base_libdir}/udev/rules.d/80-linly-kiosk-stick.rules
    install -D -m 0644 ${S}/sshd.conf ${D}${sysconfdir}/ssh/sshd_config.d/10-kiosk.conf
    install -D -m 0644 ${S}/web-config.yml ${D}${sysconfdir}/linly-edge/web-config.yml
    install -d ${D}${sysconfdir}/linly-kiosk
    echo "${LINLY_UPDATE_URL}" > ${D}${sysconfdir}/linly-kiosk/site-updater
}

PACKAGES = "linly-kiosk-update ${PN}"
SUMMARY:linly-kiosk-update = "Bundles from sticks and from the site's updater"
SYSTEMD_PACKAGES = "${PN} linly-kiosk-update"
SYSTEMD_SERVICE:${PN} = "linly-kiosk-device.service"
SYSTEMD_SERVICE:linly-kiosk-update = "linly-kiosk-update.timer linly-kiosk-update-result.timer linly-kiosk-trial.timer"

FILES:linly-kiosk-update = " \
    ${nonarch_base_libdir}/udev \
    ${nonarch_libdir}/linly-kiosk/stick \
    ${nonarch_libdir}/linly-kiosk/update \
    ${sysconfdir}/linly-kiosk \
    ${systemd_system_unitdir}/linly-kiosk-stick@.service \
    ${systemd_system_unitdir}/linly-kiosk-trial.service \
    ${systemd_system_unitdir}/linly-kiosk-update.service \
    ${systemd_system_unitdir}/linly-kiosk-update-result.service \
"
FILES:${PN} += " \
    ${nonarch_libdir}/linly-kiosk \
    ${nonarch_libdir}/systemd \
    ${systemd_system_unitdir}/linly-edge.service.d \
"

RDEPENDS:${PN} = "linly-edge openssl-bin openssh-sshd e2fsprogs-mke2fs e2fsprogs-e2fsck"
# chattr, flock, and what tells versions apart.
RDEPENDS:linly-kiosk-update = "${PN} coreutils curl e2fsprogs rauc util-linux-flock util-linux-mount"
